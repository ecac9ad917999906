/// A fixed number of bits, bit 0 the most significant one of the first byte on the wire (BEP 3).
package struct Bitfield: Hashable, Sendable {
    package let count: Int
    private var words: [UInt64]
    /// How many bits are set; kept, because it is asked for on every progress report.
    package private(set) var setCount = 0

    package init(count: Int) {
        self.count = count
        words = [UInt64](repeating: 0, count: (count + 63) / 64)
    }

    package init(filled count: Int) {
        self.init(count: count)
        for index in words.indices { words[index] = .max }
        if !count.isMultiple(of: 64) { words[words.count - 1] = .max << UInt64(64 - count % 64) }
        setCount = count
    }

    /// Reads a bitfield message: exactly `ceil(count / 8)` bytes with the spare bits zero, else `nil` (hardening B2).
    package init?(_ bytes: RawSpan, count: Int) {
        guard bytes.byteCount == (count + 7) / 8 else { return nil }
        self.init(count: count)
        for index in 0..<bytes.byteCount {
            words[index / 8] |= UInt64(bytes.byte(at: index) ?? 0) << UInt64(56 - 8 * (index % 8))
        }
        if !count.isMultiple(of: 64), let last = words.last, last << UInt64(count % 64) != 0 { return nil }
        setCount = words.reduce(0) { $0 + $1.nonzeroBitCount }
    }

    package var byteCount: Int { (count + 7) / 8 }
    package var isEmpty: Bool { setCount == 0 }
    package var isFull: Bool { setCount == count }

    /// Reading outside the range is `false`, writing there does nothing: an index may come from a remote.
    package subscript(index: Int) -> Bool {
        get {
            guard index >= 0, index < count else { return false }
            return words[index >> 6] & (1 << UInt64(63 - index & 63)) != 0
        }
        set {
            guard index >= 0, index < count else { return }
            let mask: UInt64 = 1 << UInt64(63 - index & 63)
            guard (words[index >> 6] & mask != 0) != newValue else { return }
            words[index >> 6] ^= mask
            setCount += newValue ? 1 : -1
        }
    }

    package var bytes: [UInt8] {
        (0..<byteCount).map { UInt8(truncatingIfNeeded: words[$0 / 8] >> UInt64(56 - 8 * ($0 % 8))) }
    }

    /// The set bits in ascending order.
    package var indices: [Int] {
        var indices: [Int] = []
        indices.reserveCapacity(setCount)
        for (position, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                let bit = rest.leadingZeroBitCount
                indices.append(position * 64 + bit)
                rest &= ~(1 << UInt64(63 - bit))
            }
        }
        return indices
    }

    /// Whether any bit is set here and not in `other` (of the same count).
    package func hasAny(notIn other: Bitfield) -> Bool {
        for index in words.indices where index < other.words.count && words[index] & ~other.words[index] != 0 {
            return true
        }
        return false
    }

    /// The first bit at or after `start` that is set here and in `other` (of the same count).
    package func firstIndex(from start: Int, alsoIn other: Bitfield) -> Int? {
        guard start >= 0, start < count, other.count == count else { return nil }
        var position = start >> 6
        var word = words[position] & other.words[position] & (.max >> UInt64(start & 63))
        while word == 0 {
            position += 1
            guard position < words.count else { return nil }
            word = words[position] & other.words[position]
        }
        return position * 64 + word.leadingZeroBitCount
    }

    /// The first bit at or after `start` that is set, or that is not.
    package func firstIndex(of isSet: Bool, from start: Int) -> Int? {
        guard start >= 0, start < count else { return nil }
        let flip: UInt64 = isSet ? 0 : .max
        var position = start >> 6
        var word = (words[position] ^ flip) & (.max >> UInt64(start & 63))
        while word == 0 {
            position += 1
            guard position < words.count else { return nil }
            word = words[position] ^ flip
        }
        let index = position * 64 + word.leadingZeroBitCount
        // Behind the last bit of the last word stand zeros.
        return index < count ? index : nil
    }

    /// How many bits are set in a part of it.
    package func setCount(in range: Range<Int>) -> Int {
        let range = range.clamped(to: 0..<count)
        guard let last = range.last else { return 0 }
        let (first, end) = (range.lowerBound >> 6, last >> 6)
        var sum = 0
        for position in first...end {
            var word = words[position]
            if position == first { word &= .max >> UInt64(range.lowerBound & 63) }
            if position == end { word &= .max << UInt64(63 - last & 63) }
            sum += word.nonzeroBitCount
        }
        return sum
    }

    /// How many bits are set here and in `other` (of the same count).
    package func commonCount(with other: Bitfield) -> Int {
        guard other.count == count else { return 0 }
        var sum = 0
        for index in words.indices { sum += (words[index] & other.words[index]).nonzeroBitCount }
        return sum
    }

    /// Clears every bit that is set in `other` (of the same count).
    package mutating func subtract(_ other: Bitfield) {
        guard other.count == count else { return }
        for index in words.indices { words[index] &= ~other.words[index] }
        setCount = words.reduce(0) { $0 + $1.nonzeroBitCount }
    }
}
