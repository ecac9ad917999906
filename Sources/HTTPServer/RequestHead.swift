import Primitives

/// The head of a request, read and checked before libmicrohttpd sees a byte of it (RFC 9112, sections 2 to 6).
///
/// What libmicrohttpd does not like it answers with a page of HTML; so it is given only what it likes.
struct RequestHead: Hashable {
    /// `nil` for one that is not served.
    var method: HTTPMethod?
    var target: [UInt8] = []
    /// Bytes of all header lines.
    var headerBytes = 0
    var headerCount = 0
    /// What `Content-Length` says.
    var bodyBytes: Int?
    /// A body of unknown length (`Transfer-Encoding`).
    var isChunked = false
    /// The values of `X-Forwarded-For`, with a comma between each two.
    var forwardedFor: [UInt8] = []

    var hasBody: Bool { isChunked || (bodyBytes ?? 0) > 0 }

    /// - Parameter bytes: from the first of the request line to the last of the empty line.
    init(_ bytes: RawSpan) throws(HTTPFault) {
        var lines = HeadLines(bytes)
        guard let first = try lines.next() else { throw .badRequest }
        try readRequestLine(first, of: bytes)
        let start = lines.offset
        while let line = try lines.next() {
            headerCount += 1
            headerBytes = lines.offset - start
            try readHeader(line, of: bytes)
        }
    }

    private mutating func readRequestLine(_ line: Range<Int>, of bytes: RawSpan) throws(HTTPFault) {
        let space = UInt8(ascii: " ")
        guard let first = bytes.first(space, in: line),
            let second = bytes.first(space, in: first + 1..<line.upperBound),
            first > line.lowerBound, second > first + 1
        else { throw .badRequest }
        let version = second + 1..<line.upperBound
        guard bytes.matches(version, "HTTP/1.1") || bytes.matches(version, "HTTP/1.0") else { throw .badRequest }
        for offset in line where bytes.byte(at: offset) == 127 { throw .badRequest }
        method = HTTPMethod.allCases.first { bytes.matches(line.lowerBound..<first, $0.word) }
        target = bytes.copy(first + 1..<second) ?? []
    }

    private mutating func readHeader(_ line: Range<Int>, of bytes: RawSpan) throws(HTTPFault) {
        // A line that goes on with the one before it begins with a space: obsolete, and different to every reader.
        guard let colon = bytes.first(UInt8(ascii: ":"), in: line), colon > line.lowerBound else { throw .badRequest }
        for offset in line.lowerBound..<colon {
            guard let byte = bytes.byte(at: offset), RequestHead.isTokenByte(byte) else { throw .badRequest }
        }
        let name = line.lowerBound..<colon
        if bytes.matchesAnyCase(name, "content-length") {
            // Two of them, and readers differ on where the body ends.
            guard bodyBytes == nil, let length = RequestHead.number(bytes, in: colon + 1..<line.upperBound) else {
                throw .badRequest
            }
            bodyBytes = length
        } else if bytes.matchesAnyCase(name, "transfer-encoding") {
            isChunked = true
        } else if bytes.matchesAnyCase(name, "x-forwarded-for") {
            if !forwardedFor.isEmpty { forwardedFor.append(UInt8(ascii: ",")) }
            forwardedFor += bytes.copy(colon + 1..<line.upperBound) ?? []
        }
    }

    /// RFC 9110, 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// A number with spaces around it; one that is too large becomes the largest.
    private static func number(_ bytes: RawSpan, in range: Range<Int>) -> Int? {
        var number: Int?
        var isOver = false
        for offset in range {
            guard let byte = bytes.byte(at: offset) else { return nil }
            if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
                if number != nil { isOver = true }
                continue
            }
            guard 48...57 ~= byte, !isOver else { return nil }
            let (product, isTooLarge) = (number ?? 0).multipliedReportingOverflow(by: 10)
            let (sum, carries) = product.addingReportingOverflow(Int(byte) - 48)
            number = isTooLarge || carries ? .max : sum
        }
        return number
    }
}

/// The lines of a head, which end with CR and LF, up to the empty one.
private struct HeadLines: ~Escapable {
    private let bytes: RawSpan
    private(set) var offset = 0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) {
        self.bytes = bytes
    }

    /// - Returns: `nil` at the empty line.
    /// - Throws: for a control character, a CR or LF alone among them.
    mutating func next() throws(HTTPFault) -> Range<Int>? {
        let start = offset
        while let byte = bytes.byte(at: offset) {
            if byte == 13 {
                guard bytes.byte(at: offset + 1) == 10 else { throw .badRequest }
                offset += 2
                return offset == start + 2 ? nil : start..<offset - 2
            }
            guard byte >= 32 || byte == 9 else { throw .badRequest }
            offset += 1
        }
        throw .badRequest
    }
}

extension RawSpan {
    fileprivate func first(_ wanted: UInt8, in range: Range<Int>) -> Int? {
        for offset in range where byte(at: offset) == wanted { return offset }
        return nil
    }

    /// - Parameter text: in lower case.
    fileprivate func matchesAnyCase(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        var isEqual = true
        text.withUTF8Buffer { expected in
            for (offset, wanted) in zip(range, expected) {
                guard let byte = byte(at: offset), (65...90 ~= byte ? byte | 32 : byte) == wanted else {
                    isEqual = false
                    return
                }
            }
        }
        return isEqual
    }
}
