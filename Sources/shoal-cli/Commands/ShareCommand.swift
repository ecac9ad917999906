import Shoal

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
        var session = EngineSession(
            try share.network.configuration(on: console),
            purpose: .share,
            options: options,
            on: console
        )
        return try await session.run { [request] node throws(ShoalError) in
            try await node.start()
            let torrent = try await node.share(request)
            if let path = share.saveTorrent, let file = try await node.torrentFile(torrent.infoHash) {
                try console.save(file.bytes, at: path)
            }
        } _: { session, happening throws(ShoalError) in
            if case .event(.torrent(let torrent)) = happening, !options.json {
                let isTerminal = console.isTerminal(.standardOutput)
                try session.print(ShareAnnouncement(torrent, outputIsTerminal: isTerminal))
            }
            return .goOn
        }
    }
}
