import CSodium
package import Primitives

/// BLAKE2b (RFC 7693), by libsodium, with a key that says what the digest is for, or without one.
package enum BLAKE2b {
    /// A digest of 20 bytes: a name in the DHT's key space.
    ///
    /// - Parameter purpose: the key, at most 64 bytes; digests for different purposes have nothing in common.
    package static func hash160(_ bytes: RawSpan, for purpose: StaticString) -> UInt160? {
        UInt160(hash(bytes, for: purpose, byteCount: UInt160.byteCount).span.bytes)
    }

    /// A digest of 32 bytes.
    package static func hash256(_ bytes: RawSpan, for purpose: StaticString) -> UInt256? {
        UInt256(hash(bytes, for: purpose, byteCount: UInt256.byteCount).span.bytes)
    }

    /// - Parameters:
    ///   - purpose: the key, at most 64 bytes; an empty one is none.
    ///   - byteCount: of the digest, 16 to 64. It is hashed as well: a short digest is not the beginning of a long one.
    package static func hash(_ bytes: RawSpan, for purpose: StaticString = "", byteCount: Int) -> [UInt8] {
        precondition((16...64).contains(byteCount) && purpose.utf8CodeUnitCount <= 64)
        let key = purpose.bytes
        var digest = [UInt8](repeating: 0, count: byteCount)
        // Safe: libsodium reads the span and the key, and writes `digest.count` bytes.
        unsafe bytes.withUnsafeBytes {
            let input = unsafe $0.bindMemory(to: UInt8.self)
            let length = UInt64(input.count)
            _ = unsafe crypto_generichash(&digest, digest.count, input.baseAddress, length, key, key.count)
        }
        return digest
    }
}
