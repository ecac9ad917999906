import Cryptography
import Primitives

/// What both parties of a handshake have mixed so far (Noise Protocol Framework, revision 34, section 5.2, whose names
/// it keeps): a hash of all that was said, and keys of all that was agreed on.
struct SymmetricState: ~Copyable {
    private(set) var hash: UInt256
    private var keys: KeyRoom
    /// Whether anything was agreed on yet: what is said before that goes in plain.
    private var hasKey = false
    /// The number of the next message under the present key.
    private var nonce: UInt64 = 0

    init(protocolName: StaticString) throws(SecureFault) {
        keys = try KeyRoom()
        hash = UInt256(first: 0, second: 0, third: 0, fourth: 0)
        restart(protocolName)
    }

    /// A name that fits is padded with zeros, and hashed where it does not.
    private static func initialHash(of name: [UInt8]) -> UInt256 {
        guard name.count <= UInt256.byteCount else { return SHA256.hash(name.span.bytes) }
        let padded = name + [UInt8](repeating: 0, count: UInt256.byteCount - name.count)
        return UInt256(padded.span.bytes) ?? SHA256.hash(name.span.bytes)
    }

    /// Starts again: for a handshake that is tried with one shared key after the other.
    mutating func restart(_ protocolName: StaticString) {
        let initial = SymmetricState.initialHash(of: protocolName.bytes)
        hash = initial
        keys.begin(with: initial.bytes.span.bytes)
        hasKey = false
        nonce = 0
    }

    /// Makes the key that lasts as long as the handshake, or takes that of a test.
    mutating func makeEphemeral(_ key: X25519.PrivateKey?) throws(SecureFault) -> X25519.PublicKey {
        try keys.makeEphemeral(key)
    }

    mutating func mixHash(_ data: RawSpan) { hash = SHA256.hash(hash.bytes, data) }

    /// Mixes in 32 bytes.
    mutating func mixKey(_ input: RawSpan) {
        keys.take(input)
        mixInput()
    }

    /// Mixes in what one of our keys and the other side's agree on.
    ///
    /// - Parameter key: `nil` for the ephemeral one.
    mutating func mixAgreement(_ key: X25519.PrivateKey?, with other: X25519.PublicKey) throws(SecureFault) {
        try keys.agree(key, with: other)
        mixInput()
    }

    private mutating func mixInput() {
        keys.deriveTwo()
        hasKey = true
        nonce = 0
    }

    mutating func mixKeyAndHash(_ input: RawSpan) {
        var mixed = hash
        keys.take(input)
        keys.deriveThree { mixed = SHA256.hash(mixed.bytes, $0) }
        hash = mixed
        hasKey = true
        nonce = 0
    }

    /// Appends the text, sealed once there is a key.
    mutating func encryptAndHash(_ text: RawSpan, into output: inout ByteWriter) throws(SecureFault) {
        guard hasKey else {
            mixHash(text)
            return output.append(text)
        }
        var sealed = [UInt8](repeating: 0, count: text.byteCount + ChaCha20Poly1305.tagByteCount)
        let authenticated = hash.bytes
        let range = sealed.indices
        var span = sealed.mutableSpan
        var room = span.mutableBytes
        try keys.seal(with: .message, nonce: nonce, authenticating: authenticated.span.bytes, into: &room, range) {
            $0.append(text)
        }
        nonce += 1
        mixHash(sealed.span.bytes)
        output.append(sealed)
    }

    /// Opens what `encryptAndHash` made.
    mutating func decryptAndHash(_ sealed: RawSpan) throws(SecureFault) -> [UInt8] {
        var text = sealed.copied
        guard hasKey else {
            mixHash(sealed)
            return text
        }
        let authenticated = hash.bytes
        let range = text.indices
        var span = text.mutableSpan
        var room = span.mutableBytes
        try keys.open(with: .message, nonce: nonce, authenticating: authenticated.span.bytes, in: &room, range)
        nonce += 1
        mixHash(sealed)
        text.removeLast(ChaCha20Poly1305.tagByteCount)
        return text
    }

    /// How long `text` bytes become.
    func byteCount(ofSealed text: Int) -> Int { text + (hasKey ? ChaCha20Poly1305.tagByteCount : 0) }

    /// Turns the chaining key into the two keys of the records: the initiator's, then the responder's.
    consuming func split() -> KeyRoom {
        keys.split()
        return keys
    }
}
