import Primitives

/// CRC-32C (Castagnoli's polynomial; RFC 3720, appendix B.4): a checksum, not a defence.
///
/// BEP 42 derives node identifiers with it, from 4 or 8 bytes: too few for more than one table to pay.
package enum CRC32C {
    /// The polynomial 1EDC6F41, bit-reversed.
    private static let polynomial: UInt32 = 0x82f6_3b78

    /// What eight steps of division make of each byte.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { rest, _ in rest >> 1 ^ (rest & 1 == 0 ? 0 : polynomial) }
    }

    package static func hash(_ bytes: RawSpan) -> UInt32 {
        var rest = UInt32.max
        for index in 0..<bytes.byteCount { add(bytes.byte(at: index) ?? 0, to: &rest) }
        return ~rest
    }

    /// The checksum of the four bytes of a number in network order.
    package static func hash(_ number: UInt32) -> UInt32 { hash(UInt64(number), byteCount: 4) }

    /// The checksum of the eight bytes of a number in network order.
    package static func hash(_ number: UInt64) -> UInt32 { hash(number, byteCount: 8) }

    private static func hash(_ number: UInt64, byteCount: UInt64) -> UInt32 {
        var rest = UInt32.max
        var shift = byteCount * 8
        while shift > 0 {
            shift -= 8
            add(UInt8(truncatingIfNeeded: number >> shift), to: &rest)
        }
        return ~rest
    }

    private static func add(_ byte: UInt8, to rest: inout UInt32) {
        rest = rest >> 8 ^ table[Int(UInt8(truncatingIfNeeded: rest) ^ byte)]
    }
}
