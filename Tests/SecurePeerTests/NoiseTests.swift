import Cryptography
import Primitives
import Testing

@testable import SecurePeer

/// One party of a published vector.
private func party(
    _ role: HandshakeState.Role,
    of vector: NoiseVector,
    _ pattern: HandshakePattern
) throws -> HandshakeState {
    let isInitiator = role == .initiator
    let prologue = try bytes(vector.prologue)
    return try HandshakeState(
        pattern,
        as: role,
        prologue: prologue.span.bytes,
        staticKey: try key(isInitiator ? vector.initiatorStatic : vector.responderStatic),
        ephemeralKey: try key(isInitiator ? vector.initiatorEphemeral : vector.responderEphemeral),
        sharedKeys: try vector.sharedKeys.map { text in
            let bytes = try bytes(text)
            let secret = Secret(bytes.span.bytes)
            return try #require(secret)
        }
    )
}

private func bytes(_ text: String) throws -> [UInt8] { try #require(Hex.decode(text)) }

private func key(_ text: String) throws -> X25519.PrivateKey {
    let bytes = try bytes(text)
    let key = X25519.PrivateKey(bytes.span.bytes)
    return try #require(key)
}

/// Two parties; each message goes from one to the other.
private struct Talk: ~Copyable {
    var initiator: HandshakeState
    var responder: HandshakeState

    init(_ vector: NoiseVector, _ pattern: HandshakePattern) throws {
        let initiator = try party(.initiator, of: vector, pattern)
        responder = try party(.responder, of: vector, pattern)
        self.initiator = initiator
    }

    /// What one writes and the other then reads.
    mutating func pass(_ payload: [UInt8], number: Int) throws -> (sealed: [UInt8], read: [UInt8]) {
        var output = ByteWriter()
        if number.isMultiple(of: 2) {
            try initiator.write(payload.span.bytes, into: &output)
            return (output.bytes, try responder.read(output.bytes.span.bytes))
        }
        try responder.write(payload.span.bytes, into: &output)
        return (output.bytes, try initiator.read(output.bytes.span.bytes))
    }
}

/// The two keys of one party after the handshake.
private struct Transport: ~Copyable {
    var keys: KeyRoom

    mutating func seal(_ text: [UInt8], with slot: KeyRoom.Slot, nonce: UInt64) throws -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: text.count + ChaCha20Poly1305.tagByteCount)
        let range = sealed.indices
        var span = sealed.mutableSpan
        var room = span.mutableBytes
        try keys.seal(with: slot, nonce: nonce, into: &room, range) { $0.append(text.span.bytes) }
        return sealed
    }

    mutating func open(_ sealed: [UInt8], with slot: KeyRoom.Slot, nonce: UInt64) throws -> [UInt8] {
        var text = sealed
        let range = text.indices
        var span = text.mutableSpan
        var room = span.mutableBytes
        try keys.open(with: slot, nonce: nonce, in: &room, range)
        return text.dropLast(ChaCha20Poly1305.tagByteCount)
    }
}

@Suite("Noise, revision 34")
struct NoiseTests {
    /// A pattern between the two of SPS/1, because there is a vector of other authors for it.
    static let xxWithLateKey = HandshakePattern(
        protocolName: "Noise_XXpsk3_25519_ChaChaPoly_SHA256",
        messages: [[.e], [.e, .ee, .s, .es], [.s, .se, .psk]]
    )

    static let patterns: [(NoiseVector, HandshakePattern)] = [
        (.xx, .xx), (.xxWithLateKey, xxWithLateKey), (.xxWithSharedKey, .xxWithSharedKey),
    ]

    @Test("the published vectors, every message and the hash", arguments: patterns)
    func vectors(vector: NoiseVector, pattern: HandshakePattern) throws {
        #expect(Hex.encode(pattern.protocolName.bytes) == Hex.encode(Array(vector.pattern.utf8)))
        var talk = try Talk(vector, pattern)
        let handshake = vector.messages.prefix(pattern.messages.count)
        for (number, message) in handshake.enumerated() {
            let payload = try bytes(message.payload)
            let (sealed, read) = try talk.pass(payload, number: number)
            #expect(Hex.encode(sealed) == message.sealed)
            #expect(read == payload)
        }
        #expect(talk.initiator.binding == talk.responder.binding)
        if let hash = vector.handshakeHash { #expect(Hex.encode(talk.initiator.binding.bytes) == hash) }
        #expect(talk.initiator.remoteStaticKey?.hex == (try key(vector.responderStatic)).publicKey.hex)
        #expect(talk.responder.remoteStaticKey?.hex == (try key(vector.initiatorStatic)).publicKey.hex)
        try NoiseTests.records(of: vector, from: handshake.count, talk.initiator.split(), talk.responder.split())
    }

    /// The messages after the handshake: the first comes from the responder, for it is its turn.
    private static func records(
        of vector: NoiseVector,
        from first: Int,
        _ initiator: consuming KeyRoom,
        _ responder: consuming KeyRoom
    ) throws {
        var (mine, theirs) = (UInt64(0), UInt64(0))
        var initiator = Transport(keys: initiator)
        var responder = Transport(keys: responder)
        for (number, message) in vector.messages.enumerated().dropFirst(first) {
            let payload = try bytes(message.payload)
            if number.isMultiple(of: 2) {
                let sealed = try initiator.seal(payload, with: .initiator, nonce: mine)
                #expect(Hex.encode(sealed) == message.sealed)
                #expect(try responder.open(sealed, with: .initiator, nonce: mine) == payload)
                mine += 1
            } else {
                let sealed = try responder.seal(payload, with: .responder, nonce: theirs)
                #expect(Hex.encode(sealed) == message.sealed)
                #expect(try initiator.open(sealed, with: .responder, nonce: theirs) == payload)
                theirs += 1
            }
        }
        #expect(mine + theirs == UInt64(vector.messages.count - first))
    }
}
