import Primitives
import Shoal
import TestSupport
import Testing
import TrackerProtocol
import TrackerServer

/// Whole nodes that find each other through a tracker and nothing else.
@Suite("Trackers", .serialized)
struct TrackerTests {
    /// A tracker, a sharer that announces to it, and a folder to fetch into.
    private struct Stage {
        let lonely = Lonely()
        let folder: TemporaryFolder
        let data: [UInt8]
        let tracker: TrackerNode
        let place: String

        init(at address: String = "127.0.0.1:0", _ configure: (inout TrackerConfiguration) -> Void = { _ in })
            async throws
        {
            folder = try TemporaryFolder()
            data = folder.pattern(300_000)
            try folder.write(data, to: "from/file.bin")
            try folder.makeFolder("to")
            tracker = try await Stage.tracker(at: address, configure)
            place = try #require(await tracker.endpoints.first).description
        }

        static func tracker(
            at address: String,
            _ configure: (inout TrackerConfiguration) -> Void = { _ in }
        ) async throws -> TrackerNode {
            var configuration = TrackerConfiguration()
            configuration.listening = .at(try #require(Endpoint(address)))
            configure(&configuration)
            let tracker = TrackerNode(configuration)
            try await tracker.start()
            return tracker
        }

        func share(
            _ trackers: [String],
            _ configure: (inout Configuration) -> Void = { _ in },
            _ change: (inout ShareRequest) -> Void = { _ in }
        ) async throws -> (node: Node, torrent: TorrentInfo) {
            let node = try await lonely.node(configure).node
            var request = ShareRequest(paths: [folder.path("from/file.bin")])
            request.trackers = trackers
            change(&request)
            return (node, try await node.share(request))
        }

        /// Fetches, and returns what trackers said on the way.
        func fetch(
            _ source: FetchSource,
            _ trackers: [String] = [],
            _ configure: (inout Configuration) -> Void = { _ in }
        ) async throws -> [TrackerStatus] {
            let node = try await lonely.node(configure).node
            var options = FetchOptions(to: folder.path("to"))
            options.trackers = trackers
            let hash = try await node.fetch(source, options)
            var said: [TrackerStatus] = []
            _ = try await node.completion(of: hash) { if case .tracker(let status) = $0 { said.append(status) } }
            #expect(try folder.read("to/file.bin") == data)
            await node.stop()
            return said
        }

        /// Seeders, leechers and completed downloads, as the tracker has them.
        func count(_ torrent: TorrentInfo) async throws -> TrackerCount {
            let infoHash = try #require(InfoHash(hex: torrent.infoHash))
            return try #require(
                await tracker.withCore { core in
                    let count = core.registry.scrape(infoHash, .v4)
                    return TrackerCount(seeders: count.seeds, leechers: count.leechers, completed: count.downloaded)
                }
            )
        }

        func stop() async {
            await lonely.stop()
            await tracker.stop()
        }
    }

    @Test(
        "a node finds another through it, is counted once when it is done, and is taken out when it ends",
        arguments: ["http", "udp"]
    )
    func meeting(scheme: String) async throws {
        try await withDeadline {
            let stage = try await Stage()
            let url = "\(scheme)://\(stage.place)"
            let (sharer, torrent) = try await stage.share([url])
            #expect(try await stage.count(torrent) == TrackerCount(seeders: 1, leechers: 0, completed: 0))
            // The link names the tracker; the torrent's sharer is known from nowhere else.
            #expect(torrent.magnet.contains("&tr="))
            let link = String(torrent.magnet.prefix { $0 != "&" }) + "&tr=\(url)"
            let said = try await stage.fetch(.magnet(link))
            #expect(said.first?.state == .announced && said.first?.seeders == 1 && said.first?.peers == 1)
            #expect(said.first?.tracker == url)
            // A fetch that ends says that it is complete, and then that it goes.
            #expect(try await stage.count(torrent) == TrackerCount(seeders: 1, leechers: 0, completed: 1))
            let scraped = try await sharer.scrape(torrent.infoHash, at: url)
            #expect(scraped.seeders == 1 && scraped.leechers == 0 && scraped.completed == 1)
            await sharer.stop()
            #expect(try await stage.count(torrent) == TrackerCount(seeders: 0, leechers: 0, completed: 1))
            await stage.stop()
        }
    }

    @Test("a node that is stopped while a tracker lets it wait ends the question at once")
    func stopped() async throws {
        try await withDeadline {
            let tracker = try RawDatagrams()
            let node = try await Lonely().node().node
            let question = Task {
                try await node.scrape(String(repeating: "ab", count: 20), at: "udp://127.0.0.1:\(tracker.port)")
            }
            #expect(tracker.receive() != nil)
            await node.stop()
            await #expect(throws: ShoalError.self) { try await question.value }
        }
    }

    @Test("over IPv6 too, on the same port", arguments: ["http", "udp"])
    func ipv6(scheme: String) async throws {
        try await withDeadline {
            let stage = try await Stage(at: "[::1]:0")
            let url = "\(scheme)://\(stage.place)"
            let local: (inout Configuration) -> Void = { $0.listen = .endpoint("[::1]:0") }
            let (_, torrent) = try await stage.share([url], local)
            _ = try await stage.fetch(.infoHash(torrent.infoHash), [url], local)
            await stage.stop()
        }
    }

    @Test("a private torrent lives by its tracker alone (BEP 27)")
    func privately() async throws {
        try await withDeadline {
            let stage = try await Stage()
            let (sharer, torrent) = try await stage.share(["http://\(stage.place)"]) { _ in
            } _: {
                $0.isPrivate = true
            }
            let file = try #require(await sharer.torrentFile(torrent.infoHash))
            #expect(file.isPrivate && file.trackers == ["http://\(stage.place)/announce"])
            _ = try await stage.fetch(.torrent(file.bytes))
            await stage.stop()
        }
    }

    @Test("a tracker that is not there is named with the reason, and the next tier is asked (BEP 12)")
    func tiers() async throws {
        try await withDeadline {
            let stage = try await Stage()
            let (sharer, torrent) = try await stage.share(["http://127.0.0.1:1", "http://\(stage.place)"])
            let file = try #require(await sharer.torrentFile(torrent.infoHash))
            let said = try await stage.fetch(.torrent(file.bytes))
            #expect(said.first?.state == .failed && said.first?.tracker == "http://127.0.0.1:1")
            #expect(said.first?.message?.contains("connection refused") == true)
            #expect(said.contains { $0.state == .announced })
            await stage.stop()
        }
    }

    @Test("what is checked first is announced as what it turned out to be")
    func checkedFirst() async throws {
        try await withDeadline {
            let stage = try await Stage()
            let (first, torrent) = try await stage.share([])
            let file = try #require(await first.torrentFile(torrent.infoHash))
            await first.stop()
            _ = try await stage.share(["http://\(stage.place)"]) { _ in
            } _: {
                $0.torrent = file.bytes
            }
            #expect(try await stage.count(torrent) == TrackerCount(seeders: 1, leechers: 0, completed: 0))
            await stage.stop()
        }
    }

    @Test("a tracker's refusal is told in its own words")
    func refusal() async throws {
        try await withDeadline {
            let stage = try await Stage()
            let list = stage.folder.path("deny")
            let (first, torrent) = try await stage.share([])
            await first.stop()
            try stage.folder.write(Array((torrent.infoHash + "\n").utf8), to: "deny")
            let strict = try await Stage.tracker(at: "127.0.0.1:0") { $0.denyList = list }
            let place = try #require(await strict.endpoints.first)
            for scheme in ["http", "udp"] {
                let node = try await stage.lonely.node().node
                var request = ShareRequest(paths: [stage.folder.path("from/file.bin")])
                request.trackers = ["\(scheme)://\(place)"]
                try await node.share(request)
                let status = try await node.first { if case .tracker(let status) = $0 { status } else { nil } }
                #expect(status.state == .failed && status.message?.isEmpty == false, "\(scheme): \(status)")
                await node.stop()
            }
            await strict.stop()
            await stage.stop()
        }
    }

    @Test("whoever announces says which pieces it holds")
    func holders() async throws {
        try await withDeadline {
            let stage = try await Stage()
            let (_, torrent) = try await stage.share(["http://\(stage.place)"])
            let infoHash = try #require(InfoHash(hex: torrent.infoHash))
            let pieces = torrent.pieces
            let holders = await stage.tracker.withCore { core in
                core.registry.holders(of: infoHash, for: .loopbackV4)?.holders.count { $0.count == 1 }
            }
            #expect(holders == pieces)
            await stage.stop()
        }
    }

    @Test("a tracker that was away is announced to again as soon as it answers")
    func restart() async throws {
        try await withDeadline(.seconds(40)) {
            let stage = try await Stage { $0.limits.interval = .seconds(1) }
            let (sharer, torrent) = try await stage.share(["http://\(stage.place)"])
            await stage.tracker.stop()
            let again = try await Stage.tracker(at: stage.place) { $0.limits.interval = .seconds(1) }
            let infoHash = try #require(InfoHash(hex: torrent.infoHash))
            // Nothing was written down: what the new one knows it has been told.
            while await again.withCore({ $0.registry.scrape(infoHash, .v4).seeds }) != 1 {
                _ = try await sharer.first {
                    if case .tracker(let status) = $0, status.state == .announced { true } else { nil }
                }
            }
            await stage.lonely.stop()
            await again.stop()
        }
    }
}
