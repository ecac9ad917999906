import Metainfo
import Shoal

/// Where a torrent stands, as one line that fits the terminal, and what it waits for or fetches from as a second.
struct StatusLines {
    let progress: Progress
    let torrent: TorrentInfo?
    let peers: [PeerStatus]
    /// Columns.
    let width: Int

    private static let barLimit = 30
    private static let barMinimum = 8
    private static let nameLimit = 28

    var lines: [String] {
        let second = secondLine
        return second.isEmpty ? [firstLine] : [firstLine, Columns.truncated(second, to: width)]
    }

    static func text(for dht: DHTStatus) -> String {
        dht.isJoined
            ? "in the DHT: \(HumanUnits.count(dht.nodes, "node")) \(dht.nodes == 1 ? "answers" : "answer")"
            : "joining the DHT: no node has answered yet"
    }

    private var firstLine: String {
        switch progress.state {
        case .hashing: measured("hashing")
        case .checking: measured("checking")
        case .downloading: measured("")
        case .metadata: fitted([name, progress.waitingFor.map(DisplayText.clean) ?? "looking for peers"])
        case .seeding: fitted([joined("sharing", name), upload, peerCount])
        case .paused:
            fitted([joined("paused", name), progress.waitingFor.map(DisplayText.clean) ?? "waiting", peerCount])
        }
    }

    private var secondLine: String {
        switch progress.state {
        case .hashing, .checking, .metadata, .paused: return ""
        case .downloading:
            if let reason = progress.waitingFor { return "  " + DisplayText.clean(reason) }
            return peerList(prefix: "  from ")
        case .seeding: return peerList(prefix: "  to ")
        }
    }

    /// Name, bar, percent, size, rates, peers, time: what has no room is left out, the least important first.
    private func measured(_ what: String) -> String {
        let percent = (DecimalText.fixed(progress.percent, digits: 1) ?? "0.0") + "%"
        let size = "\(HumanUnits.size(progress.done)) of \(HumanUnits.size(progress.size))"
        var tail = [percent, size]
        if progress.state == .downloading {
            tail.append(HumanUnits.rate(progress.downRate))
            if progress.upRate > 0 { tail.append("up \(HumanUnits.rate(progress.upRate))") }
            tail.append(peerCount)
        }
        if let seconds = progress.secondsLeft { tail.append(HumanUnits.duration(seconds: seconds) + " left") }
        let head = joined(what, name)
        let room = width - Columns.count(fitted([head] + tail, limit: .max)) - 2
        if room >= StatusLines.barMinimum + 2 {
            return fitted([head, bar(cells: min(StatusLines.barLimit, room - 2))] + tail)
        }
        let withoutName = width - Columns.count(fitted(tail, limit: .max)) - 2
        if withoutName >= StatusLines.barMinimum + 2 {
            return fitted([bar(cells: min(StatusLines.barLimit, withoutName - 2))] + tail)
        }
        return fitted(tail)
    }

    private func bar(cells: Int) -> String {
        let filled = min(cells, max(0, Int(progress.percent / 100 * Double(cells))))
        let tip = filled < cells && filled > 0 ? ">" : ""
        let body = String(repeating: "=", count: filled - tip.utf8.count)
        return "[" + body + tip + String(repeating: " ", count: cells - filled) + "]"
    }

    private var name: String {
        Columns.truncated(DisplayText.clean(torrent?.name ?? ""), to: StatusLines.nameLimit)
    }

    private var upload: String {
        "\(HumanUnits.rate(progress.upRate)) up, \(HumanUnits.size(progress.uploaded)) sent"
    }

    private var peerCount: String { HumanUnits.count(progress.peers, "peer") }

    /// `  from 192.0.2.7:6881 (shoal 0.1, secure), 192.0.2.9:6881, ...`
    private func peerList(prefix: String) -> String {
        let entries = peers.map { peer in
            var notes: [String] = []
            if let client = peer.client, !client.isEmpty { notes.append(Columns.truncated(client, to: 24)) }
            // A word and no symbol: it says what it means, on every terminal and without colours.
            if peer.isSecure { notes.append("secure") }
            let note = notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))"
            return DisplayText.clean(peer.address + note)
        }
        return entries.isEmpty ? "" : prefix + entries.joined(separator: ", ")
    }

    private func joined(_ first: String, _ second: String) -> String {
        first.isEmpty || second.isEmpty ? first + second : first + " " + second
    }

    private func fitted(_ parts: [String], limit: Int? = nil) -> String {
        Columns.truncated(parts.filter { !$0.isEmpty }.joined(separator: "  "), to: limit ?? width)
    }
}
