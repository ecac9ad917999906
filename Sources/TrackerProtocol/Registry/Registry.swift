import Cryptography
package import Primitives

/// The swarms of a tracker: who announced for which torrent, in memory.
///
/// There are 256 shards, chosen by a keyed hash of the info-hash. They save no lock, for one loop does it all; what they
/// buy is that expiring peers, writing swarms down and growing a table concern one shard at a time, so that none of it
/// keeps announces waiting for longer than a few milliseconds, however many swarms there are.
///
/// An announce changes one row in place and chooses peers out of one range of rows; it allocates only where a table grows.
package struct Registry: ~Copyable {
    package static let shardCount = 256
    /// Swarms of one shard that became empty and that the database still has.
    static let mostEmptied = 8192

    package let limits: RegistryLimits
    package var counters = TrackerCounters()
    var shards: [Shard]
    var desk: AnnounceDesk
    /// Swarms in all shards.
    package internal(set) var swarmCount = 0
    /// Torrents with a count of completions, in all shards.
    var rememberedCount = 0
    /// Bytes of all have-blobs.
    package internal(set) var holderBytes = 0
    private let shardKey: RowKey

    /// - Parameters:
    ///   - seed: of everything that is left to chance; unpredictable outside of tests.
    ///   - now: until two intervals later, peers are asked to announce sooner.
    package init(limits: RegistryLimits = RegistryLimits(), seed: UInt64, now: Instant) {
        var random = SeededRandom(seed: seed)
        self.limits = limits
        shardKey = RowKey(using: &random)
        shards = [Shard](repeating: Shard(), count: Registry.shardCount)
        desk = AnnounceDesk(limits: limits, random: random, startedAt: now)
    }

    package func shard(of infoHash: InfoHash) -> Int {
        Int(truncatingIfNeeded: shardKey.mix(infoHash.value.high ^ infoHash.value.middle) >> 56)
    }

    /// Listed peers in all swarms.
    package var peerCount: Int { desk.totals.peers }
    package var totals: PeerTotals { desk.totals }

    // MARK: Announcing

    /// What an answer needs beyond peers.
    package struct Details: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The identifiers of peers, as BEP 3's form of an answer names them.
        package static let peerIDs = Details(rawValue: 1)
        /// How often the torrent was completed.
        package static let downloaded = Details(rawValue: 2)
    }

    /// Takes an announce in, and answers it.
    ///
    /// - Parameters:
    ///   - sender: where it came from, which is where the peer is: an address in the request would let anybody list
    ///     somebody else (T5).
    ///   - reply: is overwritten; undefined after a failure.
    /// - Throws: `tooManyPeers` where the sender's host has no room left (T7).
    package mutating func announce(
        _ request: AnnounceRequest,
        from sender: IPAddress,
        _ details: Details = [],
        at now: Instant,
        into reply: inout AnnounceReply
    ) throws(TrackerFailure) {
        let shard = shard(of: request.infoHash)
        if details.contains(.downloaded) {
            reply.downloaded = Int(shards[shard].downloaded[request.infoHash] ?? 0)
        }
        guard let index = swarm(request.infoHash, in: shard, mayBegin: request.event != .stopped) else {
            return desk.answerNobody(request, from: sender, at: now, into: &reply)
        }
        let visit = Visit(request, from: sender, wantsIDs: details.contains(.peerIDs), at: now)
        let outcome: AnnounceDesk.Outcome
        switch sender {
        case .v4: outcome = desk.receive(visit, in: &shards[shard].swarms.values[index].v4, into: &reply)
        case .v6: outcome = desk.receive(visit, in: &shards[shard].swarms.values[index].v6, into: &reply)
        }
        shards[shard].swarms.values[index].isChanged = true
        if visit.event == .completed, outcome.isNewlyComplete { countCompletion(of: request.infoHash, in: shard) }
        if let gone = outcome.gone { removeHolder(gone, of: request.infoHash, in: shard) }
        if shards[shard].swarms.values[index].isEmpty { removeSwarm(request.infoHash, in: shard) }
        if let failure = outcome.failure { throw failure }
    }

    /// The place of a swarm, which begins where it may and there is room.
    mutating func swarm(
        _ infoHash: InfoHash,
        in shard: Int,
        mayBegin: Bool
    ) -> Dictionary<InfoHash, Swarm>.Index? {
        if let index = shards[shard].swarms.index(forKey: infoHash) { return index }
        guard mayBegin, swarmCount < limits.swarms else { return nil }
        shards[shard].swarms[infoHash] = Swarm()
        swarmCount += 1
        return shards[shard].swarms.index(forKey: infoHash)
    }

    mutating func removeSwarm(_ infoHash: InfoHash, in shard: Int) {
        guard shards[shard].swarms.removeValue(forKey: infoHash) != nil else { return }
        swarmCount -= 1
        // Where the database is away for long, what it has of the rest ages away.
        if shards[shard].emptied.count < Registry.mostEmptied { shards[shard].emptied.insert(infoHash) }
        if let holders = shards[shard].holders.removeValue(forKey: infoHash) { holderBytes -= holders.byteCount }
    }

    private mutating func countCompletion(of infoHash: InfoHash, in shard: Int) {
        if shards[shard].downloaded[infoHash] == nil {
            guard rememberedCount < limits.remembered else { return }
            rememberedCount += 1
        }
        shards[shard].downloaded[infoHash, default: 0] &+= 1
        shards[shard].newlyDownloaded[infoHash, default: 0] &+= 1
    }

    // MARK: Scraping

    /// What a scrape tells of one torrent (BEP 48).
    package struct Scraped: Hashable, Sendable {
        package var seeds = 0
        /// How often it was completed.
        package var downloaded = 0
        package var leechers = 0

        package init() {}
    }

    /// The numbers of a torrent, zeros for one that nobody announced: peers of one family, as in the answer to an announce.
    package func scrape(_ infoHash: InfoHash, _ family: AddressFamily) -> Scraped {
        let shard = shard(of: infoHash)
        var scraped = Scraped()
        if let counts = shards[shard].swarms[infoHash]?.counts(family) {
            scraped.seeds = counts.seeds
            scraped.leechers = counts.leechers
        }
        scraped.downloaded = Int(shards[shard].downloaded[infoHash] ?? 0)
        return scraped
    }
}
