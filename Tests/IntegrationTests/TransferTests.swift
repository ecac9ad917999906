import Glibc
import Shoal
import TestSupport
import Testing

/// Whole nodes on loopback: what sockets and disks can break.
@Suite("Transfers", .serialized)
struct TransferTests {
    @Test(
        "a file travels by bare info-hash, found through the DHT, whatever its size",
        arguments: [0, 1, 16_383, 16_384, 16_385, 1_048_576, 5_000_003]
    )
    func sizes(size: Int) async throws {
        let folder = try TemporaryFolder()
        let data = folder.pattern(size)
        try folder.write(data, to: "from/file.bin")
        let network = try await Network(folder: folder, nodes: 3)
        let sharer = try await network.node()
        let torrent = try await sharer.share(ShareRequest(paths: [folder.path("from/file.bin")]))
        let fetcher = try await network.node()
        var options = FetchOptions()
        options.output = folder.path("to") + "/"
        try folder.makeFolder("to")
        let done = try await fetcher.complete(.infoHash(torrent.infoHash), options)
        #expect(done.size == Int64(size))
        #expect(try folder.read("to/file.bin") == data)
        await network.stop()
    }

    @Test("a folder arrives with its empty file, its one-byte file and its UTF-8 names")
    func folderTravels() async throws {
        let folder = try TemporaryFolder()
        let names = ["a/b/c.bin": 70_000, "empty": 0, "one": 1, "größe/文件.txt": 20_000, "z": 3]
        for (name, size) in names { try folder.write(folder.pattern(size), to: "from/tree/" + name) }
        let network = try await Network(folder: folder, nodes: 2)
        let torrent = try await network.node().share(ShareRequest(paths: [folder.path("from/tree")]))
        var options = FetchOptions()
        try folder.makeFolder("to")
        options.output = folder.path("to")
        let done = try await network.node().complete(.infoHash(torrent.infoHash), options)
        #expect(done.path == folder.path("to/tree"))
        for (name, size) in names { #expect(try folder.read("to/tree/" + name) == folder.pattern(size)) }
        await network.stop()
    }

    @Test("bytes corrupted on disk are found and fetched again, and nothing else is")
    func repairs() async throws {
        let folder = try TemporaryFolder()
        let data = folder.pattern(2_000_000)
        try folder.write(data, to: "from/file.bin")
        let network = try await Network(folder: folder, nodes: 2)
        let torrent = try await network.node().share(ShareRequest(paths: [folder.path("from/file.bin")]))
        var broken = data
        broken[1_000_000] ^= 1
        try folder.write(broken, to: "to/file.bin")
        var options = FetchOptions()
        options.output = folder.path("to")
        let done = try await network.node().complete(.infoHash(torrent.infoHash), options)
        #expect(try folder.read("to/file.bin") == data)
        #expect(done.downloaded > 0 && done.downloaded < 600_000)
        await network.stop()
    }

    @Test("a file that is something else is left alone")
    func keepsStrangers() async throws {
        let folder = try TemporaryFolder()
        try folder.write(folder.pattern(100_000), to: "from/file.bin")
        let network = try await Network(folder: folder, nodes: 2)
        let torrent = try await network.node().share(ShareRequest(paths: [folder.path("from/file.bin")]))
        let precious = [UInt8](repeating: 7, count: 50_000)
        try folder.write(precious, to: "to/file.bin")
        var options = FetchOptions()
        options.output = folder.path("to")
        await #expect(throws: ShoalError.self) {
            try await network.node().complete(.infoHash(torrent.infoHash), options)
        }
        #expect(try folder.read("to/file.bin") == precious)
        await network.stop()
    }

    @Test("a file under another name is no part of the former download, and left alone")
    func keepsNeighbours() async throws {
        let folder = try TemporaryFolder()
        try folder.write(folder.pattern(100_000), to: "from/file.bin")
        let lonely = Lonely()
        let (sharer, address) = try await lonely.node()
        let hash = try await sharer.share(ShareRequest(paths: [folder.path("from/file.bin")])).infoHash
        try folder.makeFolder("to")
        let fetcher = try await lonely.node { $0.stateFolder = folder.path("state") }.node
        var options = FetchOptions(to: folder.path("to"), peers: [address])
        options.output = folder.path("to/one.bin")
        _ = try await fetcher.complete(.infoHash(hash), options)
        await fetcher.stop()
        let precious = [UInt8](repeating: 7, count: 50_000)
        try folder.write(precious, to: "to/two.bin")
        options.output = folder.path("to/two.bin")
        let again = try await lonely.node { $0.stateFolder = folder.path("state") }.node
        await #expect(throws: ShoalError.self) { try await again.complete(.infoHash(hash), options) }
        #expect(try folder.read("to/two.bin") == precious)
        await lonely.stop()
    }
}
