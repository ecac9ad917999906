import Bencode
import Primitives
import Testing

@Suite("BencodeWriter")
struct BencodeWriterTests {
    @Test("writes a query as BEP 5 prints it")
    func writesQuery() throws {
        var writer = BencodeWriter()
        let id = try #require(NodeID(Array("abcdefghij0123456789".utf8)))
        writer.dictionary {
            $0.key("a")
            $0.dictionary {
                $0.key("id")
                $0.string(id)
            }
            $0.key("q")
            $0.string("ping")
            $0.key("t")
            $0.string(Array("aa".utf8))
            $0.key("y")
            $0.string("q")
        }
        let expected = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
    }

    @Test("writes integers to the ends of 64 bits", arguments: [0, -1, 1024, .min, .max] as [Int64])
    func writesIntegers(value: Int64) throws {
        var writer = BencodeWriter()
        writer.integer(value)
        let bytes = writer.take()
        #expect(String(decoding: bytes, as: UTF8.self) == "i\(value)e")
        var reader = BencodeReader(bytes.span.bytes, limits: .krpc)
        #expect(try reader.integer() == value)
        #expect(writer.count == 0)
    }

    @Test("counts bytes of text, not characters, and embeds what is encoded already")
    func writesText() {
        var writer = BencodeWriter()
        writer.list {
            $0.string("é")
            $0.encoded(Array("i5e".utf8).span.bytes)
            $0.list { _ in }
        }
        #expect(writer.bytes == Array("l2:éi5elee".utf8))
    }
}
