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
        var digest: UInt64 = 0
        // Safe: crypto_shorthash writes 8 bytes, reads `bytes.count` and a key of 16.
        unsafe withUnsafeMutableBytes(of: &digest) {
            guard let output = unsafe $0.bindMemory(to: UInt8.self).baseAddress else { return }
            _ = unsafe crypto_shorthash(output, bytes, UInt64(bytes.count), key)
        }
        return UInt64(bigEndian: digest)
    }
}
