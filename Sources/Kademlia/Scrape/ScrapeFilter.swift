import Cryptography
package import Primitives

/// A set of addresses that can be counted and united but not listed: the Bloom filter of BEP 33 (2048 bits, two a
/// member).
package struct ScrapeFilter: Hashable, Sendable {
    package static let byteCount = 256
    private static let bitCount = byteCount * 8

    /// Bit `n` of the filter is bit `n % 64` of word `n / 64`.
    private var words = [UInt64](repeating: 0, count: byteCount / 8)

    package init() {}

    /// Reads a filter as it goes over the wire; `nil` for any other length than 256 bytes.
    package init?(_ bytes: RawSpan) {
        guard bytes.byteCount == ScrapeFilter.byteCount else { return nil }
        for index in words.indices {
            guard let word = bytes.bigEndian(UInt64.self, at: index * 8) else { return nil }
            words[index] = word.byteSwapped
        }
    }

    package func write(to writer: inout ByteWriter) {
        for word in words { writer.bigEndian(word.byteSwapped) }
    }

    package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// Takes up an address; its port does not count.
    package mutating func insert(_ address: IPAddress) {
        for bit in ScrapeFilter.bits(of: address) { words[bit / 64] |= 1 << UInt64(bit % 64) }
    }

    /// Whether `address` was taken up, or others happened to set its bits.
    package func mayContain(_ address: IPAddress) -> Bool {
        ScrapeFilter.bits(of: address).allSatisfy { words[$0 / 64] & 1 << UInt64($0 % 64) != 0 }
    }

    package mutating func formUnion(_ other: ScrapeFilter) {
        for index in words.indices { words[index] |= other.words[index] }
    }

    package mutating func removeAll() {
        for index in words.indices { words[index] = 0 }
    }

    /// How many addresses were taken up, as the bits that are still zero tell: ln(c/m) / (k ln(1 - 1/m)).
    ///
    /// A full filter counts as one with a single zero left: some 7800, beyond which it cannot tell.
    package var estimate: Double {
        let zeros = words.reduce(0) { $0 + (~$1).nonzeroBitCount }
        let bits = Double(ScrapeFilter.bitCount)
        let share = Double(min(max(zeros, 1), ScrapeFilter.bitCount)) / bits
        return naturalLogarithm(share) / (2 * naturalLogarithm(1 - 1 / bits))
    }

    /// The two bits of an address: the first two numbers of its SHA-1, the low byte first.
    private static func bits(of address: IPAddress) -> [Int] {
        var writer = ByteWriter(capacity: 16)
        switch address {
        case .v4(let bits): writer.bigEndian(bits)
        case .v6(let high, let low):
            writer.bigEndian(high)
            writer.bigEndian(low)
        }
        let head = SHA1.hash(writer.bytes).value.high
        let numbers = [UInt16(truncatingIfNeeded: head >> 48), UInt16(truncatingIfNeeded: head >> 32)]
        return numbers.map { Int($0.byteSwapped) % bitCount }
    }
}

/// The natural logarithm of a positive finite number, by the series of the area hyperbolic tangent.
///
/// The standard library has none, and the C library is above this layer.
private func naturalLogarithm(_ number: Double) -> Double {
    // The significand lies in 1..<2, so `ratio` is below 1/3 and 20 terms are more than a Double holds.
    let ratio = (number.significand - 1) / (number.significand + 1)
    var power = ratio
    var sum = 0.0
    for term in 0..<20 {
        sum += power / Double(2 * term + 1)
        power *= ratio * ratio
    }
    let logarithmOfTwo = 0.693_147_180_559_945_3
    return Double(number.exponent) * logarithmOfTwo + 2 * sum
}
