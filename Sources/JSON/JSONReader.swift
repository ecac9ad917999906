/// Reads one JSON text, strictly: no comments, no trailing commas, no `NaN`, no name twice.
package struct JSONReader {
    private let bytes: [UInt8]
    private let limits: JSONLimits
    private var offset = 0
    private var valueCount = 0

    /// Reads all of `bytes` as one value.
    package static func read(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSONValue {
        var reader = JSONReader(bytes: bytes, limits: limits)
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.offset == bytes.count else { throw .trailing(at: reader.offset) }
        return value
    }

    private init(bytes: [UInt8], limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// Calls itself for values within values; `limits.depth` bounds how deep.
    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        skipSpace()
        valueCount += 1
        guard valueCount <= limits.values else { throw .tooMany(at: offset) }
        switch try peek() {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= limits.depth else { throw .tooDeep(at: offset) }
        offset += 1
        var members = JSONMembers()
        skipSpace()
        guard try peek() != UInt8(ascii: "}") else {
            offset += 1
            return .object(members)
        }
        while true {
            skipSpace()
            let start = offset
            guard try peek() == UInt8(ascii: "\"") else { throw .unexpected(at: offset) }
            let name = try string()
            skipSpace()
            guard try next() == UInt8(ascii: ":") else { throw .unexpected(at: offset - 1) }
            let value = try value(depth: depth)
            guard members.append(name, value) else { throw .duplicateName(at: start) }
            guard members.all.count <= limits.members else { throw .tooMany(at: start) }
            guard try isFollowed(before: UInt8(ascii: "}")) else { return .object(members) }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= limits.depth else { throw .tooDeep(at: offset) }
        offset += 1
        var values: [JSONValue] = []
        skipSpace()
        guard try peek() != UInt8(ascii: "]") else {
            offset += 1
            return .array(values)
        }
        while true {
            values.append(try value(depth: depth))
            guard try isFollowed(before: UInt8(ascii: "]")) else { return .array(values) }
        }
    }

    /// Reads a comma, or the end of an array or an object.
    private mutating func isFollowed(before end: UInt8) throws(JSONError) -> Bool {
        skipSpace()
        let byte = try next()
        guard byte == UInt8(ascii: ",") || byte == end else { throw .unexpected(at: offset - 1) }
        return byte != end
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        let start = offset
        offset += 1
        var text: [UInt8] = []
        while true {
            let byte = try next()
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw .badString(at: start) }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<32: throw .badString(at: offset - 1)
            default: text.append(byte)
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        switch try next() {
        case UInt8(ascii: "\""): text.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): text.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): text.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "u"): try unicodeEscape(into: &text)
        default: throw .badString(at: offset - 1)
        }
    }

    /// `\u0041`, or two of them for what lies beyond 16 bits (RFC 8259, 7).
    private mutating func unicodeEscape(into text: inout [UInt8]) throws(JSONError) {
        let start = offset
        var code = UInt32(try unit())
        if 0xd800..<0xdc00 ~= code {
            guard try next() == UInt8(ascii: "\\"), try next() == UInt8(ascii: "u") else { throw .badString(at: start) }
            let low = UInt32(try unit())
            guard 0xdc00..<0xe000 ~= low else { throw .badString(at: start) }
            code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(code), let encoded = UTF8.encode(scalar) else { throw .badString(at: start) }
        text += encoded
    }

    private mutating func unit() throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = JSONReader.hexValue(try next()) else { throw .badString(at: offset - 1) }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }

    // MARK: Numbers and words

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`
    private mutating func number() throws(JSONError) -> JSONValue {
        let start = offset
        skip { $0 == UInt8(ascii: "-") }
        let digits = skipDigits()
        let isLeadingZero = digits > 1 && bytes[offset - digits] == 48
        guard offset - digits - start <= 1, digits > 0, !isLeadingZero else {
            throw digits == 0 && offset == start ? .unexpected(at: start) : .badNumber(at: start)
        }
        var isWhole = true
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            offset += 1
            isWhole = false
            guard skipDigits() > 0 else { throw .badNumber(at: start) }
        }
        if offset < bytes.count, bytes[offset] | 32 == UInt8(ascii: "e") {
            offset += 1
            isWhole = false
            if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-") {
                offset += 1
            }
            guard skipDigits() > 0 else { throw .badNumber(at: start) }
        }
        // Longer ones say nothing more, and take long to convert.
        guard offset - start <= 64 else { throw .badNumber(at: start) }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isWhole, let integer = Int64(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else { throw .badNumber(at: start) }
        return .number(number)
    }

    private mutating func skipDigits() -> Int {
        let start = offset
        skip { 48...57 ~= $0 }
        return offset - start
    }

    private mutating func skip(while isSkipped: (UInt8) -> Bool) {
        while offset < bytes.count, isSkipped(bytes[offset]) { offset += 1 }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for byte in "\(word)".utf8 {
            guard try next() == byte else { throw .unexpected(at: offset - 1) }
        }
        return value
    }

    // MARK: Bytes

    private mutating func skipSpace() {
        skip { $0 == 32 || $0 == 9 || $0 == 10 || $0 == 13 }
    }

    private func peek() throws(JSONError) -> UInt8 {
        guard offset < bytes.count else { throw .unexpectedEnd }
        return bytes[offset]
    }

    private mutating func next() throws(JSONError) -> UInt8 {
        let byte = try peek()
        offset += 1
        return byte
    }
}
