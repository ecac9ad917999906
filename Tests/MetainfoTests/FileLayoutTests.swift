import Metainfo
import Primitives
import Testing

/// The layout of files called by `paths`, a byte each, or why not.
func refusal(ofPaths paths: [String]) -> MetainfoError? {
    Sample(files: paths.map { .init($0.split(separator: "/").map(String.init)) }).refusal()
}

@Suite("FileLayout")
struct FileLayoutTests {
    /// 10, 0, 5, 0, 0, 2000, 0 bytes.
    func layout() throws -> FileLayout {
        let lengths: [Int64] = [10, 0, 5, 0, 0, 2000, 0]
        var files: [(path: SafePath, length: Int64, kind: FileLayout.Kind)] = []
        for (index, length) in lengths.enumerated() {
            files.append((try SafePath(["root", "\(index)"]), length, .regular))
        }
        return try FileLayout(files)
    }

    @Test("cuts a run of bytes at the borders of files, and passes over empty ones")
    func cutsSlices() throws {
        let layout = try layout()
        #expect(layout.slices(at: 0, count: 10) == [.init(file: 0, offset: 0, length: 10)])
        #expect(
            layout.slices(at: 8, count: 10) == [
                .init(file: 0, offset: 8, length: 2), .init(file: 2, offset: 0, length: 5),
                .init(file: 5, offset: 0, length: 3),
            ]
        )
        #expect(layout.slices(at: 10, count: 1) == [.init(file: 2, offset: 0, length: 1)])
        #expect(layout.slices(at: 15, count: 1) == [.init(file: 5, offset: 0, length: 1)])
    }

    @Test(
        "gives less, or nothing, outside the torrent",
        arguments: [(2015, 1), (-1, 5), (.max, .max), (0, 0), (5, -1)]
    )
    func staysInside(offset: Int, count: Int) throws {
        #expect(try layout().slices(at: Int64(offset), count: count) == [])
        #expect(try layout().slices(at: 2014, count: .max) == [.init(file: 5, offset: 1999, length: 1)])
    }

    @Test("knows which pieces hold a file, and which files a piece")
    func mapsPieces() throws {
        let layout = try layout()
        let pieces = PieceLayout(totalSize: layout.totalSize, pieceLength: 1024)
        #expect(layout.pieces(ofFile: 0, in: pieces) == 0..<1)
        #expect(layout.pieces(ofFile: 1, in: pieces) == 0..<0)
        #expect(layout.pieces(ofFile: 5, in: pieces) == 0..<2)
        #expect(layout.pieces(ofFile: 7, in: pieces) == 0..<0)
        #expect(layout.slices(ofPiece: 1, in: pieces) == [.init(file: 5, offset: 1009, length: 991)])
        #expect(layout.slices(ofPiece: 2, in: pieces) == [])
    }

    @Test("covers every byte once", arguments: 1..<64)
    func coversAll(step: Int) throws {
        let layout = try layout()
        var covered = [Int64](repeating: 0, count: layout.files.count)
        for offset in stride(from: 0, to: 2015, by: step) {
            for slice in layout.slices(at: Int64(offset), count: step) {
                #expect(covered[slice.file] == slice.offset)
                covered[slice.file] += Int64(slice.length)
            }
        }
        #expect(covered == layout.files.map(\.length))
    }

    @Test(
        "refuses two paths that a file system may take for one (F3, N41)",
        arguments: [
            ["a", "a"], ["CON", "con"], ["d/x", "D/X"], ["\u{e9}", "e\u{301}"], ["\u{c9}", "e\u{301}"],
            ["K", "\u{212a}"],
            ["a", "b", "c/d", "A"], ["\u{1e9b}\u{323}", "\u{1e9b}\u{323}"], ["a\u{327}\u{301}", "a\u{301}\u{327}"],
        ]
    )
    func refusesEqual(paths: [String]) {
        guard case .repeatedPath = refusal(ofPaths: paths) else {
            Issue.record("\(paths) were accepted")
            return
        }
    }

    @Test(
        "refuses a file that another would need as a folder (F3)",
        arguments: [
            ["a", "a/b"], ["a/b", "a"], ["A", "a/b/c"], ["x", "a/b/c", "a.txt", "a-b", "a b", "a/b"],
            ["\u{e9}", "e\u{301}/x"], ["a", "a!", "a/b", "a0"],
        ]
    )
    func refusesNested(paths: [String]) {
        guard case .fileInsideFile = refusal(ofPaths: paths) else {
            Issue.record("\(paths) were accepted")
            return
        }
    }

    @Test(
        "accepts paths that only look related",
        arguments: [
            ["a", "aa", "a.b", "a b", "a-/b"], ["a/b", "a/c", "a/b2/c"], ["b/a", "a"], ["\u{301}a", "a\u{301}"],
        ]
    )
    func accepts(paths: [String]) {
        #expect(refusal(ofPaths: paths) == nil)
    }

    @Test("refuses paths that mending made equal")
    func refusesMended() {
        #expect(refusal(ofPaths: ["a_E2_80_8B", "a\u{200b}"]) == .repeatedPath("sample/a_E2_80_8B"))
    }

    @Test("names the file whose path is refused")
    func namesFile() {
        let error = Sample(files: [.init(["a"]), .init(["b", ".."])]).refusal()
        #expect(error?.description == "path: a name is '.' or '..' (file 1)")
        #expect(Sample(name: Array("..".utf8), length: 1).refusal()?.description == "name: a name is '.' or '..'")
        #expect(Sample(name: [], files: [.init(["a"])]).refusal() == .name(.emptyComponent))
    }
}
