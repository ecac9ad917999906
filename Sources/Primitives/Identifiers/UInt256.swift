/// A 256-bit number kept as machine words, most significant first: keys and digests that are compared and hashed often.
package struct UInt256: Hashable, Sendable {
    package let first: UInt64
    package let second: UInt64
    package let third: UInt64
    package let fourth: UInt64

    package static let byteCount = 32

    package init(first: UInt64, second: UInt64, third: UInt64, fourth: UInt64) {
        self.first = first
        self.second = second
        self.third = third
        self.fourth = fourth
    }

    /// Reads 32 bytes in network order, or `nil` where fewer are left.
    package init?(_ bytes: RawSpan, at offset: Int = 0) {
        guard let first = bytes.bigEndian(UInt64.self, at: offset),
            let second = bytes.bigEndian(UInt64.self, at: offset &+ 8),
            let third = bytes.bigEndian(UInt64.self, at: offset &+ 16),
            let fourth = bytes.bigEndian(UInt64.self, at: offset &+ 24)
        else { return nil }
        self.init(first: first, second: second, third: third, fourth: fourth)
    }

    package func write(to writer: inout ByteWriter) {
        writer.bigEndian(first)
        writer.bigEndian(second)
        writer.bigEndian(third)
        writer.bigEndian(fourth)
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter(capacity: UInt256.byteCount)
        write(to: &writer)
        return writer.bytes
    }
}
