package import Availability
package import Primitives

extension Registry {
    /// Keeps what a listed peer says of its pieces.
    ///
    /// - Returns: whether there was room, and such a peer.
    @discardableResult
    package mutating func hold(_ blob: HaveBlob, of peer: Endpoint, for infoHash: InfoHash) -> Bool {
        let shard = shard(of: infoHash)
        let told = SwarmHolders.Told(pieceCount: blob.claims.pieceCount, blob: blob.bytes)
        guard holderBytes + told.blob.count <= limits.holderBytes,
            let swarm = shards[shard].swarms[infoHash], desk.lists(peer, in: swarm),
            let more = shards[shard].holders[infoHash, default: SwarmHolders()].set(
                told,
                for: peer,
                atMost: limits.holdersPerSwarm
            )
        else { return false }
        holderBytes += more
        return true
    }

    mutating func removeHolder(_ peer: Endpoint, of infoHash: InfoHash, in shard: Int) {
        guard !shards[shard].holders.isEmpty, shards[shard].holders[infoHash] != nil else { return }
        holderBytes -= shards[shard].holders[infoHash]?.remove(peer) ?? 0
        if shards[shard].holders[infoHash]?.isEmpty == true { shards[shard].holders[infoHash] = nil }
    }
}

extension Registry {
    /// Who has which pieces of a torrent, by what peers of our own kind tell and by who is complete.
    ///
    /// - Parameters:
    ///   - pieceCount: of the torrent, where it is known; else what most of those who tell say.
    ///   - mostPieces: pieces that are told of, from the first on.
    /// - Returns: `nil` where nobody tells, or nobody is there.
    package func holders(
        of infoHash: InfoHash,
        pieceCount: Int? = nil,
        for asker: IPAddress,
        mostPieces: Int = 1 << 16
    ) -> PieceHolders? {
        let shard = shard(of: infoHash)
        let told = shards[shard].holders[infoHash]?.byEndpoint ?? [:]
        var votes: [Int: Int] = [:]
        for holder in told.values { votes[holder.pieceCount, default: 0] += 1 }
        // Of equally many votes the larger number, so that the answer does not hang on the order of a dictionary.
        let elected = votes.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key
        guard let pieceCount = pieceCount ?? elected, pieceCount > 0 else { return nil }
        var holders = [[Endpoint]](repeating: [], count: min(pieceCount, mostPieces))
        for peer in peers(of: infoHash, atMost: limits.holdersPerSwarm) where Reach.of(asker, mayBeTold: peer.endpoint)
        {
            let certain: Bitfield? =
                if let its = told[peer.endpoint], its.pieceCount == pieceCount {
                    try? HaveBlob(parsing: its.blob.span.bytes, pieceCount: pieceCount).claims.certain
                } else {
                    peer.isSeed ? Bitfield(filled: pieceCount) : nil
                }
            guard let certain else { continue }
            for piece in holders.indices where certain[piece] { holders[piece].append(peer.endpoint) }
        }
        return PieceHolders(pieceCount: pieceCount, holders: holders)
    }
}
