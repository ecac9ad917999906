import Bencode
import Metainfo
import Primitives
import Testing

@Suite("Torrent")
struct TorrentTests {
    /// A file with `fields` before `info` and `more` after it.
    func file(_ fields: String, _ more: String = "") -> [UInt8] {
        Array("d\(fields)4:info".utf8) + Sample(length: 5).info + Array("\(more)e".utf8)
    }

    func refusal(_ bytes: [UInt8]) -> MetainfoError? {
        do throws(MetainfoError) {
            _ = try Torrent(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test("reads what the maker says about it")
    func readsFields() throws {
        let torrent = try Torrent(
            parsing: file(
                "8:announce8:http://a13:announce-listll8:http://b8:http://cel7:udp://dee7:comment2:hi10:created by3:me!"
                    + "13:creation datei7e8:encoding5:UTF-8",
                "5:nodesll9:127.0.0.1i6881eel3:::1i1eee8:url-list8:http://e"
            )
        )
        #expect(torrent.announceTiers == [["http://b", "http://c"], ["udp://d"]])
        #expect(torrent.comment == "hi")
        #expect(torrent.createdBy == "me!")
        #expect(torrent.creationDate == 7)
        #expect(torrent.nodes.map(\.description) == ["127.0.0.1:6881", "[::1]:1"])
        #expect(torrent.nodes.first?.endpoint == Endpoint(.loopbackV4, 6881))
        #expect(torrent.orderFaults == 0)
        #expect(torrent.name == "sample" && torrent.layout.totalSize == 5 && !torrent.isPrivate)
        #expect(torrent.infoHash == torrent.info.infoHash)
        #expect(try Torrent(infoDictionary: torrent.info.bytes).infoHash == torrent.infoHash)
    }

    @Test(
        "passes over advice that makes no sense",
        arguments: [
            "8:announcei1e", "8:announce0:", "8:announce3:a b", "13:announce-list3:abc", "13:announce-listli1el0:ee",
            "13:announce-listll3:a\u{0}bee", "7:commenti1e", "10:created byle", "13:creation date3:now", "5:nodesi1e",
        ]
    )
    func passesOver(field: String) throws {
        let torrent = try Torrent(parsing: file(field))
        #expect(torrent.announceTiers == [] && torrent.nodes == [] && torrent.comment == nil)
        #expect(torrent.createdBy == nil && torrent.creationDate == nil)
    }

    @Test(
        "passes over nodes that cannot be reached by name and port",
        arguments: ["l1:ai0ee", "l1:ai65536ee", "l1:ai-1ee", "l1:ae", "le", "l0:i1ee", "l3:a bi1ee", "i1e", "l1:a1:1e"]
    )
    func passesOverNodes(node: String) throws {
        #expect(try Torrent(parsing: file("", "5:nodesl\(node)l1:bi2ei3eee")).nodes.map(\.description) == ["b:2"])
    }

    @Test("makes remarks fit for a terminal")
    func cleansRemarks() throws {
        let torrent = try Torrent(parsing: file("7:comment14:a\u{1b}[2J\nb\u{202e}c\u{9b}d"))
        #expect(torrent.comment == "a\u{fffd}[2J b\u{fffd}c\u{fffd}d")
    }

    @Test("keeps 256 trackers and 64 nodes")
    func limitsAdvice() throws {
        let trackers = "13:announce-listl" + String(repeating: "l4:u://4:v://e", count: 200) + "e"
        let nodes = "5:nodesl" + String(repeating: "l1:bi2ee", count: 100) + "e"
        let torrent = try Torrent(parsing: file(trackers, nodes))
        #expect(torrent.announceTiers.joined().count == 256)
        #expect(torrent.nodes.count == 64)
    }

    @Test("counts an unsorted key and carries on (P4)")
    func countsFaults() throws {
        #expect(try Torrent(parsing: file("1:z0:1:a0:")).orderFaults == 1)
    }

    @Test("refuses trailing bytes, no info, other shapes, and files above 10 MiB (P5, F9)")
    func refuses() {
        #expect(refusal(file("") + [0x0a])?.description == "bytes after the end of the value at offset 87")
        #expect(refusal(Array("de".utf8))?.description == "info: the field is missing")
        #expect(refusal(Array("i1e".utf8))?.description == "expected a dictionary at offset 0")
        #expect(refusal([])?.description == "unexpected end of input at offset 0")
        let large = refusal([UInt8](repeating: 0x64, count: (10 << 20) + 1))
        #expect(large?.description == "input longer than 10485760 bytes at offset 10485760")
        let bomb = refusal(Array(String(repeating: "d1:a", count: 100_000).utf8))
        #expect(bomb?.description == "nesting deeper than 32 at offset 128")
    }

    @Test("counts offsets of faults in info from the start of the file")
    func movesOffsets() {
        #expect(refusal(Array("d4:infod6:length1:xee".utf8))?.description == "length: expected an integer at offset 16")
    }

    @Test("refuses every truncation", arguments: 0..<87)
    func refusesTruncation(length: Int) {
        #expect(refusal(Array(file("").prefix(length))) != nil)
    }

    @Test("writes a file that reads back the same")
    func writes() throws {
        let bytes = file(
            "8:announce8:http://a13:announce-listll8:http://ael8:http://bee7:comment2:hi10:created by2:me13:creation datei7e",
            "5:nodesll1:hi6881eee"
        )
        #expect(try Torrent(parsing: bytes).encoded == bytes)
    }
}
