import Metainfo
import Primitives
import Shoal
import TestSupport
import Testing

/// IPv6 and mixed networks over real sockets: `::1` and 127.0.0.1 alone.
@Suite("IPv4 and IPv6", .serialized)
struct DualStackTests {
    /// A node that listens where it is told and knows these others.
    static func node(_ listen: String, knowing bootstrap: [String] = [], state: String? = nil) async throws -> Started {
        var configuration = Configuration()
        configuration.listen = .endpoint(listen)
        configuration.bootstrap = bootstrap
        configuration.stateFolder = state
        let node = Node(configuration)
        try await node.start()
        let (address, address6) = try await node.first { event -> (String, String?)? in
            if case .listening(let listening) = event { (listening.address, listening.address6) } else { nil }
        }
        return Started(node: node, address: address, address6: address6)
    }

    struct Started {
        let node: Node
        let address: String
        let address6: String?

        var port: String { String(address.split(separator: ":").last ?? "") }
    }

    @Test("a file travels over IPv6 alone, found through the IPv6 DHT")
    func onlyV6() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let data = folder.pattern(700_000)
            try folder.write(data, to: "from/file.bin")
            try folder.makeFolder("to")
            let first = try await DualStackTests.node("[::1]:0")
            #expect(first.address.hasPrefix("[::1]:") && first.address6 == nil)
            var others: [Started] = []
            for _ in 0..<4 { others.append(try await DualStackTests.node("[::1]:0", knowing: [first.address])) }
            let torrent = try await others[0].node.share(ShareRequest(paths: [folder.path("from/file.bin")]))
            #expect(torrent.magnet.contains("x.pe=%5B::1%5D:") || torrent.magnet.contains("x.pe=[::1]:"))
            _ = try await others[1].node.complete(.infoHash(torrent.infoHash), FetchOptions(to: folder.path("to")))
            #expect(try folder.read("to/file.bin") == data)
            let found = try await others[2].node.findPeers(of: torrent.infoHash, timeout: 5)
            #expect(found.contains(others[0].address) && found.allSatisfy { $0.hasPrefix("[::1]:") })
            for other in others { await other.node.stop() }
            await first.node.stop()
        }
    }

    @Test("a sharer with both families serves who has only one of them", arguments: ["127.0.0.1", "[::1]"])
    func mixed(fetchersHost: String) async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let data = folder.pattern(700_000)
            try folder.write(data, to: "from/file.bin")
            try folder.makeFolder("to")
            let first = try await DualStackTests.node(":0")
            #expect(first.address == "0.0.0.0:\(first.port)" && first.address6 == "[::]:\(first.port)")
            let both = ["127.0.0.1:\(first.port)", "[::1]:\(first.port)"]
            let sharer = try await DualStackTests.node(":0", knowing: both)
            let torrent = try await sharer.node.share(ShareRequest(paths: [folder.path("from/file.bin")]))
            let fetcher = try await DualStackTests.node("\(fetchersHost):0", knowing: both)
            let hash = torrent.infoHash
            _ = try await fetcher.node.complete(.infoHash(hash), FetchOptions(to: folder.path("to")))
            #expect(try folder.read("to/file.bin") == data)
            for started in [fetcher, sharer, first] { await started.node.stop() }
        }
    }

    @Test("who knows a node over IPv4 alone finds peers that have IPv6 alone")
    func leak() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let data = folder.pattern(300_000)
            try folder.write(data, to: "from/file.bin")
            try folder.makeFolder("to")
            let first = try await DualStackTests.node(":0")
            let sharer = try await DualStackTests.node("[::1]:0", knowing: ["[::1]:\(first.port)"])
            let torrent = try await sharer.node.share(ShareRequest(paths: [folder.path("from/file.bin")]))
            let fetcher = try await DualStackTests.node(":0", knowing: ["127.0.0.1:\(first.port)"])
            let hash = torrent.infoHash
            _ = try await fetcher.node.complete(.infoHash(hash), FetchOptions(to: folder.path("to")))
            #expect(try folder.read("to/file.bin") == data)
            for started in [fetcher, sharer, first] { await started.node.stop() }
        }
    }

    @Test("announced peers survive a restart of the node that keeps them", arguments: ["127.0.0.1:0", "[::1]:0"])
    func storedPeers(listen: String) async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            try folder.write(folder.pattern(10_000), to: "from/file.bin")
            let keeper = try await DualStackTests.node(listen, state: folder.path("state"))
            let sharer = try await DualStackTests.node(listen, knowing: [keeper.address])
            let torrent = try await sharer.node.share(ShareRequest(paths: [folder.path("from/file.bin")]))
            let before = try await keeper.node.findPeers(of: torrent.infoHash, timeout: 2)
            #expect(before.contains(sharer.address))
            await sharer.node.stop()
            await keeper.node.stop()
            #expect(folder.exists(listen.hasPrefix("[") ? "state/dht.peers6" : "state/dht.peers"))
            let again = try await DualStackTests.node(listen, state: folder.path("state"))
            var after: [String] = []
            while !after.contains(sharer.address) {
                after = try await again.node.findPeers(of: torrent.infoHash, timeout: 2)
            }
            await again.node.stop()
        }
    }

    @Test("the DHT nodes that a torrent names are a way into the DHT (D16)", arguments: ["127.0.0.1:0", "[::1]:0"])
    func namedNodes(listen: String) async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            try folder.write(folder.pattern(100_000), to: "from/file.bin")
            let first = try await DualStackTests.node(listen)
            let maker = try await DualStackTests.node(listen)
            let file = try await maker.node.makeTorrent(ShareRequest(paths: [folder.path("from/file.bin")]))
            var torrent = try Torrent(parsing: file.bytes)
            torrent.nodes = [try #require(HostAndPort(first.address))]
            // The sharer knows nobody but whom the torrent names.
            let sharer = try await DualStackTests.node(listen)
            var request = ShareRequest(paths: [folder.path("from/file.bin")])
            request.torrent = torrent.encoded
            let shared = try await sharer.node.share(request)
            let asker = try await DualStackTests.node(listen, knowing: [first.address])
            var found: [String] = []
            while !found.contains(sharer.address) {
                found = try await asker.node.findPeers(of: shared.infoHash, timeout: 2)
            }
            for started in [asker, sharer, maker, first] { await started.node.stop() }
        }
    }
}
