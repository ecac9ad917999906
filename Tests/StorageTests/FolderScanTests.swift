import Glibc
import Testing

@testable import Storage

@Suite("FolderScan")
struct FolderScanTests {
    @Test("a folder is listed by the bytes of its names, hidden and empty files too")
    func order() throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("top")
        try folder.makeFolder("top/b")
        try folder.makeFolder("top/leer")
        for (name, size) in [
            ("top/b/z", 1), ("top/B", 2), ("top/.hidden", 3), ("top/a", 0), ("top/ü", 4), ("top/b.", 5),
        ] {
            try folder.write(name, pattern(size))
        }
        let scan = try FolderScan(of: folder.path("top"))
        #expect(scan.root == folder.path && scan.name == "top" && !scan.isSingleFile)
        #expect(
            scan.files.map(\.pathComponents) == [
                ["top", ".hidden"], ["top", "B"], ["top", "a"], ["top", "b", "z"], ["top", "b."], ["top", "ü"],
            ]
        )
        #expect(scan.files.map(\.size) == [3, 2, 0, 1, 5, 4])
        #expect(scan.totalSize == 15 && scan.skipped.isEmpty)
    }

    @Test("one file is a scan of its own, also through a link that the person named")
    func singleFile() throws {
        let folder = try TemporaryFolder()
        try folder.write("f", pattern(7))
        try #require(symlink("f", folder.path("l")) == 0)
        for name in ["f", "l"] {
            let scan = try FolderScan(of: folder.path(name))
            #expect(scan.isSingleFile && scan.name == "f" && scan.root == folder.path)
            #expect(scan.files == [FolderScan.File(pathComponents: ["f"], size: 7)])
        }
    }

    @Test("links and pipes inside are skipped and reported")
    func skipped() throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("top")
        try folder.write("top/f", [1])
        try #require(symlink("/etc", folder.path("top/link")) == 0)
        try #require(mkfifo(folder.path("top/pipe"), 0o644) == 0)
        let scan = try FolderScan(of: folder.path("top"))
        #expect(scan.files.map(\.pathComponents) == [["top", "f"]])
        #expect(
            scan.skipped == [
                FolderScan.Skipped(path: folder.path("top/link"), reason: .symlink),
                FolderScan.Skipped(path: folder.path("top/pipe"), reason: .special),
            ]
        )
    }

    @Test("what is not there, or no file, is named")
    func refused() throws {
        let folder = try TemporaryFolder()
        #expect(throws: StorageError.notFound(path: folder.path("x"))) { try FolderScan(of: folder.path("x")) }
        try #require(mkfifo(folder.path("pipe"), 0o644) == 0)
        #expect(throws: StorageError.notRegular(path: folder.path("pipe"))) { try FolderScan(of: folder.path("pipe")) }
        #expect(throws: StorageError.notRegular(path: "/")) { try FolderScan(of: "/") }
    }

    @Test("a name that is not UTF-8 is refused and not silently left out")
    func notText() throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("top")
        let name = Array(folder.path("top/").utf8) + [0x66, 0xff, 0]
        let file = name.withUnsafeBytes {
            open($0.baseAddress!.assumingMemoryBound(to: CChar.self), O_CREAT | O_WRONLY, 0o644)
        }
        try #require(file >= 0)
        close(file)
        #expect(throws: StorageError.notText(path: folder.path("top/f\u{fffd}"))) {
            try FolderScan(of: folder.path("top"))
        }
    }

    @Test("too many files, or too deep, is refused with the limit")
    func limits() throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("top")
        try folder.makeFolder("top/1")
        try folder.makeFolder("top/1/2")
        for name in ["top/a", "top/1/b", "top/1/2/c"] { try folder.write(name, []) }
        var limits = FolderScan.Limits()
        limits.files = 2
        #expect(throws: StorageError.tooManyFiles(path: folder.path("top"), limit: 2)) {
            try FolderScan(of: folder.path("top"), limits: limits)
        }
        limits = FolderScan.Limits()
        limits.depth = 2
        #expect(throws: StorageError.tooDeep(path: folder.path("top/1/2"), limit: 2)) {
            try FolderScan(of: folder.path("top"), limits: limits)
        }
        limits.depth = 3
        #expect(try FolderScan(of: folder.path("top"), limits: limits).files.count == 3)
    }
}
