package import Primitives

/// A peer as a person sees it.
package struct ListedPeer: Hashable, Sendable {
    package let endpoint: Endpoint
    package let peerID: PeerID
    package let isSeed: Bool
    /// Since it announced last, in steps of 16 seconds.
    package let silence: Duration
    /// Whether it announced to another tracker that uses the same database.
    package let isForeign: Bool
}

/// A swarm as a person sees it.
package struct SwarmSummary: Hashable, Sendable {
    package let infoHash: InfoHash
    package let v4: PeerTotals.Counts
    package let v6: PeerTotals.Counts
    package let downloaded: Int

    package var seeds: Int { v4.seeds + v6.seeds }
    package var leechers: Int { v4.leechers + v6.leechers }
}

extension Registry {
    /// The numbers of a swarm; `nil` where there is none.
    package func summary(of infoHash: InfoHash) -> SwarmSummary? {
        let shard = shard(of: infoHash)
        return shards[shard].swarms[infoHash].map { summary(of: infoHash, $0, in: shard) }
    }

    /// Swarms in no order.
    package func summaries(atMost limit: Int) -> [SwarmSummary] {
        var summaries: [SwarmSummary] = []
        for shard in shards.indices {
            for (infoHash, swarm) in shards[shard].swarms {
                guard summaries.count < limit else { return summaries }
                summaries.append(summary(of: infoHash, swarm, in: shard))
            }
        }
        return summaries
    }

    private func summary(of infoHash: InfoHash, _ swarm: Swarm, in shard: Int) -> SwarmSummary {
        SwarmSummary(
            infoHash: infoHash,
            v4: swarm.counts(.v4),
            v6: swarm.counts(.v6),
            downloaded: Int(shards[shard].downloaded[infoHash] ?? 0)
        )
    }

    /// Peers of a swarm, of both families, in no order.
    package func peers(of infoHash: InfoHash, atMost limit: Int, at now: Instant? = nil) -> [ListedPeer] {
        guard let swarm = shards[shard(of: infoHash)].swarms[infoHash] else { return [] }
        var peers: [ListedPeer] = []
        swarm.v4.list(into: &peers, atMost: limit, at: now)
        swarm.v6.list(into: &peers, atMost: limit, at: now)
        return peers
    }
}

extension PeerTable {
    fileprivate func list(into peers: inout [ListedPeer], atMost limit: Int, at now: Instant?) {
        for (position, row) in rows.enumerated() {
            guard peers.count < limit else { return }
            peers.append(
                ListedPeer(
                    endpoint: row.endpoint,
                    peerID: row.id.peerID,
                    isSeed: PeerKind.isSeed(kind(at: position)),
                    silence: now.map { row.stamp.age(at: $0) } ?? .zero,
                    isForeign: row.stamp.isForeign
                )
            )
        }
    }
}
