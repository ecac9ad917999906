import Cryptography
import Glibc
import Metainfo
import Primitives
import SQLite
import Testing

@testable import Storage

@Suite("ResumeStore")
struct ResumeStoreTests {
    private let infoHash = InfoHash(UInt160(high: 1, middle: 2, low: 3))

    /// A finished download of three files in pieces of 16 KiB, on record.
    private func recorded() throws -> (Fixture, ResumeStore) {
        let fixture = try Fixture([("a", 40_000), ("b", 40_000), ("c", 0)])
        let set = fixture.fileSet()
        try fixture.writeAll(to: set)
        let store = try ResumeStore(folder: fixture.folder.path("state"))
        try store.add(ResumeRecord(infoHash: infoHash, name: "n", root: fixture.folder.path, info: [1, 2, 3]))
        let all = Bitfield(filled: fixture.layout.pieceCount)
        try store.record(infoHash, verified: all, in: set, downloaded: 80_000, uploaded: 5)
        return (fixture, store)
    }

    @Test("what was recorded is there after the next start")
    func roundTrip() throws {
        let (fixture, store) = try recorded()
        store.close()
        let record = try #require(try ResumeStore(folder: fixture.folder.path("state")).load(infoHash))
        #expect(record.name == "n" && record.root == fixture.folder.path && record.info == [1, 2, 3])
        #expect(record.downloaded == 80_000 && record.uploaded == 5 && record.updated > 1_600_000_000)
        #expect(try record.trustedPieces(in: fixture.fileSet()).isFull)
    }

    @Test("a torrent without metadata or progress is remembered, and learns more later")
    func growing() throws {
        let fixture = try Fixture([("a", 10)])
        let store = try ResumeStore(folder: fixture.folder.path("state"))
        #expect(try store.load(infoHash) == nil)
        try store.add(ResumeRecord(infoHash: infoHash, name: "", root: "/r", info: []))
        let first = try #require(try store.load(infoHash))
        #expect(try first.info == [] && first.trustedPieces(in: fixture.fileSet()).isEmpty)
        try store.add(ResumeRecord(infoHash: infoHash, name: "later", root: "/r", info: [9]))
        #expect(try store.load(infoHash)?.name == "later")
        #expect(try store.allTorrents().map(\.infoHash) == [infoHash])
        try store.remove(infoHash)
        #expect(try store.allTorrents().isEmpty)
    }

    @Test("pieces of a file that somebody changed are not trusted, those of its neighbours are")
    func changedFile() throws {
        let (fixture, store) = try recorded()
        try fixture.folder.damage("b", at: 39_999)
        // Same size, and a time that certainly is another one.
        var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
        try #require(utimensat(AT_FDCWD, fixture.folder.path("b"), &times, 0) == 0)
        let record = try #require(try store.load(infoHash))
        #expect(try record.trustedPieces(in: fixture.fileSet()).indices == [0, 1])
    }

    @Test("a file replaced by another of the same size and time is not trusted")
    func replacedFile() throws {
        let (fixture, store) = try recorded()
        let old = try #require(fixture.folder.status("a"))
        try fixture.folder.write("a2", pattern(40_000, seed: 99))
        var times = [old.st_mtim, old.st_mtim]
        try #require(utimensat(AT_FDCWD, fixture.folder.path("a2"), &times, 0) == 0)
        try #require(rename(fixture.folder.path("a2"), fixture.folder.path("a")) == 0)
        let record = try #require(try store.load(infoHash))
        #expect(try record.trustedPieces(in: fixture.fileSet()).indices == [3, 4])
    }

    @Test("a deleted file takes its pieces with it")
    func deletedFile() throws {
        let (fixture, store) = try recorded()
        unlink(fixture.folder.path("a"))
        let record = try #require(try store.load(infoHash))
        #expect(try record.trustedPieces(in: fixture.fileSet()).indices == [3, 4])
    }

    @Test("pieces on record for another layout are not trusted")
    func otherLayout() throws {
        let (fixture, store) = try recorded()
        let record = try #require(try store.load(infoHash))
        let other = FileSet(
            root: fixture.folder.path,
            files: fixture.files,
            layout: PieceLayout(totalSize: 80_000, pieceLength: 32_768),
            access: .writing,
            openFiles: OpenFiles()
        )
        #expect(try record.trustedPieces(in: other) == Bitfield(count: 3))
    }

    @Test("writing after a record makes the file's pieces be hashed again, and the next record trusts them")
    func laterWrite() throws {
        let (fixture, store) = try recorded()
        let set = fixture.fileSet()
        #expect(try #require(try store.load(infoHash)).trustedPieces(in: set).isFull)
        var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
        try #require(utimensat(AT_FDCWD, fixture.folder.path("a"), &times, 0) == 0)
        try fixture.write([0], to: set)
        #expect(try #require(try store.load(infoHash)).trustedPieces(in: fixture.fileSet()).indices == [3, 4])
        let all = Bitfield(filled: fixture.layout.pieceCount)
        try store.record(infoHash, verified: all, in: set, downloaded: 0, uploaded: 0)
        #expect(try #require(try store.load(infoHash)).trustedPieces(in: fixture.fileSet()).isFull)
    }

    @Test("somebody's change to a file that we did not write meanwhile is not absorbed by the next record")
    func changeBetweenRecords() throws {
        let (fixture, store) = try recorded()
        let set = fixture.fileSet()
        #expect(try #require(try store.load(infoHash)).trustedPieces(in: set).isFull)
        var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
        try #require(utimensat(AT_FDCWD, fixture.folder.path("b"), &times, 0) == 0)
        try fixture.write([0], to: set)
        let all = Bitfield(filled: fixture.layout.pieceCount)
        try store.record(infoHash, verified: all, in: set, downloaded: 0, uploaded: 0)
        #expect(try #require(try store.load(infoHash)).trustedPieces(in: fixture.fileSet()).indices == [0, 1])
    }

    @Test("a database that is none is put aside with a word, and a new one works", arguments: [100, 4096, 20_000])
    func damaged(size: Int) throws {
        let (fixture, store) = try recorded()
        store.close()
        let path = fixture.folder.path("state/state.sqlite")
        try fixture.folder.write("state/state.sqlite", pattern(size))
        let next = try ResumeStore(folder: fixture.folder.path("state"))
        #expect(try next.load(infoHash) == nil)
        let notices = next.takeNotices()
        #expect(notices.count == 1 && notices[0].hasPrefix("\(path) is damaged"))
        #expect(next.takeNotices().isEmpty)
        #expect(fixture.folder.contents("state/state.sqlite.damaged") == pattern(size))
        try next.add(ResumeRecord(infoHash: infoHash, name: "n", root: "/", info: []))
        #expect(try next.load(infoHash)?.name == "n")
        #expect(try fixture.verified(fixture.fileSet()).count == fixture.layout.pieceCount)
    }

    @Test("damage in the middle of the file never traps and never makes a false piece", arguments: 1...5)
    func damagedPage(page: Int) throws {
        let (fixture, store) = try recorded()
        store.close()
        let size = try #require(fixture.folder.status("state/state.sqlite")).st_size
        var bytes = try #require(fixture.folder.contents("state/state.sqlite"))
        try #require(size > 0 && bytes.count == size)
        for index in max(0, page * 4096 - 600)..<page * 4096 where index < bytes.count { bytes[index] ^= 0x5a }
        try fixture.folder.write("state/state.sqlite", bytes)
        let next = try ResumeStore(folder: fixture.folder.path("state"))
        let trusted = try next.load(infoHash)?.trustedPieces(in: fixture.fileSet())
        #expect(trusted == nil || trusted?.isEmpty == true || trusted?.isFull == true)
    }

    @Test("a flipped bit in the bitfield of a row is noticed")
    func damagedRow() {
        let progress = ResumeProgress(verified: Bitfield(filled: 9), stamps: [nil])
        #expect(ResumeProgress(pieces: progress.pieces, stamps: progress.stamps, digest: progress.digest) == progress)
        #expect(ResumeProgress(pieces: [0xfe, 0x80], stamps: progress.stamps, digest: progress.digest) == nil)
        #expect(ResumeProgress(pieces: [], stamps: [], digest: []) == nil)
    }

    @Test("stamps survive the way into a blob")
    func stamps() {
        let stamps = [nil, FileStamp(size: 1 << 40, modifiedNanoseconds: -5, inode: .max), nil]
        #expect(ResumeProgress(verified: Bitfield(count: 0), stamps: stamps).fileStamps == stamps)
    }

    @Test("a database of a later version is left alone")
    func laterVersion() throws {
        let folder = try TemporaryFolder()
        _ = try ResumeStore(folder: folder.path)
        let database = try Database(path: folder.path("state.sqlite"))
        try database.execute("PRAGMA user_version = 2")
        #expect(throws: StorageError.newerState(path: folder.path("state.sqlite"))) {
            try ResumeStore(folder: folder.path)
        }
        #expect(folder.status("state.sqlite.damaged") == nil)
    }

    @Test("the folder is ours alone, and so are the files in it")
    func modes() throws {
        let (fixture, store) = try recorded()
        #expect(try #require(fixture.folder.status("state")).st_mode & 0o777 == 0o700)
        #expect(try #require(fixture.folder.status("state/state.sqlite")).st_mode & 0o777 == 0o600)
        #expect(try #require(fixture.folder.status("state/state.sqlite-wal")).st_mode & 0o777 == 0o600)
        store.close()
    }

    @Test("a state file that is a symlink is refused")
    func symlink() throws {
        let folder = try TemporaryFolder()
        try folder.write("target", [])
        try #require(Glibc.symlink("target", folder.path("state.sqlite")) == 0)
        #expect(throws: StorageError.symlink(path: folder.path("state.sqlite"))) {
            try ResumeStore(folder: folder.path)
        }
        #expect(folder.contents("target") == [])
    }

    @Test("two stores on one folder, as of two processes, see each other's torrents")
    func twoStores() throws {
        let folder = try TemporaryFolder()
        let (first, second) = (try ResumeStore(folder: folder.path), try ResumeStore(folder: folder.path))
        try first.add(ResumeRecord(infoHash: infoHash, name: "one", root: "/", info: []))
        #expect(try second.load(infoHash)?.name == "one")
        try second.remove(infoHash)
        #expect(try first.load(infoHash) == nil)
    }
}
