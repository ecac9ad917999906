import Metainfo
import Shoal

/// The lines that stay on the screen: a torrent became known, a peer was banned, it is done.
enum LastingLines {
    static func lines(
        for event: Event,
        purpose: Display.Purpose,
        style: Display.Style,
        width: Int
    ) -> [String] {
        switch event {
        case .listening(let listening):
            return purpose == .node || style.isVerbose ? lines(for: listening, isVerbose: style.isVerbose) : []
        case .dht, .progress, .interrupted: return []
        case .refusals(let refusals): return style.isVerbose ? [line(for: refusals)] : []
        case .torrent(let torrent): return purpose == .fetch ? [description(of: torrent)] : []
        case .peer(let peer): return PeerLine.text(for: peer, style: style).map { [$0] } ?? []
        case .tracker(let tracker): return [TrackerLine.text(for: tracker, style: style)]
        case .portMapping(let status): return line(for: status, style: style).map { [$0] } ?? []
        case .done(let completion):
            return purpose == .fetch ? lines(for: completion, style: style, width: width) : []
        case .failed(_, let error): return [line(for: error, usesColor: style.usesColor)]
        case .published(let publication):
            let nodes = HumanUnits.count(publication.nodes, "node")
            return ["published as version \(publication.sequence), on \(nodes)"]
        case .version(let version): return [line(for: version)]
        case .notice(let message):
            let text = DisplayText.clean(message)
            return [style.usesColor ? Paint.yellow(text) : text]
        }
    }

    private static func lines(for listening: Listening, isVerbose: Bool) -> [String] {
        let address = listening.address
        // A machine without IPv6 is as good as any, so only a curious person is told.
        let isWithoutIPv6 = isVerbose && listening.address6 == nil && address.hasPrefix("0.0.0.0:")
        let second = listening.address6.map { " and \($0)" } ?? (isWithoutIPv6 ? " (no IPv6 here)" : "")
        let node = listening.nodeID.isEmpty ? "" : ", node \(listening.nodeID)"
        var key = "key \(listening.key)"
        switch listening.keyOrigin {
        case .kept: break
        case .folderInUse: key += ", for this run only: another shoal goes by the one in the state folder"
        case .noFolder: key += ", for this run only: there is no state folder"
        }
        return ["listening on \(address)\(second)\(node)", key]
    }

    /// The line that says why the program ends.
    static func line(for error: ShoalError, usesColor: Bool) -> String {
        (usesColor ? Paint.red("shoal:") : "shoal:") + " " + DisplayText.clean(error.message)
    }

    /// A router that maps no ports is no fault: others are reached all the same.
    private static func line(for status: PortMappingStatus, style: Display.Style) -> String? {
        guard status.state == .mapped else {
            return style.isVerbose ? "no port of a router leads here: \(status.message ?? "")" : nil
        }
        let place = status.address ?? "port \(status.tcpPort ?? 0) of the router"
        let text = "reachable from outside at \(place) (\(status.method ?? ""))"
        guard let message = status.message else { return text }
        return style.usesColor ? Paint.yellow("\(text); \(message)") : "\(text); \(message)"
    }

    private static func line(for version: TorrentVersion) -> String {
        let torrent = "version \(version.sequence), torrent \(version.infoHash)"
        guard version.previous != nil else { return "the publisher's newest is " + torrent }
        return "there is a newer one: \(torrent); the same command fetches it"
    }

    private static func line(for refusals: Refusals) -> String {
        let counts: [(UInt64, String)] = [
            (refusals.plain, "plain"), (refusals.mseOrUnknown, "encrypted in a way of their own or unknown"),
            (refusals.handshakes, "with a handshake that failed"), (refusals.hellos, "too often"),
            (refusals.crowded, "for want of room"), (refusals.banned, "of hosts that had failed too often"),
        ]
        let said = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return "connections turned away so far: " + said.joined(separator: ", ")
    }

    private static func description(of torrent: TorrentInfo) -> String {
        let files = torrent.files > 1 ? " in \(torrent.files) files" : ""
        let pieces = HumanUnits.count(torrent.pieces, "piece")
        return "\(DisplayText.clean(torrent.name)): \(HumanUnits.size(torrent.size))\(files), \(pieces)"
    }

    /// A path stays whole, to be copied: where it would wrap it gets a line of its own.
    private static func lines(for completion: Completion, style: Display.Style, width: Int) -> [String] {
        let path = DisplayText.clean(completion.path)
        let verb = completion.downloaded > 0 ? "fetched and verified" : "verified"
        let result = result(of: completion)
        guard Columns.count("\(verb) \(path): \(result)") < width || !style.isLive else {
            return [green(verb, style) + " \(result):", path]
        }
        return [green(verb, style) + " \(path): \(result)"]
    }

    private static func result(of completion: Completion) -> String {
        let size = HumanUnits.size(completion.size)
        guard completion.downloaded > 0 else { return "\(size), everything was there" }
        let time = HumanUnits.elapsed(seconds: completion.seconds)
        guard completion.seconds > 0 else { return "\(size) in \(time)" }
        let rate = min(Double(completion.downloaded) / completion.seconds, 1e15)
        return "\(size) in \(time) (\(HumanUnits.rate(Int(rate))))"
    }

    private static func green(_ text: String, _ style: Display.Style) -> String {
        style.usesColor ? Paint.green(text) : text
    }
}
