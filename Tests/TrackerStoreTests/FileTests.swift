import Primitives
import TestSupport
import Testing
import TrackerStore

@Suite("The catalogue in the database")
struct FileTests {
    static let hostile = ["x'; DROP TABLE shoal_files; --", "\"$1\"", "%_\\", "ä😀", "a b", "NULL", "?1", "-- x"]

    private func file(_ name: String, _ owner: FileOwner = .account("anna"), hash: UInt32 = 1) -> CatalogueFile {
        CatalogueFile(
            name: name,
            infoHash: infoHash(hash),
            size: 1 << 40,
            pieceLength: 1 << 20,
            pieces: 1 << 20,
            owner: owner,
            created: 77
        )
    }

    private func place(_ file: CatalogueFile, in store: TrackerStore, replacing: InfoHash? = nil) throws
        -> FilePlacement
    {
        try store.placeFile(file, torrent: [1, 2], replacing: replacing, limits: CatalogueLimits())
    }

    @Test("what is registered is found by any node, with the bytes of its torrent", arguments: Database.all)
    func registering(_ kind: Database) throws {
        let database = try TestDatabase(kind)
        let (one, two) = (try database.open(), try database.open())
        let torrent = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }

        #expect(try one.placeFile(file("f"), torrent: torrent, replacing: nil, limits: CatalogueLimits()) == .added)
        #expect(try two.file(named: "f") == file("f"))
        #expect(try two.torrent(named: "f") == torrent)
        #expect(try two.fileCount() == 1)
        #expect(try two.file(named: "g") == nil)
        #expect(try two.torrent(named: "g") == nil)
    }

    @Test("names are never part of a statement", arguments: Database.all)
    func metacharacters(_ kind: Database) throws {
        let store = try TestDatabase(kind).open()
        for name in FileTests.hostile { #expect(try place(file(name, .address(name)), in: store) == .added) }

        #expect(try store.files(limit: 100).map(\.name).sorted() == FileTests.hostile.sorted())
        for name in FileTests.hostile {
            #expect(try store.file(named: name)?.owner == .address(name))
            #expect(try store.removeFile(named: name, of: .address(name)))
        }
        #expect(try store.fileCount() == 0)
    }

    @Test("a name with a NUL harms neither database", arguments: Database.all)
    func nul(_ kind: Database) throws {
        let store = try TestDatabase(kind).open()
        // PostgreSQL refuses it; the rules for names refuse it before.
        _ = try? place(file("a\0b"), in: store)
        #expect(try place(file("a"), in: store) == .added)
        #expect(try store.file(named: "a")?.name == "a")
    }

    @Test("a name is its owner's, until its torrent is given up", arguments: Database.all)
    func owning(_ kind: Database) throws {
        let store = try TestDatabase(kind).open()
        #expect(try place(file("f"), in: store) == .added)
        #expect(try place(file("f", hash: 2), in: store) == .replaced)

        let stranger = file("f", .account("otto"), hash: 3)
        #expect(try place(stranger, in: store) == .taken(file("f", hash: 2)))
        #expect(try place(file("f", .address("anna"), hash: 3), in: store) == .taken(file("f", hash: 2)))
        // It was looked at before it was replaced by its owner: no longer what the caller meant.
        #expect(try place(stranger, in: store, replacing: infoHash(1)) == .taken(file("f", hash: 2)))
        #expect(try place(stranger, in: store, replacing: infoHash(2)) == .replaced)

        #expect(try store.removeFile(named: "f", of: .account("anna")) == false)
        #expect(try store.removeFile(named: "f", of: nil))
        #expect(try store.torrent(named: "f") == nil)
    }

    @Test("an owner and the catalogue are full at their limits", arguments: Database.all)
    func limits(_ kind: Database) throws {
        let store = try TestDatabase(kind).open()
        var limits = CatalogueLimits()
        limits.filesPerOwner = 2
        limits.files = 3
        limits.bytesPerOwner = 10
        limits.bytes = 14
        func place(_ name: String, _ owner: String, _ bytes: Int) throws -> FilePlacement {
            let torrent = [UInt8](repeating: 1, count: bytes)
            return try store.placeFile(file(name, .account(owner)), torrent: torrent, replacing: nil, limits: limits)
        }

        #expect(try place("a", "anna", 11) == .ownerIsFull)
        #expect(try place("a", "anna", 9) == .added)
        #expect(try place("b", "anna", 2) == .ownerIsFull)
        #expect(try place("b", "anna", 1) == .added)
        #expect(try place("c", "anna", 0) == .ownerIsFull)
        // What it replaces is not counted.
        #expect(try place("a", "anna", 9) == .replaced)
        #expect(try place("c", "otto", 5) == .catalogueIsFull)
        #expect(try place("c", "otto", 4) == .added)
        #expect(try place("d", "otto", 0) == .catalogueIsFull)
    }

    @Test("files come in pages, in the order of their bytes", arguments: Database.all)
    func paging(_ kind: Database) throws {
        let store = try TestDatabase(kind).open()
        for name in ["b", "B", "ä", "a"] { #expect(try place(file(name), in: store) == .added) }
        #expect(try store.files(limit: 3).map(\.name) == ["B", "a", "b"])
        #expect(try store.files(after: "b", limit: 3).map(\.name) == ["ä"])
    }
}

func infoHash(_ value: UInt32) -> InfoHash { InfoHash(UInt160(high: 0, middle: 0, low: value)) }
