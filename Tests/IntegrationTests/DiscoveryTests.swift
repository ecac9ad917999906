import Metainfo
import PeerWire
import Primitives
import Shoal
import TestSupport
import Testing

/// How peers find each other, and when they must not.
@Suite("Discovery", .serialized)
struct DiscoveryTests {
    @Test("a peer that was named is enough, by info-hash and by magnet link", arguments: [false, true])
    func namedPeer(inLink: Bool) async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let data = folder.pattern(400_000)
            try folder.write(data, to: "from/file.bin")
            let lonely = Lonely()
            let (sharer, address) = try await lonely.node()
            let (fetcher, _) = try await lonely.node()
            try folder.makeFolder("to")
            let torrent = try await sharer.share(ShareRequest(paths: [folder.path("from/file.bin")]))
            #expect(torrent.magnet.contains("x.pe=127.0.0.1"))
            let source: FetchSource = inLink ? .magnet(torrent.magnet) : .infoHash(torrent.infoHash)
            let options = FetchOptions(to: folder.path("to"), peers: inLink ? [] : [address])
            _ = try await fetcher.complete(source, options)
            #expect(try folder.read("to/file.bin") == data)
            await lonely.stop()
        }
    }

    @Test("a private torrent is not looked for or announced in the DHT, and its handshake does not offer it")
    func privateTorrent() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let data = folder.pattern(200_000)
            try folder.write(data, to: "from/file.bin")
            let network = try await Network(folder: folder, nodes: 2)
            let sharer = Node(.loopback)
            let address = try await sharer.listening()
            let fetcher = try await network.node()
            var request = ShareRequest(paths: [folder.path("from/file.bin")])
            request.isPrivate = true
            let torrent = try await sharer.share(request)
            let file = try #require(try await sharer.torrentFile(torrent.infoHash))
            #expect(file.isPrivate)
            try folder.makeFolder("to")
            let options = FetchOptions(to: folder.path("to"), peers: [address])
            _ = try await fetcher.complete(.torrent(file.bytes), options)
            #expect(try await network.node().findPeers(of: torrent.infoHash, timeout: 5) == [])
            let (wire, theirs) = try #require(try RawConnection.greet(address, torrent.infoHash))
            #expect(!theirs.capabilities.contains(.dht))
            var ids: [UInt8] = []
            while let message = wire.message() {
                ids.append(message.id)
                if ids.count == 2 { break }
            }
            // The extension handshake and what it has; no port of a DHT node.
            #expect(ids == [20, 14])
            await sharer.stop()
            await network.stop()
        }
    }

    @Test("who announced before anybody was there announces again when the DHT is joined")
    func announcesOnceJoined() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let data = folder.pattern(100_000)
            try folder.write(data, to: "from/file.bin")
            let sharer = Node(.loopback)
            let address = try await sharer.listening()
            let torrent = try await sharer.share(ShareRequest(paths: [folder.path("from/file.bin")]))
            // Only now does a network begin, with the sharer as its first node.
            var configuration = Configuration.loopback
            configuration.bootstrap = [address]
            var nodes: [Node] = []
            for _ in 0..<3 {
                let node = Node(configuration)
                _ = try await node.listening()
                nodes.append(node)
            }
            try folder.makeFolder("to")
            _ = try await nodes[2].complete(.infoHash(torrent.infoHash), FetchOptions(to: folder.path("to")))
            #expect(try folder.read("to/file.bin") == data)
            for node in nodes { await node.stop() }
            await sharer.stop()
        }
    }
}
