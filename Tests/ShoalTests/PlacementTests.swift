import Metainfo
import Primitives
import Storage
import TestSupport
import Testing

@testable import Shoal

/// A torrent without data: what it names is all that counts here.
private func torrent(_ name: String, _ files: [(path: [String], length: Int64)]) throws -> Torrent {
    let isFile = files.count == 1 && files[0].path.isEmpty
    let total = files.reduce(0) { $0 + $1.length }
    let content: TorrentBuilder.Content =
        isFile ? .file(length: total) : .folder(files.map { .init(path: $0.path, length: $0.length) })
    var builder = TorrentBuilder(name: name, content: content, pieceLength: 16_384)
    let count = PieceLayout(totalSize: total, pieceLength: 16_384).pieceCount
    builder.pieceHashes = Array(repeating: SHA1Digest(.zero), count: count)
    return try builder.build()
}

@Suite("Placement")
struct PlacementTests {
    private static func fetching(
        _ torrent: Torrent,
        to output: String,
        only: [String] = [],
        selected: [ClosedRange<Int>] = []
    ) throws -> Placement {
        var options = FetchOptions()
        options.output = output
        options.only = only
        return try Placement(fetching: torrent, options, selectedFiles: selected, openFiles: OpenFiles(capacity: 8))
    }

    @Test("a single file goes into a folder that is there or ends in a slash, and else takes the path's name")
    func singleFile() throws {
        let folder = try TemporaryFolder()
        let single = try torrent("film", [([], 100)])
        #expect(try PlacementTests.fetching(single, to: folder.root).path == folder.path("film"))
        #expect(try PlacementTests.fetching(single, to: folder.path("new/")).path == folder.path("new/film"))
        #expect(try PlacementTests.fetching(single, to: folder.path("deep/er/x")).path == folder.path("deep/er/x"))
        #expect(folder.exists("deep/er") && !folder.exists("deep/er/x"))
    }

    @Test("a folder goes below the output, which is made")
    func wholeFolder() throws {
        let folder = try TemporaryFolder()
        let tree = try torrent("tree", [(["a"], 10), (["b", "c"], 20)])
        let placement = try PlacementTests.fetching(tree, to: folder.path("out"))
        #expect(placement.path == folder.path("out/tree"))
        #expect(placement.files.path(ofFile: 1) == folder.path("out/tree/b/c"))
        #expect(placement.wanted.isFull)
    }

    @Test("an output below a file is a problem of files")
    func belowFile() throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: "file")
        let error = try #require(throws: ShoalError.self) {
            try PlacementTests.fetching(torrent("film", [([], 100)]), to: folder.path("file/x"))
        }
        #expect(error.code == .files)
    }

    @Test("the pieces of the wanted files are wanted, with what neighbours have in them")
    func only() throws {
        let folder = try TemporaryFolder()
        let tree = try torrent("tree", [(["a"], 20_000), (["b"], 10_000), (["c", "b"], 40_000)])
        let wanted = try PlacementTests.fetching(tree, to: folder.root, only: ["b"]).wanted
        #expect(wanted.indices == [1, 2, 3, 4])
        #expect(try PlacementTests.fetching(tree, to: folder.root, only: ["a"]).wanted.indices == [0, 1])
        #expect(try PlacementTests.fetching(tree, to: folder.root, only: ["c/*"]).wanted.indices == [1, 2, 3, 4])
        #expect(try PlacementTests.fetching(tree, to: folder.root, selected: [0...0]).isWanted == [true, false, false])
    }

    @Test(
        "a choice that matches nothing is told",
        arguments: [["x"], ["tree/a"], ["A"]]
    )
    func nothingMatches(only: [String]) throws {
        let folder = try TemporaryFolder()
        let error = try #require(throws: ShoalError.self) {
            try PlacementTests.fetching(torrent("tree", [(["a"], 1)]), to: folder.root, only: only)
        }
        #expect(error.code == .notFound)
    }

    @Test("file numbers outside the torrent choose nothing", arguments: [5...9, (Int.max - 1)...Int.max])
    func numbersOutside(range: ClosedRange<Int>) throws {
        let folder = try TemporaryFolder()
        #expect(throws: ShoalError.self) {
            try PlacementTests.fetching(torrent("tree", [(["a"], 1)]), to: folder.root, selected: [range])
        }
    }

    @Test("data of a given torrent is the path itself or in it, under whatever name")
    func sharing() throws {
        let folder = try TemporaryFolder()
        try folder.write([1, 2, 3], to: "elsewhere/renamed")
        try folder.write([1, 2, 3], to: "in/film")
        let single = try torrent("film", [([], 3)])
        let files = OpenFiles(capacity: 8)
        let renamed = try Placement(sharing: single, at: folder.path("elsewhere/renamed"), openFiles: files)
        #expect(renamed.path == folder.path("elsewhere/renamed"))
        #expect(try Placement(sharing: single, at: folder.path("in"), openFiles: files).path == folder.path("in/film"))
        #expect(throws: ShoalError.self) {
            try Placement(sharing: single, at: folder.path("elsewhere"), openFiles: files)
        }
    }
}

@Suite("Share draft")
struct ShareDraftTests {
    @Test("one file is a torrent of its name, and another name can be given")
    func oneFile() throws {
        let folder = try TemporaryFolder()
        try folder.write([1, 2, 3], to: "one.bin")
        var request = ShareRequest(paths: [folder.path("one.bin")])
        #expect(try ShareDraft(request).name == "one.bin")
        request.name = "other"
        let draft = try ShareDraft(request)
        let made = try draft.torrent(
            pieceLength: 16_384,
            digests: [SHA1Digest(.zero)],
            isPrivate: true,
            trackers: ["http://a:1/announce", "udp://b:2/announce"],
            createdBy: "test"
        )
        #expect(made.name == "other" && made.isSingleFile && made.isPrivate)
        #expect(made.announceTiers == [["http://a:1/announce"], ["udp://b:2/announce"]])
        #expect(draft.stored.map(\.pathComponents) == [["one.bin"]])
    }

    @Test("several things become a folder named like the one they lie in")
    func several() throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: "a")
        try folder.write([2, 3], to: "b/c")
        let draft = try ShareDraft(ShareRequest(paths: [folder.path("a"), folder.path("b")]))
        #expect(draft.name == String(folder.root.dropFirst("/tmp/".count)))
        #expect(draft.stored.map(\.pathComponents) == [["a"], ["b", "c"]])
        #expect(draft.stored.map(\.offset) == [0, 1])
        #expect(draft.size == 3)
    }

    @Test("links are left out, and said to be")
    func links() throws {
        let folder = try TemporaryFolder()
        try folder.write([1], to: "tree/a")
        try folder.link("tree/b", to: "/etc/passwd")
        let draft = try ShareDraft(ShareRequest(paths: [folder.path("tree")]))
        #expect(draft.stored.count == 1)
        #expect(draft.notices.count == 1)
    }

    @Test(
        "what cannot be shared is refused with the reason",
        arguments: ["missing", "empty", "twice", "apart", "none"]
    )
    func refused(kind: String) throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("empty")
        try folder.write([1], to: "a")
        try folder.write([1], to: "b/c")
        let paths: [String: [String]] = [
            "missing": ["x"], "empty": ["empty"], "twice": ["a", "a"], "apart": ["a", "b/c"], "none": [],
        ]
        let request = ShareRequest(paths: (paths[kind] ?? []).map { folder.path($0) })
        let error = try #require(throws: ShoalError.self) { try ShareDraft(request) }
        #expect(error.code == (["missing", "empty"].contains(kind) ? .notFound : .usage))
    }
}
