import Shoal
import TrackerProtocol

/// `shoal share PATH...`
enum ShareCommand {
    static func run(
        _ share: Invocation.Share,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        var request = share.request
        if let file = share.torrentFile {
            request.torrent = try console.contents(of: file, limit: FetchTarget.torrentLimit)
        }
        let update = try share.update.map { (signature) throws(ShoalError) in
            try DHTVersion(signature, options, on: console)
        }
        var configuration = try share.network.configuration(on: console)
        let access = TrackerAccess(request.trackers, stateFolder: share.network.stateFolder)
        request.trackers = access.urls.map(\.text)
        configuration.trackerPasskeys = access.passkeys
        var session = EngineSession(configuration, purpose: .share, options: options, on: console)
        return try await session.run { [request] node throws(ShoalError) in
            try await node.start()
            let torrent = try await node.share(request)
            // With a list of peers, or a key of theirs, the names are not for everybody either.
            let isPublic = share.network.trustFile == nil && share.network.swarmKeyFile == nil
            if isPublic, let file = try await node.torrentFile(torrent.infoHash) {
                await register(file, at: access.urls, stateFolder: share.network.stateFolder, on: node)
            }
            if let update { try await publish(torrent.infoHash, as: update, on: node) }
        } preparing: { node, event throws(ShoalError) in
            // Whoever is told of the torrent finds its file there.
            guard case .torrent(let torrent) = event, let path = share.saveTorrent else { return }
            guard let file = try await node.torrentFile(torrent.infoHash) else { return }
            // Whoever loads it into another client needs the account that it is shared by.
            try console.save(file.with(passkeys: access.passkeys).bytes, at: path)
        } _: { session, happening throws(ShoalError) in
            guard !options.json else { return .goOn }
            let isTerminal = console.isTerminal(.standardOutput)
            let network = share.network
            switch happening {
            case .event(.torrent(let torrent)):
                try session.print(ShareAnnouncement(torrent, outputIsTerminal: isTerminal, network: network))
            case .event(.published(let publication)):
                try session.print(ShareAnnouncement(publication, outputIsTerminal: isTerminal, network: network))
            default: break
            }
            return .goOn
        }
    }

    /// Registers the torrent by its name in the catalogues of trackers, each in its own time.
    private static func register(
        _ file: TorrentFile,
        at trackers: [TrackerURL],
        stateFolder: String?,
        on node: Node
    ) async {
        for tracker in trackers where tracker.scheme != .udp {
            Task {
                await Registration.register(file, at: tracker, stateFolder: stateFolder) { await node.tell($0) }
            }
        }
    }

    /// How long a version may take to be found and stored.
    private static let publishLimit = 10.0
    private static let pauseBeforeRetry = Duration.seconds(15)

    /// Publishes the torrent, as soon as there is somebody to publish it with; then the node repeats it hourly.
    private static func publish(
        _ infoHash: String,
        as version: DHTVersion,
        on node: Node
    ) async throws(ShoalError) {
        var version = version
        version.isKept = true
        while !Task.isCancelled {
            do throws(ShoalError) {
                try await node.publish(infoHash, as: version, timeout: publishLimit)
                return
            } catch {
                guard error.code == .noPeers || error.code == .timedOut else { throw error }
            }
            try? await Task.sleep(for: pauseBeforeRetry)
        }
    }
}
