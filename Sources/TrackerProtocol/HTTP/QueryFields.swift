import Primitives

/// Walks the fields of a query (`a=b&c=d`), without a copy of any.
struct QueryFields: ~Escapable {
    private let query: RawSpan
    private var offset = 0

    /// - Parameter query: what stands behind the `?`.
    @_lifetime(copy query)
    init(_ query: RawSpan) { self.query = query }

    /// Name and value of the next field, as ranges of the query, still encoded; `nil` at the end.
    ///
    /// A field without `=` has an empty value.
    @_lifetime(self: copy self)
    mutating func next() -> (name: Range<Int>, value: Range<Int>)? {
        guard offset < query.byteCount else { return nil }
        let start = offset
        var equals: Int?
        while let byte = query.byte(at: offset), byte != UInt8(ascii: "&") {
            if byte == UInt8(ascii: "="), equals == nil { equals = offset }
            offset += 1
        }
        let end = offset
        offset += 1
        let nameEnd = equals ?? end
        return (start..<nameEnd, min(nameEnd + 1, end)..<end)
    }
}

extension RawSpan {
    /// The 20 bytes of a percent-encoded value; `nil` for any other number of them, and for a `%` that stands for no byte
    /// (T10).
    func percentDecoded160(_ range: Range<Int>) -> UInt160? {
        var high: UInt64 = 0
        var middle: UInt64 = 0
        var low: UInt32 = 0
        var count = 0
        var offset = range.lowerBound
        while offset < range.upperBound {
            guard count < UInt160.byteCount, let byte = percentDecodedByte(at: &offset, in: range) else { return nil }
            switch count {
            case 0..<8: high = high << 8 | UInt64(byte)
            case 8..<16: middle = middle << 8 | UInt64(byte)
            default: low = low << 8 | UInt32(byte)
            }
            count += 1
        }
        return count == UInt160.byteCount ? UInt160(high: high, middle: middle, low: low) : nil
    }

    /// The bytes of a percent-encoded value; `nil` where there are more than `limit`, or a `%` stands for none.
    func percentDecoded(_ range: Range<Int>, atMost limit: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            guard bytes.count < limit, let byte = percentDecodedByte(at: &offset, in: range) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private func percentDecodedByte(at offset: inout Int, in range: Range<Int>) -> UInt8? {
        guard let byte = byte(at: offset) else { return nil }
        guard byte == UInt8(ascii: "%") else {
            offset += 1
            return byte
        }
        guard offset + 2 < range.upperBound, let high = self.byte(at: offset + 1).flatMap(Hex.value(of:)),
            let low = self.byte(at: offset + 2).flatMap(Hex.value(of:))
        else { return nil }
        offset += 3
        return high << 4 | low
    }

    /// A number in decimal digits, with nothing else; too large ones become the largest. `nil` for what is no number.
    func decimal(_ range: Range<Int>) -> UInt64? {
        guard !range.isEmpty else { return nil }
        var number: UInt64 = 0
        for offset in range {
            guard let digit = byte(at: offset), 48...57 ~= digit else { return nil }
            let (product, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, carries) = product.addingReportingOverflow(UInt64(digit - 48))
            // The largest number stays: ten times itself does not fit either.
            number = isTooLarge || carries ? .max : sum
        }
        return number
    }
}
