import Glibc
import Shoal
import TestSupport
import Testing

/// A node ends soon and cleanly, whatever it is doing.
@Suite("Stopping", .serialized)
struct StoppingTests {
    /// A node has three seconds; the rest is for a busy machine.
    private static let limit: Duration = .seconds(10)

    @Test("a node that did nothing yet stops, twice, and starts no more")
    func unused() async throws {
        try await withDeadline(StoppingTests.limit) {
            let node = Node(.loopback)
            await node.stop()
            await node.stop()
            await #expect(throws: ShoalError.self) { try await node.start() }
            for await _ in node.events { Issue.record("a node that never ran has nothing to tell") }
        }
    }

    @Test("two that stop the same node both wait until it has stopped")
    func twice() async throws {
        try await withDeadline(StoppingTests.limit) {
            let (node, address) = try await Lonely().node()
            async let one: Void = node.stop()
            async let two: Void = node.stop()
            _ = await (one, two)
            #expect(throws: TemporaryFolder.Failure.self) { try RawConnection.dial(address) }
        }
    }

    @Test("a node that is dropped without a stop leaves nothing behind")
    func dropped() async throws {
        try await withDeadline(StoppingTests.limit) {
            let folder = try TemporaryFolder()
            var address = ""
            do {
                let node = Node(.loopback)
                address = try await node.listening()
                _ = try await node.fetch(.infoHash(.nobody), FetchOptions(to: folder.root, peers: ["127.0.0.1:1"]))
            }
            // The last reference may go a moment later than the scope.
            while (try? RawConnection.dial(address)) != nil { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    @Test("a node stops while it looks for the metadata, with peers that say nothing and a name that has no address")
    func inMetadata() async throws {
        try await withDeadline(StoppingTests.limit) {
            let folder = try TemporaryFolder()
            let silent = try RawListener { _ = $0.isClosedByPeer() }
            let node = try await Lonely().node().node
            let peers = [silent.address, "127.0.0.1:1", "no-such-name.invalid:1"]
            _ = try await node.fetch(.infoHash(.nobody), FetchOptions(to: folder.root, peers: peers))
            await node.stop()
        }
    }

    @Test("whoever waits for a torrent to be made, checked or shared hears that the node stops")
    func inHashing() async throws {
        try await withDeadline(StoppingTests.limit) {
            let folder = try TemporaryFolder()
            try folder.write(folder.pattern(48 << 20), to: "from/file.bin")
            let maker = try await Lonely().node().node
            let file = try await maker.makeTorrent(ShareRequest(paths: [folder.path("from/file.bin")]))
            for step in 0..<3 {
                let (node, _) = try await Lonely().node()
                let work = Task {
                    var request = ShareRequest(paths: [folder.path("from/file.bin")])
                    if step == 1 { request.torrent = file.bytes }
                    if step == 2 { return _ = try await node.verify(file, at: folder.path("from/file.bin")) }
                    try await node.share(request)
                }
                // The first report of a check, or nothing where it was over before.
                try await Task.sleep(for: .milliseconds(5))
                await node.stop()
                _ = await work.result
            }
            await maker.stop()
        }
    }

    @Test("a DHT question that nobody answers ends with the node")
    func inLookups() async throws {
        try await withDeadline(StoppingTests.limit) {
            let node = Node(.loopback)
            _ = try await node.listening()
            let silent = try RawDatagrams()
            let ping = Task { try await node.ping("127.0.0.1:\(silent.port)") }
            #expect(silent.receive() != nil)
            await node.stop()
            let answer = try await ping.value
            #expect(answer == nil)
        }
    }

    @Test("a node stops in the middle of a download, keeps what it has, and says nothing afterwards")
    func inDownload() async throws {
        try await withDeadline(.seconds(20)) {
            let folder = try TemporaryFolder()
            try folder.write(folder.pattern(4 << 20), to: "from/file.bin")
            let lonely = Lonely()
            let (sharer, address) = try await lonely.node()
            let fetcher = try await lonely.node {
                $0.downloadLimit = 1 << 20
                $0.stateFolder = folder.path("state")
            }.node
            try folder.makeFolder("to")
            let hash = try await sharer.share(ShareRequest(paths: [folder.path("from/file.bin")])).infoHash
            _ = try await fetcher.fetch(.infoHash(hash), FetchOptions(to: folder.path("to"), peers: [address]))
            _ = try await fetcher.first { event -> Bool? in
                if case .progress(let progress) = event, progress.done > 0 { true } else { nil }
            }
            let reader = Task { try await fetcher.readVerified(hash, at: 4 << 20 - 1) }
            await fetcher.stop()
            _ = await reader.result
            await #expect(throws: ShoalError.self) { try await fetcher.readVerified(hash, at: 0) }
            await lonely.stop()
        }
    }
}

extension String {
    /// An info-hash that nobody has.
    fileprivate static let nobody = String(repeating: "ab", count: 20)
}
