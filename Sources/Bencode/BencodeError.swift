/// Why a value is not bencode that we accept, and where.
package struct BencodeError: Error, Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// The input ends inside a value.
        case truncated
        case unexpectedByte(UInt8)
        /// Not `-?(0|[1-9][0-9]*)`.
        case malformedInteger
        case integerOutOfRange
        /// More than ten digits, a leading zero, or no colon.
        case malformedStringLength
        case stringPastEnd(length: Int)
        case deeperThan(Int)
        case moreTokensThan(Int)
        case moreBytesThan(Int)
        case keyIsNotAString
        case keyWithoutValue
        case keyOutOfOrder
        case trailingBytes
        /// Well formed, but not what stands at this place in the format that is read.
        case expected(BencodeKind)
    }

    package var kind: Kind
    /// Bytes from the start of the input.
    package var offset: Int

    package init(_ kind: Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
    }
}

/// What a bencoded value is.
package enum BencodeKind: String, Hashable, Sendable {
    case integer
    case string
    case list
    case dictionary
}

extension BencodeError: CustomStringConvertible {
    package var description: String { "\(reason) at offset \(offset)" }

    private var reason: String {
        switch kind {
        case .truncated: "unexpected end of input"
        case .unexpectedByte(let byte): "unexpected byte 0x\(byte < 16 ? "0" : "")\(String(byte, radix: 16))"
        case .malformedInteger: "malformed integer"
        case .integerOutOfRange: "integer does not fit 64 bits"
        case .malformedStringLength: "malformed string length"
        case .stringPastEnd(let length): "string of \(length) bytes ends past the input"
        case .deeperThan(let depth): "nesting deeper than \(depth)"
        case .moreTokensThan(let tokens): "more than \(tokens) values"
        case .moreBytesThan(let count): "input longer than \(count) bytes"
        case .keyIsNotAString: "dictionary key is not a string"
        case .keyWithoutValue: "dictionary key without a value"
        case .keyOutOfOrder: "dictionary key out of order or repeated"
        case .trailingBytes: "bytes after the end of the value"
        case .expected(let kind): "expected \(kind == .integer ? "an" : "a") \(kind.rawValue)"
        }
    }
}
