import Cryptography
import Glibc
import Metainfo
import Primitives
import Testing

@testable import Storage

@Suite("Verifier")
struct VerifierTests {
    @Test("pieces are right or not, each for itself", arguments: [1, 3])
    func damagedByte(threads: Int) throws {
        let fixture = try Fixture([("a", 100_000), ("b/c", 1), ("b/d", 200_000), ("e", 0)])
        let set = fixture.fileSet()
        try fixture.writeAll(to: set)
        let all = Array(0..<fixture.layout.pieceCount)
        #expect(try fixture.verified(set, threads: threads) == all)
        try fixture.folder.damage("a", at: 20_000)
        try fixture.folder.damage("b/d", at: 199_999)
        #expect(try fixture.verified(set, threads: threads) == all.filter { $0 != 1 && $0 != all.count - 1 })
    }

    @Test("a piece longer than the slices it is read in has one digest", arguments: [PieceHasher.sliceLength * 5 + 77])
    func longPiece(size: Int) throws {
        let fixture = try Fixture([("a", 1000), ("b", size - 1000)], pieceLength: 1 << 21)
        let set = fixture.fileSet()
        try fixture.writeAll(to: set)
        #expect(try fixture.verified(set) == [0])
    }

    @Test("only the pieces asked for are hashed, and counted")
    func candidates() throws {
        let fixture = try Fixture([("a", 16_384 * 4 + 10)])
        let set = fixture.fileSet()
        try fixture.writeAll(to: set)
        var pieces = Bitfield(count: 5)
        pieces[1] = true
        pieces[4] = true
        let digests = fixture.digests
        let verifier = Verifier(set, pieces: pieces) { digests[$0] }
        #expect(verifier.progress == Verifier.Progress(bytesDone: 0, bytesTotal: 16_394))
        try verifier.run(threads: 1)
        #expect(verifier.verified.indices == [1, 4])
        #expect(verifier.progress == Verifier.Progress(bytesDone: 16_394, bytesTotal: 16_394))
    }

    @Test("missing files are missing pieces, and present neighbours count")
    func missingFile() throws {
        let fixture = try Fixture([("a", 16_384), ("b", 16_384), ("c", 16_384)])
        let set = fixture.fileSet()
        try fixture.writeAll(to: set)
        set.close()
        unlink(fixture.folder.path("b"))
        #expect(try fixture.verified(set) == [0, 2])
    }

    @Test("a hole equals zeros without being read, and is no other piece")
    func holes() throws {
        let folder = try TemporaryFolder()
        let layout = PieceLayout(totalSize: 10_000_000, pieceLength: 1 << 20)
        let files = [StoredFile(pathComponents: ["a"], offset: 0, length: 10_000_000)]
        let set = FileSet(root: folder.path, files: files, layout: layout, access: .writing, openFiles: OpenFiles())
        try [UInt8](repeating: 7, count: 1 << 20).withUnsafeBytes { try set.write($0, at: 3 << 20) }
        let zero = SHA1.hash([UInt8](repeating: 0, count: 1 << 20))
        let last = SHA1.hash([UInt8](repeating: 0, count: layout.length(ofPiece: 9)))
        let sevens = SHA1.hash([UInt8](repeating: 7, count: 1 << 20))
        let verifier = Verifier(set) { $0 == 3 ? sevens : $0 == 9 ? last : $0 == 5 ? sevens : zero }
        try verifier.run(threads: 2)
        #expect(verifier.verified.indices == [0, 1, 2, 3, 4, 6, 7, 8, 9])
    }

    @Test("what is past the end of a short file is not a hole")
    func shortIsNotHole() throws {
        let folder = try TemporaryFolder()
        let layout = PieceLayout(totalSize: 65_536, pieceLength: 16_384)
        let files = [StoredFile(pathComponents: ["a"], offset: 0, length: 65_536)]
        try folder.write("a", [])
        try #require(truncate(folder.path("a"), 40_000) == 0)
        let set = FileSet(root: folder.path, files: files, layout: layout, access: .reading, openFiles: OpenFiles())
        let zero = SHA1.hash([UInt8](repeating: 0, count: 16_384))
        let verifier = Verifier(set) { _ in zero }
        try verifier.run()
        #expect(verifier.verified.indices == [0, 1])
    }

    /// Reading 8 TiB would outlast any patience: this ends only when holes are not read.
    @Test("a sparse file of 5 GiB, and one of 8 TiB, are checked without reading them", arguments: [5 << 30, 8 << 40])
    func sparse(size: Int) throws {
        let folder = try TemporaryFolder()
        try folder.write("a", [])
        try #require(truncate(folder.path("a"), size) == 0)
        let layout = PieceLayout(totalSize: Int64(size), pieceLength: 16 << 20)
        let files = [StoredFile(pathComponents: ["a"], offset: 0, length: Int64(size))]
        let set = FileSet(root: folder.path, files: files, layout: layout, access: .reading, openFiles: OpenFiles())
        let verifier = Verifier(hashing: set)
        try verifier.run()
        let zero = PieceHasher.digest(ofZeros: 16 << 20)
        #expect(verifier.digests.count == size >> 24 && verifier.digests.allSatisfy { $0 == zero })
    }

    @Test("hashing for a new torrent gives the digests of pieces that span files", arguments: [1, 2])
    func hashAll(threads: Int) throws {
        let fixture = try Fixture((0..<300).map { ("d/\($0)", $0 * 13) })
        try fixture.writeAll(to: fixture.fileSet())
        let verifier = Verifier(hashing: fixture.fileSet(.reading))
        try verifier.run(threads: threads)
        #expect(verifier.digests == fixture.digests)
    }

    @Test("a file that is not as long as it was when it was listed fails by name", arguments: [9, 11])
    func changedSize(size: Int) throws {
        let fixture = try Fixture([("a", 10)])
        try fixture.folder.write("a", pattern(size))
        let verifier = Verifier(hashing: fixture.fileSet(.reading))
        #expect(throws: StorageError.changed(path: fixture.folder.path("a"))) { try verifier.run() }
    }

    @Test("a file that changes while it is hashed fails by name")
    func changedMeanwhile() throws {
        let fixture = try Fixture([("a", 10), ("b", 16 << 20), ("c", 10)])
        try fixture.writeAll(to: fixture.fileSet())
        let verifier = Verifier(hashing: fixture.fileSet(.reading))
        #expect(try verifier.step())
        try fixture.folder.write("a", pattern(9))
        #expect(throws: StorageError.changed(path: fixture.folder.path("a"))) {
            while try verifier.step() {}
        }
    }

    @Test("a cancelled check ends with that word")
    func cancelled() throws {
        let fixture = try Fixture([("a", 100_000)])
        let set = fixture.fileSet()
        let verifier = Verifier(set) { _ in nil }
        verifier.cancel()
        #expect(throws: StorageError.cancelled) { try verifier.run() }
    }

    @Test("on the workers, a check reports to the loop when its last step is done")
    func onWorkers() throws {
        let fixture = try Fixture([("a", 20 << 20)], pieceLength: 1 << 20)
        let set = fixture.fileSet()
        try fixture.writeAll(to: set)
        let woken = Semaphore()
        let workers = try DiskWorkers(count: 3) { woken.signal() }
        let digests = fixture.digests
        let verifier = Verifier(set) { digests[$0] }
        var outcome: Result<Void, StorageError>?
        workers.run(verifier) { outcome = $0 }
        while outcome == nil {
            woken.wait()
            workers.drainCompletions()
        }
        try #require(outcome).get()
        #expect(verifier.verified.isFull)
        #expect(workers.pendingCount == 0)
    }
}
