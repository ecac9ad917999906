import Cryptography
import Primitives

/// The keys of one session, from the first message of its handshake on, in one piece of locked memory; and the cipher
/// that they are lent to.
///
/// A piece costs some ten system calls, as long as an agreement takes: one for everything, five keys long.
///
///     during the handshake    chaining key    key of the messages    third key    input    ephemeral key
///     afterwards              initiator's     responder's            zeros
struct KeyRoom: ~Copyable {
    /// Which of the keys.
    enum Slot: Int, CaseIterable {
        case chaining
        case message
        /// One that is derived for `message` and lies here for a moment, because another is derived before it.
        case third
        /// What the next keys are derived from.
        case input
        case ephemeral

        static let initiator = Slot.chaining
        static let responder = Slot.message

        var start: Int { rawValue * HKDF.keyByteCount }
        var range: Range<Int> { start..<start + HKDF.keyByteCount }
    }

    private(set) var memory: ChangingSecret
    private var cipher: ChaCha20Poly1305

    init() throws(SecureFault) {
        guard let memory = ChangingSecret(byteCount: Slot.allCases.count * HKDF.keyByteCount),
            let cipher = ChaCha20Poly1305()
        else { throw .outOfMemory }
        self.memory = memory
        self.cipher = cipher
    }

    /// Sets the chaining key to bytes that are no secret yet: the hash of the protocol's name.
    mutating func begin(with name: RawSpan) { memory.copy(name, at: Slot.chaining.start) }

    /// Puts 32 bytes where the next keys are derived from.
    mutating func take(_ input: RawSpan) { memory.copy(input, at: Slot.input.start) }

    /// Derives a chaining key and a key for messages (Noise, 4.3: HKDF with two outputs).
    mutating func deriveTwo() { HKDF.advance(&memory, keyCount: 2, with: Slot.input.range) }

    /// Derives a chaining key, hands out the second key, which is hashed and secret no longer, and keeps the third for
    /// messages (Noise, 5.2: `MixKeyAndHash`).
    mutating func deriveThree(_ second: (RawSpan) -> Void) {
        HKDF.advance(&memory, keyCount: 3, with: Slot.input.range)
        second(memory.bytes.extracting(Slot.message.range))
        memory.move(Slot.third.range, to: Slot.message.start)
    }

    /// Derives the keys of the records, and forgets everything else (Noise, 5.2: `Split`).
    mutating func split() {
        HKDF.advance(&memory, keyCount: 2, with: 0..<0)
        memory.wipe(Slot.third.start..<memory.byteCount)
    }

    /// Makes the key that lasts as long as the handshake, or takes that of a test.
    mutating func makeEphemeral(_ key: X25519.PrivateKey?) throws(SecureFault) -> X25519.PublicKey {
        if let key {
            key.copy(to: &memory, at: Slot.ephemeral.start)
            return key.publicKey
        }
        guard let made = X25519.generate(in: &memory, at: Slot.ephemeral.start) else { throw .outOfMemory }
        return made
    }

    /// Agrees with the other side, through the ephemeral key or the one that lasts: input for the next keys.
    mutating func agree(_ key: X25519.PrivateKey?, with other: X25519.PublicKey) throws(SecureFault) {
        let input = Slot.input.start
        let isUseful =
            key?.agree(with: other, into: &memory, at: input)
            ?? X25519.agree(keyAt: Slot.ephemeral.start, with: other, into: &memory, at: input)
        guard isUseful else { throw .weakPublicKey }
    }

    /// Replaces a key by what it makes of zeros (Noise, 4.2: `REKEY`).
    mutating func renew(_ slot: Slot) throws(SecureFault) {
        guard cipher.advance(&memory, slot.range) else { throw .outOfMemory }
    }

    mutating func seal(
        with slot: Slot,
        nonce: UInt64,
        authenticating authenticated: RawSpan = RawSpan(),
        into output: inout MutableRawSpan,
        _ range: Range<Int>,
        _ gather: (inout SealedText) -> Void
    ) throws(SecureFault) {
        let isSealed = cipher.seal(
            with: memory,
            slot.range,
            nonce: nonce,
            authenticating: authenticated,
            into: &output,
            range,
            gather
        )
        guard isSealed else { throw .outOfMemory }
    }

    mutating func open(
        with slot: Slot,
        nonce: UInt64,
        authenticating authenticated: RawSpan = RawSpan(),
        in bytes: inout MutableRawSpan,
        _ range: Range<Int>
    ) throws(SecureFault) {
        let isOpen = cipher.open(
            with: memory,
            slot.range,
            nonce: nonce,
            authenticating: authenticated,
            in: &bytes,
            range
        )
        guard isOpen else { throw .tampered }
    }
}
