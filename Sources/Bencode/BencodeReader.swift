import Primitives

/// Reads one bencoded value (BEP 3) token by token, in place: no copies, no tree, no recursion.
///
///     var reader = BencodeReader(datagram, limits: .krpc)
///     try reader.beginDictionary()
///     while let key = try reader.nextKey() {
///         if reader.matches(key, "t") {
///             transaction = try reader.string()
///         } else {
///             try reader.skipValue()
///         }
///     }
///     try reader.finish()
///
/// Strings are ranges into the input. After an error the reader is spent: only `orderFaults` still has a meaning.
package struct BencodeReader: ~Escapable {
    package enum Token: Hashable, Sendable {
        case integer(Int64)
        /// Where the string's bytes are; a dictionary key is a string too.
        case string(Range<Int>)
        case list
        case dictionary
        /// The end of the innermost list or dictionary.
        case end
    }

    /// A list or dictionary that is being read.
    private struct Frame: BitwiseCopyable {
        enum Position: UInt8, BitwiseCopyable { case element, firstKey, key, value }

        var position = Position.element
        /// The key before the one that comes, to tell whether keys ascend.
        var keyStart: UInt32 = 0
        var keyEnd: UInt32 = 0
    }

    /// The whole input.
    package let bytes: RawSpan
    /// Where the next token begins; after a complete value, where that value ended.
    package private(set) var offset = 0
    /// Keys that did not follow the one before them: a fault of the sender's, not fatal unless the limits say so.
    package private(set) var orderFaults = 0
    /// How many lists and dictionaries are open.
    package private(set) var depth = 0

    private let limits: BencodeLimits
    private var tokens = 0
    /// The innermost list or dictionary, kept apart because reaching into the array costs more than a whole token.
    private var innermost = Frame()
    /// Those around it.
    private var outer: InlineArray<32, Frame> = .init(repeating: Frame())

    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan, limits: BencodeLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// Reads the next token of the value.
    ///
    /// Reading goes on behind a complete value; call `finish()` where nothing may follow it.
    package mutating func next() throws(BencodeError) -> Token {
        let start = offset
        guard bytes.byteCount <= limits.byteCount else {
            throw BencodeError(.moreBytesThan(limits.byteCount), at: limits.byteCount)
        }
        guard let first = bytes.byte(at: start) else { throw BencodeError(.truncated, at: start) }
        if first == UInt8(ascii: "e") { return try closed(at: start) }
        tokens &+= 1
        guard tokens <= limits.tokens else { throw BencodeError(.moreTokensThan(limits.tokens), at: start) }
        if isAtKey {
            return .string(try key(first, at: start))
        }
        let token: Token
        switch first {
        case UInt8(ascii: "i"): token = .integer(try integer(at: start))
        case UInt8(ascii: "0")...UInt8(ascii: "9"): token = .string(try string(at: start))
        case UInt8(ascii: "l"): token = .list
        case UInt8(ascii: "d"): token = .dictionary
        default: throw BencodeError(.unexpectedByte(first), at: start)
        }
        if innermost.position == .value { innermost.position = .key }
        if token == .list || token == .dictionary { try open(token, at: start) }
        return token
    }

    /// What the next value is, without reading it; `nil` at an end or at something that is not bencode.
    package var nextKind: BencodeKind? {
        guard let byte = bytes.byte(at: offset) else { return nil }
        return switch byte {
        case UInt8(ascii: "i"): .integer
        case UInt8(ascii: "0")...UInt8(ascii: "9"): .string
        case UInt8(ascii: "l"): .list
        case UInt8(ascii: "d"): .dictionary
        default: nil
        }
    }

    /// What follows a complete value: the payload of a `ut_metadata` message (BEP 9).
    package var rest: Range<Int> { offset..<max(offset, bytes.byteCount) }

    /// Insists that a complete value was read and that nothing follows it (hardening P5).
    package func finish() throws(BencodeError) {
        guard depth == 0, offset > 0 else { throw BencodeError(.truncated, at: offset) }
        guard offset == bytes.byteCount else { throw BencodeError(.trailingBytes, at: offset) }
    }

    /// Whether the next token is a key of the innermost dictionary, or its end.
    var isAtKey: Bool { innermost.position == .key || innermost.position == .firstKey }

    private mutating func open(_ token: Token, at start: Int) throws(BencodeError) {
        guard depth < limits.depth, depth < BencodeLimits.deepest else {
            throw BencodeError(.deeperThan(limits.depth), at: start)
        }
        outer[depth] = innermost
        innermost = Frame(position: token == .list ? .element : .firstKey)
        depth += 1
        offset = start &+ 1
    }

    private mutating func closed(at start: Int) throws(BencodeError) -> Token {
        guard depth > 0 else { throw BencodeError(.unexpectedByte(UInt8(ascii: "e")), at: start) }
        guard innermost.position != .value else { throw BencodeError(.keyWithoutValue, at: start) }
        depth -= 1
        innermost = outer[depth]
        offset = start &+ 1
        return .end
    }

    private mutating func key(_ first: UInt8, at start: Int) throws(BencodeError) -> Range<Int> {
        guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= first else { throw BencodeError(.keyIsNotAString, at: start) }
        let key = try string(at: start)
        if innermost.position == .key, !isAscending(Int(innermost.keyStart)..<Int(innermost.keyEnd), key) {
            if limits.isStrict { throw BencodeError(.keyOutOfOrder, at: start) }
            orderFaults &+= 1
        }
        // No input is longer than 4 GiB: the limits see to that before every token.
        innermost = Frame(
            position: .value,
            keyStart: UInt32(truncatingIfNeeded: key.lowerBound),
            keyEnd: UInt32(truncatingIfNeeded: key.upperBound)
        )
        return key
    }

    /// Whether the bytes in `left` sort before those in `right`, as raw bytes (BEP 3).
    private func isAscending(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
        for index in 0..<min(left.count, right.count) {
            let first = bytes.byte(at: left.lowerBound &+ index) ?? 0
            let second = bytes.byte(at: right.lowerBound &+ index) ?? 0
            if first != second { return first < second }
        }
        return left.count < right.count
    }
}

// MARK: - Scalars

extension BencodeReader {
    /// Reads `i…e`, which may have no leading zero and no `-0`, and fits 64 bits (hardening P2).
    private mutating func integer(at start: Int) throws(BencodeError) -> Int64 {
        var index = start &+ 1
        let isNegative = bytes.byte(at: index) == UInt8(ascii: "-")
        if isNegative { index &+= 1 }
        let firstDigit = index
        var magnitude: UInt64 = 0
        while let byte = bytes.byte(at: index), UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte &- UInt8(ascii: "0")))
            if overflow || carry { throw BencodeError(.integerOutOfRange, at: start) }
            magnitude = sum
            index &+= 1
        }
        guard let terminator = bytes.byte(at: index) else { throw BencodeError(.truncated, at: bytes.byteCount) }
        let hasLeadingZero = index &- firstDigit > 1 && bytes.byte(at: firstDigit) == UInt8(ascii: "0")
        guard terminator == UInt8(ascii: "e"), index > firstDigit, !hasLeadingZero, !(isNegative && magnitude == 0)
        else { throw BencodeError(.malformedInteger, at: start) }
        guard magnitude <= (isNegative ? 1 << 63 : UInt64(Int64.max)) else {
            throw BencodeError(.integerOutOfRange, at: start)
        }
        offset = index &+ 1
        return Int64(bitPattern: isNegative ? 0 &- magnitude : magnitude)
    }

    /// Reads `<length>:<bytes>`; the length is compared with what is left before anything else (hardening P3).
    private mutating func string(at start: Int) throws(BencodeError) -> Range<Int> {
        var index = start
        var length = 0
        while let byte = bytes.byte(at: index), UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte {
            // Ten digits cannot overflow 64 bits.
            guard index &- start < 10 else { throw BencodeError(.malformedStringLength, at: start) }
            length = length &* 10 &+ Int(byte &- UInt8(ascii: "0"))
            index &+= 1
        }
        guard let colon = bytes.byte(at: index) else { throw BencodeError(.truncated, at: bytes.byteCount) }
        let hasLeadingZero = index &- start > 1 && bytes.byte(at: start) == UInt8(ascii: "0")
        guard colon == UInt8(ascii: ":"), index > start, !hasLeadingZero else {
            throw BencodeError(.malformedStringLength, at: start)
        }
        let first = index &+ 1
        guard length <= bytes.byteCount &- first else {
            throw BencodeError(.stringPastEnd(length: length), at: start)
        }
        offset = first &+ length
        return first..<offset
    }
}
