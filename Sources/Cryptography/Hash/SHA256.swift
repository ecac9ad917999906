import CSodium
package import Primitives

/// SHA-256 (FIPS 180-4), by libsodium.
package enum SHA256 {
    package static func hash(_ bytes: RawSpan) -> UInt256 { hash([], bytes) }

    /// The digest of one part and then another, as if they were one.
    package static func hash(_ first: [UInt8], _ second: RawSpan) -> UInt256 {
        var state = crypto_hash_sha256_state()
        unsafe crypto_hash_sha256_init(&state)
        add(first.span.bytes, to: &state)
        add(second, to: &state)
        var digest: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        // Safe: SHA-256 writes 32 bytes, which the tuple has.
        unsafe withUnsafeMutableBytes(of: &digest) {
            if let start = unsafe $0.bindMemory(to: UInt8.self).baseAddress {
                _ = unsafe crypto_hash_sha256_final(&state, start)
            }
        }
        return UInt256(
            first: UInt64(bigEndian: digest.0),
            second: UInt64(bigEndian: digest.1),
            third: UInt64(bigEndian: digest.2),
            fourth: UInt64(bigEndian: digest.3)
        )
    }

    private static func add(_ bytes: RawSpan, to state: inout crypto_hash_sha256_state) {
        // Safe: libsodium reads the span's own bytes and keeps no pointer.
        unsafe bytes.withUnsafeBytes {
            let input = unsafe $0.bindMemory(to: UInt8.self)
            _ = unsafe crypto_hash_sha256_update(&state, input.baseAddress, UInt64(input.count))
        }
    }
}
