import CSodium
import Primitives

/// SipHash-2-4 (Aumasson and Bernstein, 2012), by libsodium: a keyed hash for short inputs that nobody can predict without the key.
package struct SipHash: Sendable {
    /// 16 secret bytes.
    private let key: [UInt8]

    package init(using generator: inout some RandomNumberGenerator) {
        var writer = ByteWriter(capacity: 16)
        writer.bigEndian(generator.next())
        writer.bigEndian(generator.next())
        key = writer.bytes
    }

    package func hash(_ bytes: [UInt8]) -> UInt64 {
        var digest = [UInt8](repeating: 0, count: 8)
        // Safe: crypto_shorthash writes 8 bytes, reads `bytes.count` and a key of 16.
        _ = unsafe crypto_shorthash(&digest, bytes, UInt64(bytes.count), key)
        return digest.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
