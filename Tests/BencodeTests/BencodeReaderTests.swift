import Bencode
import Primitives
import Testing

/// All tokens of `text`, or the first error.
func tokens(_ text: String, limits: BencodeLimits = .torrent) throws(BencodeError) -> [BencodeReader.Token] {
    let bytes = Array(text.utf8)
    var reader = BencodeReader(bytes.span.bytes, limits: limits)
    var tokens: [BencodeReader.Token] = []
    repeat { tokens.append(try reader.next()) } while reader.depth > 0
    try reader.finish()
    return tokens
}

/// The error that reading `text` ends with, or `nil`.
func failure(_ text: String, limits: BencodeLimits = .torrent) -> BencodeError? {
    do throws(BencodeError) {
        _ = try tokens(text, limits: limits)
        return nil
    } catch {
        return error
    }
}

@Suite("BencodeReader")
struct BencodeReaderTests {
    @Test("reads every kind of token and where strings are")
    func readsTokens() throws {
        #expect(
            try tokens("d1:ali-7e0:e1:bd1:xi0eee") == [
                .dictionary, .string(3..<4), .list, .integer(-7), .string(11..<11), .end, .string(14..<15),
                .dictionary, .string(18..<19), .integer(0), .end, .end,
            ]
        )
    }

    @Test(
        "reads integers up to the ends of 64 bits",
        arguments: [("i0e", 0), ("i-1e", -1), ("i42e", 42), ("i9223372036854775807e", .max)] as [(String, Int64)]
            + [("i-9223372036854775808e", .min)]
    )
    func readsIntegers(text: String, value: Int64) throws {
        #expect(try tokens(text) == [.integer(value)])
    }

    @Test(
        "refuses integers that are not written the one right way (P2)",
        arguments: [
            ("i-0e", .malformedInteger), ("i03e", .malformedInteger), ("i-03e", .malformedInteger),
            ("ie", .malformedInteger), ("i-e", .malformedInteger), ("i+1e", .malformedInteger),
            ("i 1e", .malformedInteger), ("i1.0e", .malformedInteger), ("i00e", .malformedInteger),
            ("i99999999999999999999e", .integerOutOfRange), ("i9223372036854775808e", .integerOutOfRange),
            ("i-9223372036854775809e", .integerOutOfRange), ("i18446744073709551616e", .integerOutOfRange),
        ] as [(String, BencodeError.Kind)]
    )
    func refusesIntegers(text: String, kind: BencodeError.Kind) {
        #expect(failure(text) == BencodeError(kind, at: 0))
    }

    @Test(
        "refuses string lengths that lie or are written otherwise (P3)",
        arguments: [
            ("9999999999:x", .stringPastEnd(length: 9_999_999_999)), ("2:x", .stringPastEnd(length: 2)),
            ("03:abc", .malformedStringLength), ("00:", .malformedStringLength), ("3abc", .malformedStringLength),
            ("00000000001:x", .malformedStringLength), ("99999999999:x", .malformedStringLength),
        ] as [(String, BencodeError.Kind)]
    )
    func refusesLengths(text: String, kind: BencodeError.Kind) {
        #expect(failure(text) == BencodeError(kind, at: 0))
    }

    @Test("says where a fault is, inside a list and a dictionary")
    func tellsOffset() {
        #expect(failure("li1ei-0ee") == BencodeError(.malformedInteger, at: 4))
        #expect(failure("d1:a9:xe") == BencodeError(.stringPastEnd(length: 9), at: 4))
        #expect(failure("lx") == BencodeError(.unexpectedByte(0x78), at: 1))
    }

    @Test(
        "refuses malformed structure",
        arguments: [
            ("", .truncated, 0), ("e", .unexpectedByte(0x65), 0), ("di1e1:ae", .keyIsNotAString, 1),
            ("d1:ae", .keyWithoutValue, 4), ("dle1:ae", .keyIsNotAString, 1), ("i1ei2e", .trailingBytes, 3),
            ("-", .unexpectedByte(0x2d), 0), ("\u{0}", .unexpectedByte(0), 0),
        ] as [(String, BencodeError.Kind, Int)]
    )
    func refusesStructure(text: String, kind: BencodeError.Kind, offset: Int) {
        #expect(failure(text) == BencodeError(kind, at: offset))
    }

    @Test("refuses every truncation of a value", arguments: 0..<27)
    func refusesTruncation(length: Int) {
        let whole = "d1:ali-7e3:abce1:bd1:xi0eee"
        #expect(failure(whole) == nil)
        #expect(failure(String(whole.prefix(length))) != nil)
    }

    @Test("stops at the 33rd nested list or dictionary, however many follow (P1, N4)")
    func limitsDepth() {
        let lists = String(repeating: "l", count: 32) + String(repeating: "e", count: 32)
        #expect(failure(lists) == nil)
        #expect(failure("l" + lists + "e") == BencodeError(.deeperThan(32), at: 32))
        let bomb = failure(String(repeating: "d1:a", count: 100_000))
        #expect(bomb?.description == "nesting deeper than 32 at offset 128")
        #expect(failure(String(repeating: "l", count: 11), limits: .krpc) == BencodeError(.deeperThan(10), at: 10))
    }

    @Test("stops at the 501st value of a packet (P1)")
    func limitsTokens() {
        #expect(failure("l" + String(repeating: "0:", count: 499) + "e", limits: .krpc) == nil)
        let tooMany = failure("l" + String(repeating: "0:", count: 500) + "e", limits: .krpc)
        #expect(tooMany == BencodeError(.moreTokensThan(500), at: 999))
    }

    @Test("has the limits of each kind of input (P1)")
    func limits() {
        let kinds: [BencodeLimits] = [.torrent, .info, .krpc, .extensionMessage]
        #expect(kinds.map(\.depth) == [32, 32, 10, 10])
        #expect(kinds.map(\.tokens) == [2_000_000, 2_000_000, 500, 1000])
        #expect(kinds.map(\.isStrict) == [false, false, false, false])
    }

    @Test("refuses input longer than its kind may be, before reading it")
    func limitsLength() {
        let text = "2045:" + String(repeating: "x", count: 2045)
        #expect(failure(text, limits: .krpc) == BencodeError(.moreBytesThan(2048), at: 2048))
    }

    @Test(
        "counts unsorted and repeated keys, and refuses them where it is strict (P4)",
        arguments: [("d1:ai1e1:bi2ee", 0), ("d1:bi1e1:ai2ee", 1), ("d1:ai1e1:ai2ee", 1), ("d2:aai1e1:ai2ee", 1)]
            + [("d0:i1e0:i2ee", 1), ("d1:b0:1:a0:1:a0:e", 2)]
    )
    func countsOrderFaults(text: String, faults: Int) throws {
        let bytes = Array(text.utf8)
        var reader = BencodeReader(bytes.span.bytes, limits: .krpc)
        try reader.skipValue()
        try reader.finish()
        #expect(reader.orderFaults == faults)
        var strict = BencodeLimits.krpc
        strict.isStrict = true
        let expected: BencodeError.Kind? = faults == 0 ? nil : .keyOutOfOrder
        #expect(failure(text, limits: strict)?.kind == expected)
    }

    @Test("orders keys as bytes, not as text: é composed and decomposed are two keys")
    func ordersBytes() throws {
        var strict = BencodeLimits.torrent
        strict.isStrict = true
        #expect(failure("d3:e\u{301}i1e2:\u{e9}i2ee", limits: strict) == nil)
    }

    @Test("tells where the value ended and what follows it (P5, BEP 9)")
    func leavesRest() throws {
        let bytes = Array("d8:msg_typei1ee\u{1}\u{2}payload".utf8)
        var reader = BencodeReader(bytes.span.bytes, limits: .extensionMessage)
        try reader.skipValue()
        #expect(reader.offset == 15)
        #expect(reader.rest == 15..<24)
        do throws(BencodeError) {
            try reader.finish()
            Issue.record("trailing bytes were accepted")
        } catch {
            #expect(error == BencodeError(.trailingBytes, at: 15))
        }
    }

    @Test("survives any mutation of a packet", arguments: 0..<64 as Range<UInt64>)
    func survivesMutation(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var bytes = Array("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe".utf8)
        for _ in 0..<(seed % 4 + 1) { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(random.next() % 256) }
        var reader = BencodeReader(bytes.span.bytes, limits: .krpc)
        let range = try? reader.skipValue()
        #expect(reader.offset <= bytes.count && reader.depth <= 10)
        #expect(range == nil || range == 0..<reader.offset)
    }
}

@Suite("BencodeReader values")
struct BencodeReaderValueTests {
    @Test("walks a KRPC query by key")
    func walksQuery() throws {
        let bytes = Array("d1:ad2:id20:abcdefghij01234567895:otheri7ee1:q4:ping1:t2:aa1:y1:qe".utf8)
        var reader = BencodeReader(bytes.span.bytes, limits: .krpc)
        var id: NodeID?
        var query = ""
        try reader.beginDictionary()
        while let key = try reader.nextKey() {
            if reader.matches(key, "a") {
                try reader.beginDictionary()
                while let argument = try reader.nextKey() {
                    if reader.matches(argument, "id") {
                        id = reader.identifier(NodeID.self, try reader.string())
                    } else {
                        try reader.skipValue()
                    }
                }
            } else if reader.matches(key, "q") {
                query = reader.text(try reader.string())
            } else {
                try reader.skipValue()
            }
        }
        try reader.finish()
        #expect(id == NodeID(Array("abcdefghij0123456789".utf8)))
        #expect(query == "ping")
    }

    @Test("reads a list to its end")
    func readsList() throws {
        let bytes = Array("li1ei2ei3ee".utf8)
        var reader = BencodeReader(bytes.span.bytes, limits: .krpc)
        var values: [Int64] = []
        try reader.beginList()
        while try reader.hasElement() { values.append(try reader.integer()) }
        try reader.finish()
        #expect(values == [1, 2, 3])
    }

    @Test("passes over a value of a type that was not asked for")
    func passesOver() throws {
        let bytes = Array("l3:abcli1eei5ed1:a0:ee".utf8)
        var reader = BencodeReader(bytes.span.bytes, limits: .krpc)
        try reader.beginList()
        #expect(try reader.optionalInteger() == nil)
        #expect(try reader.optionalString() == nil)
        #expect(try reader.beginOptionalDictionary() == false)
        #expect(try reader.beginOptionalList() == false)
        #expect(try reader.hasElement() == false)
        try reader.finish()
    }

    @Test("names the type that was expected")
    func namesExpectation() {
        let bytes = Array("i1e".utf8)
        var reader = BencodeReader(bytes.span.bytes, limits: .krpc)
        var message = ""
        do throws(BencodeError) { try reader.beginDictionary() } catch { message = error.description }
        #expect(message == "expected a dictionary at offset 0")
    }

    @Test("skips a value of any shape and returns where it is")
    func skips() throws {
        let bytes = Array("ld1:ald1:bi1eeee3:abce".utf8)
        var reader = BencodeReader(bytes.span.bytes, limits: .krpc)
        try reader.beginList()
        #expect(try reader.skipValue() == 1..<16)
        let range = try reader.string()
        #expect(reader.slice(range).copied == Array("abc".utf8))
        #expect(reader.copy(range) == Array("abc".utf8))
        #expect(reader.slice(20..<40).byteCount == 0)
    }
}
