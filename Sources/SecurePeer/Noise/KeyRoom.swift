import Cryptography
import Primitives

/// The keys of one session, from the first message of its handshake on, in one piece of locked memory; and the cipher that
/// they are lent to.
///
/// A piece costs some ten system calls, more than all hashing of a handshake: one for everything, three keys long.
///
///     during the handshake    chaining key    key of the messages    a third key where one is derived
///     afterwards              key of the initiator    key of the responder    zeros
struct KeyRoom: ~Copyable {
    /// Which of the keys.
    enum Slot: Int {
        case chaining
        case message
        case third

        static let initiator = Slot.chaining
        static let responder = Slot.message

        var range: Range<Int> { rawValue * HKDF.keyByteCount..<(rawValue + 1) * HKDF.keyByteCount }
    }

    private(set) var memory: ChangingSecret
    private var cipher: ChaCha20Poly1305

    init() throws(SecureFault) {
        guard let memory = ChangingSecret(byteCount: 3 * HKDF.keyByteCount), let cipher = ChaCha20Poly1305() else {
            throw .outOfMemory
        }
        self.memory = memory
        self.cipher = cipher
    }

    /// Sets the chaining key to bytes that are no secret yet: the hash of the protocol's name.
    mutating func begin(with name: [UInt8]) {
        var bytes = memory.mutableBytes
        for (offset, byte) in name.prefix(HKDF.keyByteCount).enumerated() {
            bytes.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
        }
    }

    /// Derives a chaining key and a key for messages, or two keys for records (Noise, 4.3: HKDF with two outputs).
    mutating func deriveTwo(with input: RawSpan) { derive(2, with: input) }

    /// Derives a chaining key, hands out the second key, which is hashed and secret no longer, and keeps the third for
    /// messages (Noise, 5.2: `MixKeyAndHash`).
    mutating func deriveThree(with input: RawSpan, _ second: (RawSpan) -> Void) {
        derive(3, with: input)
        second(memory.bytes.extracting(Slot.message.range))
        move(.third, to: .message)
    }

    private mutating func derive(_ count: Int, with input: RawSpan) {
        var bytes = memory.mutableBytes
        HKDF.advance(&bytes, keyCount: count, with: input)
    }

    private mutating func move(_ source: Slot, to target: Slot) {
        var bytes = memory.mutableBytes
        for offset in 0..<HKDF.keyByteCount {
            let from = source.range.lowerBound + offset
            let byte = bytes.bytes.byte(at: from) ?? 0
            bytes.storeBytes(of: byte, toByteOffset: target.range.lowerBound + offset, as: UInt8.self)
            bytes.storeBytes(of: 0, toByteOffset: from, as: UInt8.self)
        }
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
