import Primitives

/// The peers of one torrent, each family by itself: who has no IPv6 has no use for such peers (BEP 7).
struct Swarm {
    var v4 = PeerTable<RowV4>()
    var v6 = PeerTable<RowV6>()
    /// Whether it differs from what was last written down.
    var isChanged = false

    var isEmpty: Bool { v4.isEmpty && v6.isEmpty }

    /// Seeds and leechers of one family.
    func counts(_ family: AddressFamily) -> PeerTotals.Counts {
        switch family {
        case .v4: PeerTotals.Counts(seeds: v4.seedCount, leechers: v4.count - v4.seedCount)
        case .v6: PeerTotals.Counts(seeds: v6.seedCount, leechers: v6.count - v6.seedCount)
        }
    }
}

/// The swarms whose info-hashes have one keyed hash in common.
struct Shard {
    var swarms: [InfoHash: Swarm] = [:]
    /// How often each torrent was completed; they outlive their swarms.
    var downloaded: [InfoHash: UInt32] = [:]
    /// Completions that were not written down yet.
    var newlyDownloaded: [InfoHash: UInt32] = [:]
    /// Swarms that have become empty, of which the database still has peers.
    var emptied: Set<InfoHash> = []
    /// Which pieces some peers have.
    var holders: [InfoHash: SwarmHolders] = [:]
}
