import ChunkFolders
import Cryptography
import Storage
import TestSupport
import Testing
import TrackerProtocol

@Suite("A chunk folder")
struct ChunkFolderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func fault<Value>(_ body: () throws(ChunkFolderFault) -> Value) -> ChunkFolderFault? {
        do throws(ChunkFolderFault) {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    @Test("a file cut into chunks and joined again is the same", arguments: [0, 1, 65_536, 65_537, 300_000])
    func cutAndJoin(byteCount: Int) throws {
        let content = folder.pattern(byteCount)
        try folder.write(content, to: "film")
        let count = try ChunkFolder.cut(folder.path("film"), into: folder.path("a/b"), chunkByteCount: 65_536)
        #expect(count == max(1, (byteCount + 65_535) / 65_536))
        #expect(
            String(decoding: try folder.read("a/b/local_chunks.txt"), as: UTF8.self).hasSuffix("\(count),LASTCHUNK\n")
        )
        let cut = try ChunkFolder(folder.path("a/b"))
        #expect(try cut.join(into: folder.path("again")) == Int64(byteCount))
        #expect(try folder.read("again") == content)
        #expect(
            fault { () throws(ChunkFolderFault) in try cut.join(into: folder.path("again")) }
                == .outputExists(path: folder.path("again"))
        )
    }

    @Test("the hash is that of the chunk's bytes, also of one longer than a step")
    func hash() throws {
        let content = folder.pattern(600_000)
        try folder.write(content, to: "c/part")
        try folder.write(Array("2,part\n2,LASTCHUNK".utf8), to: "c/local_chunks.txt")
        #expect(try ChunkFolder(folder.path("c")).hash(of: 2) == SHA1.hash(content))
    }

    @Test("what is wrong is said: no folder, no list, a hostile list, an incomplete set, a folder in use")
    func faults() throws {
        #expect(
            fault { () throws(ChunkFolderFault) in try ChunkFolder(folder.path("none")) }
                == .storage(.notFound(path: folder.path("none")))
        )
        try folder.makeFolder("empty")
        #expect(
            fault { () throws(ChunkFolderFault) in try ChunkFolder(folder.path("empty")) }
                == .noList(path: folder.path("empty/local_chunks.txt"))
        )
        try folder.write(Array("1,../x\n1,LASTCHUNK".utf8), to: "bad/local_chunks.txt")
        #expect(
            fault { () throws(ChunkFolderFault) in try ChunkFolder(folder.path("bad")) }
                == .list(path: folder.path("bad/local_chunks.txt"), .forbiddenName(line: 1))
        )
        try folder.write(Array("1,x\n2,LASTCHUNK".utf8), to: "part/local_chunks.txt")
        let part = try ChunkFolder(folder.path("part"))
        #expect(
            fault { () throws(ChunkFolderFault) in try part.join(into: folder.path("o")) }
                == .incomplete(path: folder.path("part"), missing: [2])
        )
        #expect(
            fault { () throws(ChunkFolderFault) in try part.hash(of: 1) }
                == .fileMissing(path: folder.path("part/x"), chunk: 1)
        )
        try folder.write([1], to: "f")
        #expect(
            fault { () throws(ChunkFolderFault) in try ChunkFolder.cut(folder.path("f"), into: folder.path("part")) }
                == .listExists(path: folder.path("part/local_chunks.txt"))
        )
    }

    @Test("no link is followed, neither as a chunk nor as the list (F4)")
    func links() throws {
        try folder.write(Array("secret".utf8), to: "secret")
        try folder.write(Array("1,chunk_1\n1,LASTCHUNK".utf8), to: "c/local_chunks.txt")
        try folder.link("c/chunk_1", to: folder.path("secret"))
        let linked = try ChunkFolder(folder.path("c"))
        #expect(
            fault { () throws(ChunkFolderFault) in try linked.hash(of: 1) }
                == .storage(.symlink(path: folder.path("c/chunk_1")))
        )
        try folder.makeFolder("d")
        try folder.link("d/local_chunks.txt", to: folder.path("c/local_chunks.txt"))
        #expect(
            fault { () throws(ChunkFolderFault) in try ChunkFolder(folder.path("d")) }
                == .storage(.symlink(path: folder.path("d/local_chunks.txt")))
        )
    }

    @Test("two drafts of one name do not disturb each other, and a name that is taken stays taken")
    func drafts() throws {
        let files = try FlatFolder(folder.root)
        var first: FileDraft? = try files.draft(of: "a")
        let second = try files.draft(of: "a")
        try first?.append([1])
        try second.append([2, 3])
        first = nil
        try second.commit(replacing: false)
        #expect(try folder.read("a") == [2, 3])
        let third = try files.draft(of: "a")
        #expect(throws: StorageError.self) { try third.commit(replacing: false) }
        try third.commit(replacing: true)
        #expect(try folder.read("a") == [])
    }
}
