import Metainfo
import Primitives
import Testing

@Suite("TorrentBuilder")
struct TorrentBuilderTests {
    let digest = SHA1Digest(UInt160(high: 1, middle: 2, low: 3))

    func failure(_ builder: TorrentBuilder) -> MetainfoError? {
        do throws(MetainfoError) {
            _ = try builder.build()
            return nil
        } catch {
            return error
        }
    }

    @Test("builds a folder that reads back as it was measured")
    func buildsFolder() throws {
        let files = [TorrentBuilder.File(path: ["a"], length: 3), .init(path: ["b", "ü"], length: 20_000)]
        var builder = TorrentBuilder(name: "folder", content: .folder(files))
        builder.pieceHashes = [digest, digest]
        builder.isPrivate = true
        builder.announceTiers = [["http://a", "http://b"]]
        builder.comment = "c"
        builder.createdBy = "d"
        builder.creationDate = 9
        let torrent = try builder.build()
        let read = try Torrent(parsing: torrent.encoded)
        #expect(read.infoHash == torrent.infoHash)
        #expect(read.files.files.map(\.path.text) == ["folder/a", "folder/b/ü"])
        #expect(read.layout == PieceLayout(totalSize: 20_003, pieceLength: 16_384))
        #expect(read.pieceHashes[1] == digest)
        #expect(read.isPrivate && read.announceTiers == [["http://a", "http://b"]])
        #expect(read.comment == "c" && read.createdBy == "d" && read.creationDate == 9 && read.orderFaults == 0)
        #expect(read.encoded == torrent.encoded)
    }

    @Test("writes a single file byte for byte as BEP 3 has it")
    func writesFile() throws {
        var builder = TorrentBuilder(name: "f", content: .file(length: 5))
        builder.pieceHashes = [try #require(SHA1Digest(Array("aaaaaaaaaaaaaaaaaaaa".utf8)))]
        builder.announceTiers = [["http://a"]]
        let text =
            "d8:announce8:http://a4:infod6:lengthi5e4:name1:f12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee"
        #expect(String(decoding: try builder.build().encoded, as: UTF8.self) == text)
    }

    @Test("gives the same info-hash whatever is said around it")
    func isDeterministic() throws {
        var builder = TorrentBuilder(name: "f", content: .file(length: 5))
        builder.pieceHashes = [digest]
        let first = try builder.build()
        builder.comment = "other"
        builder.creationDate = 1
        builder.announceTiers = [["http://x"]]
        #expect(try builder.build().infoHash == first.infoHash)
        builder.isPrivate = true
        #expect(try builder.build().infoHash != first.infoHash)
    }

    @Test("refuses what others would refuse or mend")
    func refuses() {
        var builder = TorrentBuilder(name: "f", content: .file(length: 5))
        #expect(failure(builder) == .pieceCount(found: 0, needed: 1))
        builder.pieceHashes = [digest]
        builder.name = "a\u{200b}"
        #expect(failure(builder) == .nameNeedsMending("a\u{fffd}"))
        builder.name = ".."
        #expect(failure(builder) == .name(.dotComponent))
        builder.name = "n"
        builder.content = .folder([.init(path: ["\u{202e}"], length: 1)])
        #expect(failure(builder) == .nameNeedsMending("n/\u{fffd}"))
        builder.content = .folder([.init(path: ["a"], length: 1), .init(path: ["A"], length: 1)])
        #expect(failure(builder) == .repeatedPath("n/A"))
        builder.content = .folder([])
        #expect(failure(builder) == .noFiles)
        builder.content = .folder([.init(path: ["a"], length: .max), .init(path: ["b"], length: .max)])
        #expect(failure(builder) == .totalTooLarge)
    }

    @Test(
        "chooses a power of two for about 1500 pieces",
        arguments: [
            (0, 16 << 10), (1, 16 << 10), (23 << 20, 16 << 10), (24 << 20, 32 << 10), (1 << 30, 1 << 20),
            (20 << 30, 16 << 20), (4 << 40, 16 << 20), (8 << 40, 32 << 20), (.max, 256 << 20),
        ] as [(Int64, Int)]
    )
    func choosesPieceLength(size: Int64, length: Int) {
        #expect(TorrentBuilder.pieceLength(forSize: size) == length)
    }

    @Test("sorts files by path, name by name, as bytes")
    func sorts() {
        let paths = [["b"], ["a-b"], ["a", "z"], ["a", "B"], ["é"], ["a"]]
        let sorted = TorrentBuilder.sorted(paths.map { .init(path: $0, length: 0) })
        #expect(sorted.map(\.path) == [["a"], ["a", "B"], ["a", "z"], ["a-b"], ["b"], ["é"]])
    }
}
