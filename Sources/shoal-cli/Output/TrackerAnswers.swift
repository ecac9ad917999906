import Metainfo
import Primitives
import Shoal
import TrackerAPI

/// What a tracker answered, as lines for a person or a script.
struct TrackerAnswers<Surroundings: Console> {
    let json: Bool
    let isQuiet: Bool
    let console: Surroundings

    // MARK: Files

    func files(_ files: [CatalogueEntry]) throws(ShoalError) {
        if json {
            for file in files { try print(TrackerAnswers.object(for: file).line) }
        } else if files.isEmpty {
            try remark("no file is registered at this tracker")
        } else {
            let rows = files.map { file in
                [
                    DisplayText.clean(file.name), HumanUnits.size(file.size), "\(file.seeders)", "\(file.leechers)",
                    "\(file.downloaded)", DisplayText.clean(file.owner),
                ]
            }
            try table(["NAME", ">SIZE", ">SEEDERS", ">LEECHERS", ">DOWNLOADED", "OWNER"], rows)
        }
    }

    /// One file with its peers, and who holds which of its pieces.
    func file(_ file: CatalogueEntry, _ peers: [AnnouncedPeer], _ holders: PieceHolderList?) throws(ShoalError) {
        let shares = holders.map { PieceShares($0) }
        guard !json else {
            try print(TrackerAnswers.object(for: file).line)
            for peer in peers { try print(TrackerAnswers.object(for: peer).line) }
            for run in shares?.runs ?? [] {
                var object = JSONObject(event: "pieces")
                object.add("first", run.pieces.lowerBound)
                object.add("last", run.pieces.upperBound - 1)
                object.add("holders", run.holders.map { "\($0)" })
                try print(object.line)
            }
            return
        }
        let facts = [
            ("name", DisplayText.clean(file.name)), ("info-hash", file.infoHash.hex),
            (
                "size",
                "\(HumanUnits.size(file.size)) in \(HumanUnits.count(Int(clamping: file.pieces), "piece")) of "
                    + HumanUnits.size(file.pieceLength)
            ),
            ("owner", "\(DisplayText.clean(file.owner)), since \(DateText.utc(file.created))"),
            (
                "swarm",
                "\(HumanUnits.count(file.seeders, "seeder")), \(HumanUnits.count(file.leechers, "leecher")), "
                    + "downloaded \(HumanUnits.count(file.downloaded, "time"))"
            ),
        ]
        for (name, value) in facts {
            try print(name + String(repeating: " ", count: 11 - name.count) + value)
        }
        if !peers.isEmpty { try print("") }
        try self.peers(peers, isOfOneFile: true)
        if let shares { try pieces(shares) }
    }

    /// Runs of pieces that the same peers hold: a file of thousands of pieces has few.
    private func pieces(_ shares: PieceShares) throws(ShoalError) {
        guard !shares.runs.isEmpty else { return }
        try print("")
        try table(
            ["PIECES", ">HOLDERS", ""],
            shares.runs.map { run in
                let (first, last) = (run.pieces.lowerBound, run.pieces.upperBound - 1)
                return [
                    first == last ? "\(first)" : "\(first)-\(last)", "\(run.holders.count)",
                    run.holders.prefix(8).map { "\($0)" }.joined(separator: " ") + (run.holders.count > 8 ? " .." : ""),
                ]
            }
        )
        if shares.hidden > 0 { try print("and \(HumanUnits.count(shares.hidden, "more piece"))") }
    }

    // MARK: Peers

    func peers(_ peers: [AnnouncedPeer], isOfOneFile: Bool = false) throws(ShoalError) {
        if json {
            for peer in peers { try print(TrackerAnswers.object(for: peer).line) }
        } else if peers.isEmpty {
            try remark(isOfOneFile ? "no peer announces it" : "no peer announces to this tracker")
        } else {
            let heads = ["PEER", "KIND", "CLIENT", ">SILENT"] + (isOfOneFile ? [] : ["FILE"])
            let rows = peers.map { peer in
                let file = peer.file.map { DisplayText.clean($0) } ?? peer.infoHash.hex
                let words = [
                    "\(peer.endpoint)", peer.isSeeder ? "seeder" : "leecher", DisplayText.clean(peer.client),
                    HumanUnits.duration(seconds: Double(peer.silentSeconds)),
                ]
                return words + (isOfOneFile ? [] : [file])
            }
            try table(heads, rows)
        }
    }

    // MARK: Parts

    private static func object(for file: CatalogueEntry) -> JSONObject {
        var object = JSONObject(event: "file")
        object.add("name", file.name)
        object.add("info_hash", file.infoHash.hex)
        object.add("size", file.size)
        object.add("piece_length", file.pieceLength)
        object.add("pieces", file.pieces)
        object.add("owner", file.owner)
        object.add("created", file.created)
        object.add("seeders", file.seeders)
        object.add("leechers", file.leechers)
        object.add("downloaded", file.downloaded)
        return object
    }

    private static func object(for peer: AnnouncedPeer) -> JSONObject {
        var object = JSONObject(event: "peer")
        object.add("address", "\(peer.endpoint)")
        object.add("client", peer.client)
        object.add("kind", peer.isSeeder ? "seeder" : "leecher")
        object.add("info_hash", peer.infoHash.hex)
        object.addIfPresent("file", peer.file)
        object.add("silent_s", peer.silentSeconds)
        return object
    }

    private func table(_ heads: [String], _ rows: [[String]]) throws(ShoalError) {
        try console.write(TextTable.text(heads, rows), to: .standardOutput)
    }

    /// What is no data.
    private func remark(_ text: String) throws(ShoalError) {
        if !isQuiet { try console.write(text + "\n", to: .standardError) }
    }

    private func print(_ line: String) throws(ShoalError) { try console.write(line + "\n", to: .standardOutput) }
}

/// Pieces side by side that the same peers hold.
struct PieceShares {
    struct Run: Equatable {
        var pieces: Range<Int>
        let holders: [Endpoint]
    }

    /// As many as anybody reads.
    private static let mostRuns = 1000

    private(set) var runs: [Run] = []
    /// Pieces that are in no run.
    private(set) var hidden: Int

    init(_ list: PieceHolderList) {
        hidden = list.pieces
        for (piece, holders) in list.holders.enumerated() {
            if let last = runs.indices.last, runs[last].holders == holders {
                runs[last].pieces = runs[last].pieces.lowerBound..<piece + 1
            } else if runs.count < PieceShares.mostRuns {
                runs.append(Run(pieces: piece..<piece + 1, holders: holders))
            } else {
                return
            }
            hidden -= 1
        }
    }
}
