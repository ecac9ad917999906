import CLibcrypto
package import Primitives

/// SHA-1 (RFC 3174), by libcrypto, which uses the processor's own instructions for it.
///
/// BitTorrent v1 names and checks everything with it; where an author wants to collide with themselves they can.
package struct SHA1: ~Copyable {
    /// Fetched once: a fetch for each digest costs more than hashing a block.
    // Safe: an EVP_MD is immutable after it was fetched, and is never freed.
    private nonisolated(unsafe) static let algorithm = unsafe EVP_MD_fetch(nil, "SHA1", nil)

    private let context: OpaquePointer?

    package init() {
        unsafe context = EVP_MD_CTX_new()
        unsafe EVP_DigestInit_ex2(context, SHA1.algorithm, nil)
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    package mutating func update(_ bytes: RawSpan) {
        // Safe: libcrypto reads the span's own bytes and keeps no pointer.
        unsafe bytes.withUnsafeBytes { _ = unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    }

    /// The digest of what was added since the last call; starts afresh.
    package mutating func finish() -> SHA1Digest {
        var digest: (UInt64, UInt64, UInt32) = (0, 0, 0)
        // Safe: SHA-1 writes 20 bytes, and the tuple has 24.
        unsafe withUnsafeMutableBytes(of: &digest) {
            _ = unsafe EVP_DigestFinal_ex(context, $0.bindMemory(to: UInt8.self).baseAddress, nil)
        }
        unsafe EVP_DigestInit_ex2(context, SHA1.algorithm, nil)
        return SHA1Digest(
            UInt160(
                high: UInt64(bigEndian: digest.0),
                middle: UInt64(bigEndian: digest.1),
                low: UInt32(bigEndian: digest.2)
            )
        )
    }

    package static func hash(_ bytes: RawSpan) -> SHA1Digest {
        var sha1 = SHA1()
        sha1.update(bytes)
        return sha1.finish()
    }

    package static func hash(_ bytes: [UInt8]) -> SHA1Digest { hash(bytes.span.bytes) }
}
