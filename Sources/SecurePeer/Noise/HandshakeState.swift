import Cryptography
import Primitives

/// One handshake of the Noise Protocol Framework (revision 34, section 5.3): three messages, written and read in turn.
struct HandshakeState: ~Copyable {
    enum Role: Hashable, Sendable { case initiator, responder }

    private let role: Role
    private let pattern: HandshakePattern
    private let prologue: [UInt8]
    private var symmetric: SymmetricState
    private let staticKey: X25519.PrivateKey
    /// That of a test; otherwise one is made where it is needed.
    private let givenEphemeralKey: X25519.PrivateKey?
    private(set) var remoteStaticKey: X25519.PublicKey?
    private var remoteEphemeralKey: X25519.PublicKey?
    /// The keys that are shared, in the order in which the pattern asks for them, as far as it has not.
    private var sharedKeys: [Secret]
    private var messageCount = 0
    /// Multiplications of points with private keys: what a stranger can make us do.
    private(set) var agreementCount = 0

    /// - Parameters:
    ///   - prologue: what both parties have said before; a difference makes every message fail.
    ///   - ephemeralKey: a new one is made where it is needed, except in tests.
    ///   - sharedKeys: one for each time that the pattern asks for it.
    init(
        _ pattern: HandshakePattern,
        as role: Role,
        prologue: RawSpan,
        staticKey: X25519.PrivateKey,
        ephemeralKey: X25519.PrivateKey? = nil,
        sharedKeys: [Secret] = []
    ) throws(SecureFault) {
        self.role = role
        self.pattern = pattern
        self.prologue = prologue.copied
        self.staticKey = staticKey
        givenEphemeralKey = ephemeralKey
        self.sharedKeys = sharedKeys
        symmetric = try SymmetricState(protocolName: pattern.protocolName)
        symmetric.mixHash(prologue)
    }

    /// Begins again with other keys, in the same memory.
    mutating func restart(sharedKeys: [Secret]) {
        self.sharedKeys = sharedKeys
        messageCount = 0
        let prologue = prologue
        symmetric.restart(pattern.protocolName)
        symmetric.mixHash(prologue.span.bytes)
    }

    /// Appends the next message with a payload; nothing where it fails.
    mutating func write(_ payload: RawSpan, into output: inout ByteWriter) throws(SecureFault) {
        var message = ByteWriter(capacity: 512)
        for token in try nextTokens() {
            switch token {
            case .e:
                let key = try symmetric.makeEphemeral(givenEphemeralKey).bytes
                message.append(key)
                mixEphemeral(key.span.bytes)
            case .s: try symmetric.encryptAndHash(staticKey.publicKey.bytes.span.bytes, into: &message)
            case .psk: try mixSharedKey()
            case .ee, .es, .se: try agree(token)
            }
        }
        try symmetric.encryptAndHash(payload, into: &message)
        output.append(message.bytes)
    }

    /// Reads the next message, all of it.
    ///
    /// - Returns: its payload.
    mutating func read(_ message: RawSpan) throws(SecureFault) -> [UInt8] {
        var rest = message
        for token in try nextTokens() {
            switch token {
            case .e:
                guard let key = X25519.PublicKey(rest) else { throw .tampered }
                remoteEphemeralKey = key
                mixEphemeral(rest.extracting(first: X25519.PublicKey.byteCount))
                rest = rest.extracting(droppingFirst: X25519.PublicKey.byteCount)
            case .s:
                let count = symmetric.byteCount(ofSealed: X25519.PublicKey.byteCount)
                guard rest.byteCount >= count else { throw .tampered }
                let bytes = try symmetric.decryptAndHash(rest.extracting(first: count))
                remoteStaticKey = X25519.PublicKey(bytes.span.bytes)
                rest = rest.extracting(droppingFirst: count)
            case .psk: try mixSharedKey()
            case .ee, .es, .se: try agree(token)
            }
        }
        guard rest.byteCount >= symmetric.byteCount(ofSealed: 0) else { throw .tampered }
        return try symmetric.decryptAndHash(rest)
    }

    /// The hash that, at the end, names this session and no other (section 11.2: channel binding).
    var binding: UInt256 { symmetric.hash }

    /// Ends the handshake: the keys of the records.
    consuming func split() -> KeyRoom { symmetric.split() }

    private mutating func nextTokens() throws(SecureFault) -> [HandshakePattern.Token] {
        guard messageCount < pattern.messages.count else { throw .tampered }
        defer { messageCount += 1 }
        return pattern.messages[messageCount]
    }

    private mutating func mixEphemeral(_ key: RawSpan) {
        symmetric.mixHash(key)
        if pattern.hasSharedKey { symmetric.mixKey(key) }
    }

    private mutating func mixSharedKey() throws(SecureFault) {
        guard !sharedKeys.isEmpty else { throw .noSwarmKeyFits }
        let key = sharedKeys.removeFirst()
        symmetric.mixKeyAndHash(key.bytes)
    }

    private mutating func agree(_ token: HandshakePattern.Token) throws(SecureFault) {
        let usesEphemeral = token == .ee || (token == .es) == (role == .initiator)
        let meetsEphemeral = token == .ee || (token == .se) == (role == .initiator)
        guard let remote = meetsEphemeral ? remoteEphemeralKey : remoteStaticKey else { throw .tampered }
        agreementCount += 1
        try symmetric.mixAgreement(usesEphemeral ? nil : staticKey, with: remote)
    }
}
