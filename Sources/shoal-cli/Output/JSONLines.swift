import Shoal

/// Events as the lines of `--json`: names and units are a contract (design, cli.md).
enum JSONLines {
    static func line(for event: Event) -> String {
        switch event {
        case .listening(let listening): return line(for: listening)
        case .dht(let status):
            var object = JSONObject(event: "dht")
            object.add("nodes", status.nodes)
            object.add("joined", status.isJoined)
            return object.line
        case .torrent(let torrent): return line(for: torrent)
        case .progress(let progress): return line(for: progress)
        case .peer(let peer): return line(for: peer)
        case .tracker(let tracker): return line(for: tracker)
        case .portMapping(let status): return line(for: status)
        case .refusals(let refusals): return line(for: refusals)
        case .done(let completion): return line(for: completion)
        case .failed(let infoHash, let error): return line(for: error, infoHash: infoHash)
        case .published(let publication):
            var object = JSONObject(event: "published")
            object.add("info_hash", publication.infoHash)
            object.add("magnet", publication.magnet)
            object.add("key", publication.key)
            object.add("seq", publication.sequence)
            object.add("nodes", publication.nodes)
            return object.line
        case .version(let version):
            var object = JSONObject(event: "version")
            object.add("info_hash", version.infoHash)
            object.add("seq", version.sequence)
            if let previous = version.previous { object.add("previous", previous) }
            return object.line
        case .interrupted(let signal):
            var object = JSONObject(event: "interrupted")
            object.add("signal", signal)
            return object.line
        case .notice(let message):
            var object = JSONObject(event: "notice")
            object.add("message", message)
            return object.line
        }
    }

    /// The key of this host.
    ///
    /// - Parameter aside: where the one is that it replaced.
    static func line(for identity: NodeIdentity, aside: String? = nil) -> String {
        var object = JSONObject(event: "identity")
        object.add("key", identity.key)
        object.add("node_id", identity.nodeID)
        object.addIfPresent("last_node_id", identity.lastNodeID)
        object.addIfPresent("last_node_id6", identity.lastNodeID6)
        object.add("file", identity.file)
        object.add("created", identity.created)
        object.addIfPresent("replaced", aside)
        return object.line
    }

    /// The key of a private swarm was made, in a file that is named as it was asked for.
    static func line(forSwarmKeyIn file: String) -> String {
        var object = JSONObject(event: "swarm_key")
        object.add("file", file)
        return object.line
    }

    /// What ended the program, or one torrent.
    static func line(for error: ShoalError, infoHash: String? = nil) -> String {
        var object = JSONObject(event: "error")
        object.add("code", error.code.rawValue)
        object.add("exit", error.code.exitCode)
        object.addIfPresent("info_hash", infoHash)
        object.add("message", error.message)
        return object.line
    }

    private static func line(for listening: Listening) -> String {
        var object = JSONObject(event: "listening")
        object.add("address", listening.address)
        object.addIfPresent("address6", listening.address6)
        object.add("node_id", listening.nodeID)
        object.add("key", listening.key)
        object.add("key_origin", listening.keyOrigin.rawValue)
        return object.line
    }

    private static func line(for torrent: TorrentInfo) -> String {
        var object = JSONObject(event: "torrent")
        object.add("info_hash", torrent.infoHash)
        object.add("name", torrent.name)
        object.add("size", torrent.size)
        object.add("piece_length", torrent.pieceLength)
        object.add("pieces", torrent.pieces)
        object.add("files", torrent.files)
        object.add("magnet", torrent.magnet)
        return object.line
    }

    private static func line(for progress: Progress) -> String {
        var object = JSONObject(event: "progress")
        object.add("info_hash", progress.infoHash)
        object.add("state", progress.state.rawValue)
        object.add("done", progress.done)
        object.add("size", progress.size)
        object.add("percent", progress.percent, digits: 1)
        object.add("down_bps", progress.downRate)
        object.add("up_bps", progress.upRate)
        object.add("downloaded", progress.downloaded)
        object.add("uploaded", progress.uploaded)
        object.add("peers", progress.peers)
        object.add("eta_s", progress.secondsLeft, digits: 1)
        object.addIfPresent("waiting_for", progress.waitingFor)
        return object.line
    }

    private static func line(for peer: PeerStatus) -> String {
        var object = JSONObject(event: "peer")
        object.add("info_hash", peer.infoHash)
        object.add("address", peer.address)
        object.add("state", peer.state.rawValue)
        object.add("source", peer.source)
        object.add("secure", peer.isSecure)
        object.addIfPresent("key", peer.key)
        if peer.isChosenForRecord { object.add("chosen", "record") }
        object.addIfPresent("client", peer.client)
        object.addIfPresent("reason", peer.reason)
        object.addIfPresent("detail", peer.detail)
        object.add("downloaded", peer.downloaded)
        object.add("pieces", peer.pieces)
        return object.line
    }

    private static func line(for refusals: Refusals) -> String {
        var object = JSONObject(event: "refusals")
        object.add("plain", refusals.plain)
        object.add("mse_or_unknown", refusals.mseOrUnknown)
        object.add("handshakes", refusals.handshakes)
        object.add("hellos", refusals.hellos)
        object.add("crowded", refusals.crowded)
        object.add("banned", refusals.banned)
        return object.line
    }

    private static func line(for completion: Completion) -> String {
        var object = JSONObject(event: "done")
        object.add("info_hash", completion.infoHash)
        object.add("path", completion.path)
        object.add("size", completion.size)
        object.add("downloaded", completion.downloaded)
        object.add("seconds", completion.seconds, digits: 3)
        object.add("verified", true)
        return object.line
    }
}

extension Progress {
    /// With one digit behind the point, rounded down: 100 means that everything is there.
    var percent: Double {
        guard size > 0 else { return state == .seeding ? 100 : 0 }
        let tenths = (Double(max(0, done)) / Double(size) * 1000).rounded(.down)
        return (done >= size ? 1000 : min(tenths, 999)) / 10
    }
}
