import Primitives
import TrackerProtocol

/// A tracker, the time, and peers that announce to it: lets a test read as a dialogue.
struct TrackerDialogue: ~Copyable {
    var registry: Registry
    var now = Instant.zero
    var reply = AnnounceReply()

    init(_ limits: RegistryLimits = RegistryLimits(), seed: UInt64 = 1) {
        registry = Registry(limits: limits, seed: seed, now: .zero)
    }

    /// A torrent with a number for a name.
    static func torrent(_ number: UInt32) -> InfoHash { InfoHash(UInt160(high: 7, middle: 7, low: number)) }

    /// A peer with a number for a name.
    static func peer(_ number: UInt32) -> PeerID { PeerID(UInt160(high: 9, middle: 9, low: number)) }

    static func request(
        _ event: AnnounceRequest.Event = .interval,
        torrent: UInt32 = 1,
        peer: UInt32 = 1,
        port: UInt16 = 6881,
        left: UInt64? = 1,
        key: UInt32? = nil,
        wanted: Int? = nil
    ) -> AnnounceRequest {
        var request = AnnounceRequest(infoHash: Self.torrent(torrent), peerID: Self.peer(peer), port: port)
        request.event = event
        request.left = left
        request.key = key
        request.wanted = wanted
        return request
    }

    /// Announces, and tells which peers the answer has, ascending; `nil` after a failure.
    @discardableResult
    mutating func announce(
        _ event: AnnounceRequest.Event = .interval,
        from address: String,
        torrent: UInt32 = 1,
        peer: UInt32 = 1,
        port: UInt16 = 6881,
        left: UInt64? = 1,
        key: UInt32? = nil,
        wanted: Int? = nil
    ) -> [String]? {
        let request = Self.request(
            event,
            torrent: torrent,
            peer: peer,
            port: port,
            left: left,
            key: key,
            wanted: wanted
        )
        return announce(request, from: address)
    }

    @discardableResult
    mutating func announce(_ request: AnnounceRequest, from address: String) -> [String]? {
        guard let sender = IPAddress(address) else { return nil }
        do throws(TrackerFailure) {
            try registry.announce(request, from: sender, [.peerIDs, .downloaded], at: now, into: &reply)
        } catch {
            return nil
        }
        return peers
    }

    /// The peers of the last answer, ascending.
    var peers: [String] { endpoints.map(\.description).sorted() }

    var endpoints: [Endpoint] {
        let length = reply.family.compactEndpointByteCount
        let bytes = reply.peers.bytes
        return (0..<reply.peerCount).compactMap {
            Endpoint(compact: reply.family, bytes.span.bytes, at: $0 * length)
        }
    }

    func scrape(_ torrent: UInt32 = 1, _ family: AddressFamily = .v4) -> [Int] {
        let scraped = registry.scrape(Self.torrent(torrent), family)
        return [scraped.seeds, scraped.downloaded, scraped.leechers]
    }

    /// Lets every shard have its turn.
    mutating func sweep() {
        for shard in 0..<Registry.shardCount { registry.expire(shard: shard, at: now) }
    }
}
