import HTTPServer
import JSON
import PeerWire
import Primitives
import TrackerProtocol

/// What people and programs ask about the swarms.
extension HTTPService {
    private enum Limit {
        /// Peers that one answer names.
        static let peers = 1000
        /// Swarms that are looked through for them.
        static let swarms = 1000
        /// Pieces that `/pieces` tells of, from the first on.
        static let pieces = 4096
        /// Peers that it names, each as often as it has a piece: a MiB or two of text.
        static let mentions = 1 << 16
    }

    // MARK: Counts

    func answerMetrics(_ asked: RoutedRequest) {
        let metrics = MetricsText(core, http: counters, connections: connectionCount)
        asked.reply(HTTPResponse(mediaType: "text/plain; version=0.0.4; charset=utf-8", body: Array(metrics.text.utf8)))
    }

    /// Without a passkey too: whether one is needed stands here.
    func answerStatistics(_ asked: RoutedRequest) {
        let totals = core.registry.totals
        let counters = core.registry.counters
        var announces = 0
        for transport in TrackerTransport.allCases {
            for event in [AnnounceRequest.Event.interval, .completed, .started, .stopped] {
                announces += counters.announces(transport, event)
            }
        }
        asked.reply([
            "swarms": .integer(Int64(core.registry.swarmCount)),
            "seeders": .integer(Int64(totals.seeds)),
            "leechers": .integer(Int64(totals.leechers)),
            "announces": .integer(Int64(announces)),
            "uptime_s": .integer((core.now - startedAt).components.seconds),
            "interval_s": .integer(core.registry.limits.interval.components.seconds),
            "accounts": .bool(core.admission.passkeys != nil),
        ])
    }

    // MARK: Peers

    func answerPeers(_ asked: RoutedRequest) {
        guard mayAsk(asked) else { return }
        if let text = asked.parameter("info_hash") {
            guard let infoHash = InfoHash(hex: text) else {
                return asked.fail(400, "bad_info_hash", "info_hash must be 40 hexadecimal digits here.")
            }
            asked.reply(.array(peers(of: infoHash, for: asked.sender)))
            return
        }
        // A list of all torrents is not for strangers: who does not know an info-hash learns no peers of it.
        guard core.admission.passkeys != nil || asked.sender.isLoopback || asked.sender.isPrivate else {
            return asked.fail(
                403,
                "strangers",
                "All peers are shown to this machine and its network; name a torrent by info_hash."
            )
        }
        var all: [JSONValue] = []
        for swarm in core.registry.summaries(atMost: Limit.swarms) where all.count < Limit.peers {
            all += peers(of: swarm.infoHash, for: asked.sender)
        }
        asked.reply(.array(Array(all.prefix(Limit.peers))))
    }

    private func peers(of infoHash: InfoHash, for asker: IPAddress) -> [JSONValue] {
        core.registry.peers(of: infoHash, atMost: Limit.peers, at: core.now)
            .filter { Reach.of(asker, mayBeTold: $0.endpoint) }
            .map { peer in
                [
                    "address": .string("\(peer.endpoint)"),
                    "client": .string(peer.peerID.clientName),
                    "kind": peer.isSeed ? "seeder" : "leecher",
                    "info_hash": .string(infoHash.hex),
                    "file": catalogue.name(of: infoHash).map { .string($0) } ?? .null,
                    "silent_s": .integer(peer.silence.components.seconds),
                ]
            }
    }

    /// Whether the asker has a passkey, where one is needed; else it is told so.
    func mayAsk(_ asked: RoutedRequest) -> Bool {
        guard let passkeys = core.admission.passkeys else { return true }
        if let bearer = asked.bearer, passkeys.account(of: Array(bearer.utf8).span.bytes, at: core.now) != nil {
            return true
        }
        asked.fail(401, "login_needed", "This tracker is for accounts: log in first (shoal user login).")
        return false
    }

    // MARK: Pieces

    func answerPieces(_ asked: RoutedRequest) {
        guard mayAsk(asked) else { return }
        let infoHash: InfoHash
        do throws(TrackerFailure) {
            guard let first = try ScrapeQuery(asked.request.query.span.bytes).infoHashes.first else {
                throw .missingInfoHash
            }
            infoHash = first
        } catch {
            return asked.fail(400, "\(error.label)", "\(error.text)")
        }
        let found = core.registry.holders(of: infoHash, for: asked.sender, mostPieces: Limit.pieces)
        guard let found else { return asked.fail(404, "not_found", "Nobody tells of the pieces of this torrent.") }
        asked.reply(HTTPResponse(mediaType: "application/json", body: HTTPService.text(of: found)))
    }

    /// As JSON, written by hand: a peer of a thousand pieces is put into words once.
    private static func text(of found: PieceHolders) -> [UInt8] {
        var names: [Endpoint: [UInt8]] = [:]
        var mentions = 0
        var writer = ByteWriter()
        writer.append(utf8: "{\"pieces\":\(found.pieceCount),\"holders\":[")
        for (index, holders) in found.holders.enumerated() {
            mentions += holders.count
            guard mentions <= Limit.mentions else { break }
            writer.append(utf8: index == 0 ? "[" : ",[")
            for (position, holder) in holders.enumerated() {
                let name = names[holder] ?? Array("\"\(holder)\"".utf8)
                names[holder] = name
                if position > 0 { writer.byte(UInt8(ascii: ",")) }
                writer.append(name)
            }
            writer.byte(UInt8(ascii: "]"))
        }
        writer.append(utf8: "]}")
        return writer.take()
    }
}
