package import Primitives

/// Reading values by the type that a format asks for.
extension BencodeReader {
    /// Reads the start of a dictionary.
    package mutating func beginDictionary() throws(BencodeError) {
        try insist(on: .dictionary)
        _ = try next()
    }

    /// Reads the start of a list.
    package mutating func beginList() throws(BencodeError) {
        try insist(on: .list)
        _ = try next()
    }

    /// Where the next key of the innermost dictionary is, or `nil` after reading its end.
    package mutating func nextKey() throws(BencodeError) -> Range<Int>? {
        assert(isAtKey, "the value of the key before was not read")
        if case .string(let key) = try next() { return key }
        return nil
    }

    /// Whether the innermost list has another element; reads its end where it has none.
    package mutating func hasElement() throws(BencodeError) -> Bool {
        guard bytes.byte(at: offset) == UInt8(ascii: "e") else { return true }
        _ = try next()
        return false
    }

    /// Reads an integer, and insists that it is one.
    package mutating func integer() throws(BencodeError) -> Int64 {
        try insist(on: .integer)
        guard case .integer(let value) = try next() else { return 0 }
        return value
    }

    /// Reads where a string's bytes are, and insists that it is a string.
    package mutating func string() throws(BencodeError) -> Range<Int> {
        try insist(on: .string)
        guard case .string(let range) = try next() else { return offset..<offset }
        return range
    }

    /// Reads an integer, or passes over a value of another type: for fields that we can do without.
    package mutating func optionalInteger() throws(BencodeError) -> Int64? {
        if nextKind == .integer { return try integer() }
        try skipValue()
        return nil
    }

    /// Reads where a string's bytes are, or passes over a value of another type.
    package mutating func optionalString() throws(BencodeError) -> Range<Int>? {
        if nextKind == .string { return try string() }
        try skipValue()
        return nil
    }

    /// Whether a dictionary begins here, which it then does; a value of another type is passed over.
    package mutating func beginOptionalDictionary() throws(BencodeError) -> Bool {
        if nextKind == .dictionary {
            try beginDictionary()
            return true
        }
        try skipValue()
        return false
    }

    /// Whether a list begins here, which it then does; a value of another type is passed over.
    package mutating func beginOptionalList() throws(BencodeError) -> Bool {
        if nextKind == .list {
            try beginList()
            return true
        }
        try skipValue()
        return false
    }

    /// Passes over a value, however deep, and returns where it is.
    @discardableResult
    package mutating func skipValue() throws(BencodeError) -> Range<Int> {
        let start = offset
        let outside = depth
        guard bytes.byte(at: start) != UInt8(ascii: "e") else {
            throw BencodeError(.unexpectedByte(UInt8(ascii: "e")), at: start)
        }
        repeat { _ = try next() } while depth > outside
        return start..<offset
    }

    private func insist(on kind: BencodeKind) throws(BencodeError) {
        guard nextKind != kind else { return }
        if bytes.byte(at: offset) == nil { throw BencodeError(.truncated, at: offset) }
        throw BencodeError(.expected(kind), at: offset)
    }
}

/// Looking at strings: by bytes, because Swift's `==` takes different bytes for equal (hardening P4).
extension BencodeReader {
    /// Whether the bytes in `range` are exactly `text`.
    package func matches(_ range: Range<Int>, _ text: StaticString) -> Bool {
        bytes.matches(range, text)
    }

    /// The bytes in `range`, in place; empty where the range does not come from this reader.
    @_lifetime(copy self)
    package func slice(_ range: Range<Int>) -> RawSpan {
        let isInside = range.lowerBound >= 0 && range.upperBound <= bytes.byteCount
        return bytes.extracting(isInside ? range : 0..<0)
    }

    /// A copy of the bytes in `range`.
    package func copy(_ range: Range<Int>) -> [UInt8] { bytes.copy(range) ?? [] }

    /// The bytes in `range` as text, with invalid UTF-8 replaced.
    package func text(_ range: Range<Int>) -> String { String(decoding: copy(range), as: UTF8.self) }

    /// The 20-byte name in `range`, or `nil` for any other length.
    package func identifier<ID: Identifier>(_ type: ID.Type, _ range: Range<Int>) -> ID? {
        guard range.count == UInt160.byteCount else { return nil }
        return ID(bytes, at: range.lowerBound)
    }
}
