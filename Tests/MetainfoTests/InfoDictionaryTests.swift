import Bencode
import Cryptography
import Metainfo
import Primitives
import Testing

@Suite("InfoDictionary")
struct InfoDictionaryTests {
    @Test("reads a single file")
    func readsFile() throws {
        let bytes = Sample(pieceLength: 16384, length: 20_000, isPrivate: 1).info
        let info = try InfoDictionary(parsing: bytes)
        #expect(info.name == "sample")
        #expect(info.layout == PieceLayout(totalSize: 20_000, pieceLength: 16384))
        #expect(info.files.files.map(\.path.text) == ["sample"])
        #expect(info.isPrivate)
        #expect(info.bytes == bytes)
        #expect(info.infoHash == InfoHash(SHA1.hash(bytes).value))
        #expect(info.pieceHashes.count == 2)
        #expect(info.pieceHashes[1] == SHA1Digest([UInt8](repeating: 1, count: 20)))
        #expect(info.pieceHashes[2] == nil && info.pieceHashes[-1] == nil)
    }

    @Test("reads a folder, with the torrent's name above every path")
    func readsFolder() throws {
        let info = try InfoDictionary(
            parsing: Sample(files: [.init(["a"], 10), .init(["b", "c"], 0), .init(["b", "d"], 3000)]).info
        )
        #expect(info.files.files.map(\.path.text) == ["sample/a", "sample/b/c", "sample/b/d"])
        #expect(info.files.files.map(\.offset) == [0, 10, 10])
        #expect(info.files.totalSize == 3010)
        #expect(!info.isPrivate && !info.isHybrid)
    }

    @Test("reads one empty file, which has no pieces")
    func readsEmpty() throws {
        let info = try InfoDictionary(parsing: Sample(length: 0).info)
        #expect(info.layout.pieceCount == 0)
        #expect(info.files.files.count == 1)
    }

    @Test("keeps padding in the run of bytes, and gives symlinks no room there (BEP 47, F5)")
    func readsAttributes() throws {
        let info = try InfoDictionary(
            parsing: Sample(
                files: [
                    .init(["a"], 1000, attributes: "x"), .init([".pad", "24"], 24, attributes: "p"),
                    .init(["link"], 99, attributes: "l"), .init(["link2"], nil, attributes: "hl"),
                    .init([".pad", "24"], 24, attributes: "p"), .init(["b"], 5),
                ]
            ).info
        )
        #expect(info.files.files.map(\.kind) == [.regular, .padding, .symlink, .symlink, .padding, .regular])
        #expect(info.files.files.map(\.length) == [1000, 24, 0, 0, 24, 5])
        #expect(info.files.totalSize == 1053)
    }

    @Test("prefers the UTF-8 names that older makers put beside the others")
    func prefersUTF8() throws {
        let text = "d5:filesld6:lengthi1e4:pathl1:\u{1}e10:path.utf-8l2:öeee4:name1:\u{2}10:name.utf-82:ä"
        let bytes = Array((text + "12:piece lengthi1024e6:pieces20:aaaaaaaaaaaaaaaaaaaae").utf8)
        let info = try InfoDictionary(parsing: bytes)
        #expect(info.files.files.map(\.path.text) == ["ä/ö"])
    }

    @Test("uses the v1 part of a hybrid torrent, and says so for v2 alone (BEP 52)")
    func readsVersions() throws {
        #expect(try InfoDictionary(parsing: Sample(length: 1, metaVersion: 2).info).isHybrid)
        let refusal = Sample(pieces: -1, metaVersion: 2).refusal()
        #expect(refusal?.description == "meta version: v2 torrents are not supported yet")
        #expect(Sample(pieces: -1, length: 1).refusal() == .missing(.pieces))
    }

    @Test("counts keys out of order and still takes the hash of the bytes as they are (P4)")
    func hashesOriginal() throws {
        let bytes = Array("d4:name1:a6:lengthi1e12:piece lengthi1024e6:pieces20:aaaaaaaaaaaaaaaaaaaae".utf8)
        let info = try InfoDictionary(parsing: bytes)
        #expect(info.orderFaults == 1)
        #expect(info.infoHash == InfoHash(SHA1.hash(bytes).value))
    }

    @Test(
        "refuses piece lengths that are not whole KiB from 1 KiB to 256 MiB (F9, N43)",
        arguments: [0, -1024, 3, 512, 1025, 1 << 28 + 1024, 1 << 40, .max, .min] as [Int64]
    )
    func refusesPieceLength(length: Int64) {
        #expect(Sample(pieceLength: length, pieces: 20, length: 1).refusal() == .pieceLength(length))
    }

    @Test("accepts piece lengths at both ends", arguments: [1 << 10, 3 << 10, 1 << 28] as [Int64])
    func acceptsPieceLength(length: Int64) {
        #expect(Sample(pieceLength: length, length: 1).refusal() == nil)
    }

    @Test("refuses hashes that are cut, too few, or too many (N43)")
    func refusesPieces() {
        #expect(Sample(pieces: 39, length: 2048).refusal() == .piecesNotWhole(byteCount: 39))
        #expect(Sample(pieces: 20, length: 2048).refusal() == .pieceCount(found: 1, needed: 2))
        #expect(Sample(pieces: 60, length: 2048).refusal() == .pieceCount(found: 3, needed: 2))
        #expect(Sample(pieces: 20, length: 0).refusal() == .pieceCount(found: 1, needed: 0))
        #expect(Sample(pieces: 0, length: 1).refusal() == .pieceCount(found: 0, needed: 1))
    }

    @Test("refuses sizes that are negative, or overflow together (N43)")
    func refusesSizes() {
        #expect(Sample(length: -1).refusal() == .negativeLength(-1))
        #expect(Sample(files: [.init(["a"], -5)]).refusal() == .negativeLength(-5))
        #expect(Sample(length: 1 << 60).refusal() == .totalTooLarge)
        #expect(Sample(length: .max).refusal() == .totalTooLarge)
        #expect(Sample(files: [.init(["a"], 1 << 59), .init(["b"], 1 << 59)]).refusal() == .totalTooLarge)
        #expect(Sample(files: [.init(["a"], 1), .init(["b"], .max)]).refusal() == .totalTooLarge)
        let largest = (1 << 60 - 1 as Int64)
        #expect(
            Sample(pieceLength: 1 << 28, pieces: 20, length: largest).refusal()
                == .pieceCount(found: 1, needed: 1 << 32)
        )
    }

    @Test("refuses no files, too many files, and a length beside files (N43)")
    func refusesFileLists() {
        #expect(Sample(files: []).refusal() == .noFiles)
        #expect(Sample(length: 1, files: [.init(["a"])]).refusal() == .lengthAndFiles)
        #expect(Sample().refusal() == .missing(.length))
        var limits = MetainfoLimits.standard
        limits.fileCount = 2
        let two = [Sample.File(["a"]), Sample.File(["b"])]
        #expect(Sample(files: two).refusal(limits: limits) == nil)
        #expect(Sample(files: two + [.init(["c"]), .init(["d"])]).refusal(limits: limits) == .moreFilesThan(2))
    }

    @Test("names the field that is missing")
    func namesMissing() {
        #expect(Sample(name: nil, length: 1).refusal()?.description == "name: the field is missing")
        #expect(Sample(pieceLength: nil, length: 1).refusal() == .missing(.pieceLength))
        #expect(Sample(files: [.init(["a"], nil)]).refusal() == .missing(.length))
        #expect(refusal(of: Array("de".utf8)) == .missing(.pieces))
    }

    @Test(
        "names the field of the wrong type, and where it is",
        arguments: [
            ("d6:lengthl", "length: expected an integer at offset 9"),
            ("d4:namei1e", "name: expected a string at offset 7"),
            ("d12:piece length1:x", "piece length: expected an integer at offset 16"),
            ("d6:piecesle", "pieces: expected a string at offset 9"),
            ("d5:filesde", "files: expected a list at offset 8"),
            ("d5:filesl1:a", "files: expected a dictionary at offset 9"),
            ("d5:filesld6:length1:a", "length: expected an integer at offset 18"),
            ("le", "info: expected a dictionary at offset 0"),
            ("d1:xi-0ee", "info: malformed integer at offset 4"),
        ]
    )
    func namesWrongType(text: String, message: String) {
        #expect(refusal(of: Array(text.utf8))?.description == message)
    }

    @Test("says where in the dictionary a path is not a list of strings")
    func namesBrokenPath() {
        let head = "d5:filesld6:lengthi1e4:path"
        let tail = "ee4:name1:a12:piece lengthi1024e6:pieces20:aaaaaaaaaaaaaaaaaaaae"
        #expect(refusal(of: Array((head + "li1ee" + tail).utf8))?.description == "path: expected a string at offset 28")
        #expect(refusal(of: Array((head + "1:a" + tail).utf8))?.description == "path: expected a list at offset 27")
        #expect(refusal(of: Array((head + "le" + tail).utf8)) == .path(.noComponents, file: 0))
    }

    @Test("refuses 33 levels and metadata above 8 MiB (P1, P7, F9)")
    func refusesTooMuch() {
        let bomb = Array(("d1:x" + String(repeating: "l", count: 100_000)).utf8)
        #expect(refusal(of: bomb)?.description == "info: nesting deeper than 32 at offset 35")
        let large = [UInt8](repeating: 0x30, count: (8 << 20) + 1)
        #expect(refusal(of: large)?.description == "info: longer than 8388608 bytes")
    }

    @Test("refuses every truncation", arguments: 0..<90)
    func refusesTruncation(length: Int) {
        let whole = Sample(files: [.init(["a", "b"], 3)], isPrivate: 1).info
        #expect(refusal(of: whole) == nil)
        #expect(refusal(of: Array(whole.prefix(length))) != nil)
    }
}
