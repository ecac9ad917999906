import Shoal
import TestSupport
import Testing

@Suite("Rate limits", .serialized)
struct RateLimitTests {
    /// Bytes a second.
    private static let limit = 1_000_000

    @Test("a download limit holds roughly, and so does an upload limit", arguments: [true, false])
    func holds(isDownload: Bool) async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let data = folder.pattern(2_500_000)
            try folder.write(data, to: "from/file.bin")
            let lonely = Lonely()
            let (sharer, address) = try await lonely.node { if !isDownload { $0.uploadLimit = RateLimitTests.limit } }
            let (fetcher, _) = try await lonely.node { if isDownload { $0.downloadLimit = RateLimitTests.limit } }
            try folder.makeFolder("to")
            let hash = try await sharer.share(ShareRequest(paths: [folder.path("from/file.bin")])).infoHash
            let done = try await fetcher.complete(
                .infoHash(hash),
                FetchOptions(to: folder.path("to"), peers: [address])
            )
            // Bytes over time, with room for the quarter of a second that a limit may run ahead.
            #expect(Double(done.downloaded) < Double(RateLimitTests.limit) * (done.seconds * 1.5 + 0.5))
            #expect(try folder.read("to/file.bin") == data)
            await lonely.stop()
        }
    }

    @Test("under an upload limit two that fetch get a share each")
    func shares() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let size = 1_500_000
            for name in ["one", "two"] { try folder.write(folder.pattern(size), to: "from/\(name).bin") }
            let lonely = Lonely()
            let (sharer, address) = try await lonely.node { $0.uploadLimit = RateLimitTests.limit }
            try folder.makeFolder("to")
            var fetchers: [(node: Node, hash: String)] = []
            for name in ["one", "two"] {
                // Two torrents: between fetchers of one they would help each other.
                var request = ShareRequest(paths: [folder.path("from/\(name).bin")])
                request.name = name
                let hash = try await sharer.share(request).infoHash
                fetchers.append((try await lonely.node().node, hash))
            }
            for fetcher in fetchers {
                let options = FetchOptions(to: folder.path("to"), peers: [address])
                _ = try await fetcher.node.fetch(.infoHash(fetcher.hash), options)
            }
            let one = try await fetchers[0].node.completion(of: fetchers[0].hash)
            let two = try await fetchers[1].node.completion(of: fetchers[1].hash)
            // Served one after the other, the first would be through in half the time of the second.
            #expect(min(one.seconds, two.seconds) > 0.7 * max(one.seconds, two.seconds))
            await lonely.stop()
        }
    }
}
