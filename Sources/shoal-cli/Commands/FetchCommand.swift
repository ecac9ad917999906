import Primitives
import Shoal
import TrackerProtocol

/// `shoal fetch WHAT`
enum FetchCommand {
    static func run(
        _ fetch: Invocation.Fetch,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        var configuration = try fetch.network.configuration(on: console)
        let folder = fetch.network.stateFolder
        let (source, tracker) = try await fetch.target.source(stateFolder: folder, on: console)
        var request = fetch.options
        request.timeout = fetch.timeout?.inSeconds
        let access = TrackerAccess(request.trackers + [tracker].compactMap { $0 }, stateFolder: folder)
        request.trackers = access.urls.map(\.text)
        configuration.trackerPasskeys = access.passkeys
        let streams = request.standardOutput
        var session = EngineSession(
            configuration,
            purpose: .fetch,
            options: options,
            on: console
        )
        return try await session.run { [request] node throws(ShoalError) in
            try await node.start()
            var (source, version) = (source, TorrentVersion?.none)
            if case .published(let link) = fetch.target {
                version = try await newest(link, limit: fetch.timeout, on: node)
                source = version.map { .infoHash($0.infoHash) } ?? source
            }
            let infoHash = try await node.fetch(source, request)
            if streams { try await copy(infoHash, from: node, to: console) }
            if case .published(let link) = fetch.target, let version, fetch.keepsSharing {
                await follow(link, from: version, every: fetch.checkInterval, on: node)
            }
        } _: { _, happening in
            switch happening {
            case .event(.done) where !streams: fetch.keepsSharing ? .goOn : .exit(0)
            case .workDone where streams: fetch.keepsSharing ? .goOn : .exit(0)
            default: .goOn
            }
        }
    }

    /// How long one search for a publisher's version may take.
    private static let searchLimit = 10.0
    private static let pauseBeforeRetry = Duration.seconds(2)

    /// The newest version of what a link's publisher publishes. Waits for the first node of the DHT as long as the person
    /// does.
    private static func newest(
        _ link: String,
        limit: Duration?,
        on node: Node
    ) async throws(ShoalError) -> TorrentVersion {
        let clock = ContinuousClock()
        let beganAt = clock.now
        while true {
            do throws(ShoalError) {
                if let version = try await node.newestVersion(of: link, timeout: searchLimit) { return version }
                throw ShoalError(.notFound, "the DHT knows no version of what this publisher's key stands for")
            } catch {
                let isOver = limit.map { clock.now - beganAt >= $0 } ?? false
                guard error.code == .noPeers, !isOver, !Task.isCancelled else { throw error }
            }
            try? await Task.sleep(for: pauseBeforeRetry)
        }
    }

    /// Looks for newer versions until the end; the node's events tell of them.
    private static func follow(_ link: String, from version: TorrentVersion, every interval: Duration, on node: Node)
        async
    {
        var sequence = version.sequence
        while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            // Nobody answering now is no reason to stop sharing.
            guard let newer = try? await node.newestVersion(of: link, newerThan: sequence, timeout: searchLimit) else {
                continue
            }
            sequence = newer.sequence
        }
    }

    /// Copies the file to standard output, each part as soon as it is verified.
    private static func copy(_ infoHash: String, from node: Node, to console: some Console) async throws(ShoalError) {
        var offset: Int64 = 0
        while let bytes = try await node.readVerified(infoHash, at: offset) {
            try console.write(bytes, to: .standardOutput)
            offset += Int64(bytes.count)
        }
    }
}
