import Glibc
import Metainfo
import Primitives
import Testing

@testable import Storage

@Suite("FileSet")
struct FileSetTests {
    @Test("what was written is read back, whatever the size", arguments: [0, 1, 16_383, 16_384, 16_385, 3 * 32_768])
    func sizes(size: Int) throws {
        let fixture = try Fixture([("f", size)], pieceLength: 32_768)
        let set = fixture.fileSet()
        #expect(try read(set) == (size == 0 ? [] : nil))
        try fixture.writeAll(to: set)
        #expect(try read(set) == fixture.bytes)
        #expect(fixture.folder.contents("f") == fixture.bytes)
    }

    @Test("a piece goes to all the small files that it spans, in folders made for them")
    func smallFiles() throws {
        let fixture = try Fixture((0..<200).map { ("top/\($0 % 7)/file \($0)", $0 % 5) }, pieceLength: 32_768)
        let set = fixture.fileSet()
        try fixture.writeAll(to: set)
        #expect(try read(set) == fixture.bytes)
        for file in fixture.files {
            let range = Int(file.offset)..<Int(file.end)
            #expect(fixture.folder.contents(file.path) == Array(fixture.bytes[range]), "\(file.path)")
        }
    }

    @Test("empty files come at completion and never before")
    func emptyFiles() throws {
        let fixture = try Fixture([("top/a", 10), ("top/none/empty", 0), ("top/b", 10)])
        let set = fixture.fileSet()
        try fixture.write([0], to: set)
        #expect(fixture.folder.status("top/none") == nil)
        try set.createEmptyFiles()
        #expect(fixture.folder.contents("top/none/empty") == [])
    }

    @Test("empty files that nobody asked for do not come")
    func unwantedEmptyFiles() throws {
        let fixture = try Fixture([("x", 0), ("y", 0)])
        try fixture.fileSet().createEmptyFiles { $0 == 1 }
        #expect(fixture.folder.status("x") == nil && fixture.folder.status("y") != nil)
    }

    @Test("padding reads as zeros and never reaches the disk")
    func padding() throws {
        let fixture = try Fixture([("a", 10), (".pad/16374", 16_374), ("b", 5)], padding: [".pad/16374"])
        let set = fixture.fileSet()
        try fixture.writeAll(to: set)
        #expect(try read(set) == fixture.bytes)
        #expect(fixture.folder.status(".pad") == nil)
        #expect(try fixture.verified(set) == [0, 1])
    }

    @Test("a block is read into its place, and one outside the torrent is not")
    func block() throws {
        let fixture = try Fixture([("a", 20_000), ("b", 20_000)], pieceLength: 32_768)
        let set = fixture.fileSet()
        try fixture.writeAll(to: set)
        let buffer = PieceBuffer(capacity: 32_768)
        #expect(try set.read(Block(piece: 0, begin: 16_384, length: 16_384), into: buffer, at: 100))
        #expect(buffer.withBytes(100..<16_484) { $0.copied } == Array(fixture.bytes[16_384..<32_768]))
        #expect(try !set.read(Block(piece: 1, begin: 0, length: 16_384), into: buffer))
        #expect(try !set.read(Block(piece: 2, begin: 0, length: 1), into: buffer))
        #expect(try !set.read(Block(piece: 0, begin: 0, length: 16_384), into: buffer, at: 20_000))
    }

    @Test("a short file is missing bytes, which is no error")
    func shortFile() throws {
        let fixture = try Fixture([("a", 100), ("b", 100)])
        try fixture.folder.write("a", Array(fixture.bytes[..<100]))
        try fixture.folder.write("b", Array(fixture.bytes[100..<199]))
        let set = fixture.fileSet(.reading)
        #expect(try read(set) == nil)
        #expect(try fixture.verified(set) == [])
        #expect(fixture.folder.contents("b")?.count == 99)
    }

    @Test("only a piece with the right hash is stored")
    func store() throws {
        let fixture = try Fixture([("a", 16_384)])
        let set = fixture.fileSet()
        let buffer = PieceBuffer(capacity: 16_384)
        buffer.copy(fixture.bytes.span.bytes, to: 0)
        #expect(try !set.store(piece: 0, from: buffer, expected: SHA1Digest(.zero)))
        #expect(fixture.folder.status("a") == nil)
        #expect(try set.store(piece: 0, from: buffer, expected: fixture.digests[0]))
        #expect(fixture.folder.contents("a") == fixture.bytes)
    }

    @Test("the first write makes a sparse file of the full length")
    func sparse() throws {
        let fixture = try Fixture([("a", 1 << 20)])
        try fixture.write([3], to: fixture.fileSet())
        let status = try #require(fixture.folder.status("a"))
        #expect(status.st_size == 1 << 20 && status.st_blocks * 512 < 1 << 19)
    }

    @Test("sharing creates and writes nothing")
    func readingOnly() throws {
        let fixture = try Fixture([("a", 10)])
        let set = fixture.fileSet(.reading)
        #expect(throws: StorageError.readOnly(path: fixture.folder.path)) { try fixture.write([0], to: set) }
        #expect(throws: StorageError.readOnly(path: fixture.folder.path)) { try set.createEmptyFiles() }
        #expect(fixture.folder.status("a") == nil)
    }

    @Test("new files have no right to run and folders no more than 0755")
    func modes() throws {
        let fixture = try Fixture([("d/a", 10)])
        try fixture.writeAll(to: fixture.fileSet())
        let (file, folder) = try (
            #require(fixture.folder.status("d/a")), #require(fixture.folder.status("d"))
        )
        #expect(file.st_mode & 0o7133 == 0 && file.st_mode & 0o600 == 0o600)
        #expect(folder.st_mode & 0o7022 == 0 && folder.st_mode & 0o700 == 0o700)
    }

    @Test("a missing root is named")
    func missingRoot() throws {
        let fixture = try Fixture([("a", 10)])
        let root = fixture.folder.path("gone")
        #expect(throws: StorageError.notFound(path: root)) { try fixture.fileSet(root: root).verifyRoot() }
        #expect(throws: StorageError.notFound(path: root)) {
            try fixture.write([0], to: fixture.fileSet(root: root))
        }
        try fixture.folder.write("gone", [])
        #expect(throws: StorageError.notFolder(path: root)) { try fixture.fileSet(root: root).verifyRoot() }
        #expect(throws: Never.self) { try fixture.fileSet().verifyRoot() }
    }

    @Test("a file deleted while it is written is noticed before its pieces are recorded")
    func vanished() throws {
        let fixture = try Fixture([("a", 10), ("b", 10)])
        let set = fixture.fileSet()
        try fixture.write([0], to: set)
        unlink(fixture.folder.path("a"))
        #expect(throws: StorageError.vanished(path: fixture.folder.path("a"))) { try set.synchronize() }
        try fixture.write([0], to: set)
        let stamps = try set.synchronize()
        #expect(stamps.map { $0?.size } == [10, 10])
    }
}

@Suite("Open files")
struct OpenFilesTests {
    @Test("no more files stay open than allowed, and several threads still read the right bytes")
    func cap() throws {
        let fixture = try Fixture((0..<60).map { ("file \($0)", 1000 + $0) }, pieceLength: 16_384)
        let openFiles = OpenFiles(capacity: 3)
        let set = fixture.fileSet(openFiles: openFiles)
        try fixture.writeAll(to: set)
        #expect(openFiles.count == 3)
        #expect(try fixture.verified(set, threads: 4) == Array(0..<fixture.layout.pieceCount))
        #expect(openFiles.count <= 3)
        set.close()
        #expect(openFiles.count == 0)
    }

    @Test("a handle in use outlives its place in the cache")
    func handleOutlivesCache() throws {
        let fixture = try Fixture([("a", 10)])
        let openFiles = OpenFiles(capacity: 1)
        let set = fixture.fileSet(openFiles: openFiles)
        try fixture.writeAll(to: set)
        let handle = try #require(try set.existing(0))
        openFiles.removeAll()
        #expect(try handle.status().st_size == 10)
    }

    @Test("the default leaves most descriptors to sockets")
    func defaultCapacity() {
        #expect(8...512 ~= OpenFiles.defaultCapacity)
    }
}
