import Shoal

/// The lines that stay on the screen: a torrent became known, a peer was banned, it is done.
enum LastingLines {
    static func lines(
        for event: Event,
        torrent: TorrentInfo?,
        purpose: Display.Purpose,
        style: Display.Style
    ) -> [String] {
        switch event {
        case .listening(let address, let nodeID):
            return purpose == .node || style.isVerbose ? ["listening on \(address), node \(nodeID)"] : []
        case .dht, .progress, .interrupted: return []
        case .torrent(let torrent): return purpose == .fetch ? [description(of: torrent)] : []
        case .peer(let peer): return line(for: peer, style: style).map { [$0] } ?? []
        case .done(let completion):
            return purpose == .fetch ? [line(for: completion, torrent: torrent, style: style)] : []
        case .failed(_, let error): return [line(for: error, usesColor: style.usesColor)]
        case .notice(let message):
            let text = SafeText.forTerminal(message)
            return [style.usesColor ? Paint.yellow(text) : text]
        }
    }

    /// The line that says why the program ends.
    static func line(for error: ShoalError, usesColor: Bool) -> String {
        (usesColor ? Paint.red("shoal:") : "shoal:") + " " + SafeText.forTerminal(error.message)
    }

    private static func description(of torrent: TorrentInfo) -> String {
        let files = torrent.files > 1 ? " in \(torrent.files) files" : ""
        let pieces = HumanUnits.count(torrent.pieces, "piece")
        return "\(SafeText.forTerminal(torrent.name)): \(HumanUnits.size(torrent.size))\(files), \(pieces)"
    }

    private static func line(for peer: PeerStatus, style: Display.Style) -> String? {
        // Who lied is worth knowing always; who comes and goes only when asked.
        guard peer.state == .banned || style.isVerbose else { return nil }
        var text = "peer \(peer.address) \(peer.state.rawValue)"
        if let client = peer.client, !client.isEmpty { text += ", \(client)" }
        if peer.state == .connected, !peer.source.isEmpty { text += ", known from \(peer.source)" }
        if let reason = peer.reason { text += ": \(reason.split(separator: "_").joined(separator: " "))" }
        let safe = SafeText.forTerminal(text)
        return style.usesColor && peer.state == .banned ? Paint.yellow(safe) : safe
    }

    private static func line(for completion: Completion, torrent: TorrentInfo?, style: Display.Style) -> String {
        let path = SafeText.forTerminal(completion.path)
        let size = HumanUnits.size(completion.size)
        guard completion.downloaded > 0 else {
            return green("verified", style) + " \(path): \(size), everything was there"
        }
        let time = HumanUnits.elapsed(seconds: completion.seconds)
        var text = "\(path): \(size) in \(time)"
        if completion.seconds > 0 {
            let rate = Double(completion.downloaded) / completion.seconds
            text += " (\(HumanUnits.rate(Int(min(rate, 1e15)))))"
        }
        return green("fetched and verified", style) + " " + text
    }

    private static func green(_ text: String, _ style: Display.Style) -> String {
        style.usesColor ? Paint.green(text) : text
    }
}

/// What `share` prints on standard output when the torrent is ready.
enum ShareAnnouncement {
    /// The magnet link alone for a pipe; for a person also the command that fetches it.
    static func text(for torrent: TorrentInfo, isTerminal: Bool) -> String {
        let magnet = SafeText.forTerminal(torrent.magnet)
        guard isTerminal else { return magnet + "\n" }
        return """
            \(magnet)

            Fetch it on any machine with:
              shoal fetch \(ShellText.quoted(magnet))

            """ + "\n"
    }
}
