import Testing
import TrackerProtocol

@Suite("local_chunks.txt")
struct ChunkListTests {
    private func list(_ text: String) throws -> ChunkList { try ChunkList(parsing: Array(text.utf8)) }

    private func fault(_ text: String) -> ChunkList.Fault? {
        do throws(ChunkList.Fault) {
            _ = try ChunkList(parsing: Array(text.utf8))
            return nil
        } catch {
            return error
        }
    }

    @Test("the documented file reads, and a new row goes before the last line")
    func documented() throws {
        var list = try list("1,chunk_1\n3,chunk_3\n4,LASTCHUNK")
        #expect(list.chunkCount == 4)
        #expect(list.files == [1: "chunk_1", 3: "chunk_3"])
        #expect(list.missing == [2, 4])
        list.add(4, file: list.freeName(for: 4))
        #expect(list.text == "1,chunk_1\n3,chunk_3\n4,chunk_4\n4,LASTCHUNK\n")
        #expect(!list.isComplete)
        list.add(2, file: list.freeName(for: 2))
        #expect(list.isComplete)
    }

    @Test("carriage returns, blanks and empty lines are no matter, and names may have spaces and commas")
    func lenient() throws {
        let list = try list("\r\n 2 , part two, of two \r\n\n2,LASTCHUNK\r\n\r\n")
        #expect(list.files == [2: "part two, of two"])
        #expect(list.chunkCount == 2)
    }

    @Test("a chunk goes by another name when its own is a file of another one")
    func nameTaken() throws {
        let list = try list("1,chunk_2\n2,LASTCHUNK")
        #expect(list.freeName(for: 2) == "chunk_2_")
    }

    @Test(
        "a list that would lead out of the folder, or says nonsense, is refused by its line",
        arguments: [
            ("", ChunkList.Fault.noLastChunk), ("1,chunk_1\n", .noLastChunk), ("1 chunk\n", .unreadable(line: 1)),
            ("x,chunk\n1,LASTCHUNK", .unreadable(line: 1)), ("-1,chunk\n1,LASTCHUNK", .unreadable(line: 1)),
            ("0,chunk\n1,LASTCHUNK", .chunkNumber(line: 1, most: 8192)),
            ("99999999,LASTCHUNK", .chunkNumber(line: 1, most: 8192)),
            ("3,chunk_3\n2,LASTCHUNK", .chunkNumber(line: 1, most: 2)),
            ("1,../../etc/passwd\n1,LASTCHUNK", .forbiddenName(line: 1)),
            ("1,/etc/passwd\n1,LASTCHUNK", .forbiddenName(line: 1)),
            ("1,..\n1,LASTCHUNK", .forbiddenName(line: 1)), ("1,.\n1,LASTCHUNK", .forbiddenName(line: 1)),
            ("1,\n1,LASTCHUNK", .forbiddenName(line: 1)), ("1,a\u{0}b\n1,LASTCHUNK", .forbiddenName(line: 1)),
            ("1,local_chunks.txt\n1,LASTCHUNK", .forbiddenName(line: 1)),
            ("1,a\n1,b\n2,LASTCHUNK", .repeated(line: 2)), ("1,a\n2,a\n2,LASTCHUNK", .repeated(line: 2)),
            ("2,LASTCHUNK\n1,a", .notLast(line: 2)), ("2,LASTCHUNK\n2,LASTCHUNK", .notLast(line: 2)),
        ]
    )
    func refused(text: String, expected: ChunkList.Fault) {
        #expect(fault(text) == expected)
    }

    @Test("bytes that are no text, and too many, are refused")
    func bytes() {
        #expect(throws: ChunkList.Fault.unreadable(line: 2)) {
            _ = try ChunkList(parsing: Array("1,a\n2,".utf8) + [0xff, 0x0a] + Array("2,LASTCHUNK".utf8))
        }
        #expect(throws: ChunkList.Fault.tooLong) {
            _ = try ChunkList(parsing: [UInt8](repeating: 0x20, count: ChunkList.mostBytes + 1))
        }
    }
}
