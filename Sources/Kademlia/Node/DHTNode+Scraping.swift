package import Primitives

extension DHTNode {
    /// Counts the seeds and peers of a swarm without joining it (BEP 33). `.scraped` comes before `.finished`.
    package mutating func scrape(
        _ infoHash: InfoHash,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        begin(.scrape(infoHash), target: NodeID(infoHash), at: now, into: &actions)
    }

    /// The filters that go into the answer to a `get_peers` with `scrape`: none where nothing is stored, or where they
    /// would be a gift to whoever forged the source (hardening D9).
    ///
    /// With both families wanted there is no room for all contacts beside them; BEP 33 has the nodes give way.
    mutating func filters(
        for message: Message,
        _ datagram: RawSpan,
        from sender: Endpoint,
        at now: Instant
    ) -> ScrapeFilters? {
        guard message.body.wantsScrape, let infoHash = message.body.infoHash else { return nil }
        let room = replyAllowance(to: datagram, from: sender.address, at: now) - ReplySize.filters
        let roomForNodes = room - ReplySize.fixed - message.transaction.count
        guard roomForNodes >= min(named.byteCount, ReplySize.nodesBesideFilters) else { return nil }
        var filters = ScrapeFilters(roomForRest: room)
        for peer in peers.peers(of: infoHash, at: now) where sender.address.mayName(peer.address) {
            if peer.isSeed { filters.seeds.insert(peer.address) } else { filters.peers.insert(peer.address) }
        }
        if filters.seeds.isEmpty, filters.peers.isEmpty { return nil }
        named.trim(toBytes: roomForNodes)
        return filters
    }

    /// How long the reply of an extension may be: some times its query, until the source has proved that it is where it
    /// says (D9).
    mutating func replyAllowance(to query: RawSpan, from source: IPAddress, at now: Instant) -> Int {
        if limits.exempts(source) || validated.contains(source, at: now) { return limits.replyBytes }
        return min(limits.replyBytes, query.byteCount * limits.amplification)
    }
}

/// The filters of one answer.
struct ScrapeFilters: Sendable {
    var seeds = ScrapeFilter()
    var peers = ScrapeFilter()
    /// Bytes that everything else in the answer may take.
    let roomForRest: Int
}
