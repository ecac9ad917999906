import Availability
package import Primitives

/// Records of who holds which pieces (secure-peer.md, §2), and what follows from them for dialling.
///
/// A driver tells of records by `claimed`, calls `Swarm.guide` before `next`, tells by `Swarm.compareClaim` when a peer showed
/// what it holds, and where no room is left asks `Swarm.makeRoom`.
extension PeerDirectory {
    /// A peer says in a signed record what it holds. Returns whether that counts from now on.
    ///
    /// - Parameter endpoint: one that proved the record's key, or that lookups of peers named as well: the word of others
    ///   must not aim us at anybody.
    @discardableResult
    package mutating func claimed(_ claim: HolderClaim, by endpoint: Endpoint, at now: Instant) -> Bool {
        add(endpoint, source: .record, at: now)
        guard candidate(at: endpoint) != nil else { return false }
        return guide.claimed(claim, by: endpoint, at: now)
    }

    /// Why a peer was dialled that is being dialled or connected; `nil` for one that came by itself.
    package func reason(of endpoint: Endpoint) -> DialReason? { shares.reason(of: endpoint) }

    /// What the peer's record says, as far as it counts.
    package func claim(by endpoint: Endpoint) -> HolderClaim? { guide.book.claim(by: endpoint) }

    package var claimCount: Int { guide.book.entries.count }

    /// The number of pieces is known: claims of torrents with another number are forgotten.
    package mutating func learn(pieceCount: Int) { guide.learn(pieceCount: pieceCount) }

    /// The next peer of the plan that can still be dialled.
    mutating func takePick(at now: Instant) -> HolderPlan.Pick? {
        while let pick = guide.takePick() {
            if candidate(at: pick.endpoint)?.isReady(at: now) == true { return pick }
        }
        return nil
    }

    mutating func plan(for missing: Bitfield, holders: (Int) -> Int, peers: Int, at now: Instant) {
        guide.learn(pieceCount: missing.count)
        guide.removeExpired(at: now)
        let ready = guide.book.entries.filter { candidate(at: $0.endpoint)?.isReady(at: now) == true }
        let expected = guide.book.entries.filter { candidate(at: $0.endpoint)?.state == .dialling }
        // Who came by itself is not always known here.
        let free = limits.maxConnections - max(peers, connectedCount) - diallingCount
        let hasChance = free * 100 > limits.maxConnections * limits.records.lastSlotsPercent
        // Where only some say what they hold, the others hold their share of it too.
        let said = guide.book.entries.count
        let fewHolders = limits.records.fewHolders * PieceClaims.certainty * said / max(candidates.count, 1)
        guide.plan(
            for: missing,
            holders: holders,
            ready: ready,
            expected: expected,
            mostPromised: hasChance ? fewHolders : nil,
            at: now
        )
    }

    /// What room is needed for when all slots are taken.
    enum RoomWish: Hashable {
        /// For a holder of what nobody connected has.
        case absentPiece
        /// For peers that were never tried.
        case untried
    }

    func roomWish(at now: Instant) -> RoomWish? {
        func isTime(_ interval: Duration) -> Bool { guide.madeRoomAt.map { now - $0 >= interval } ?? true }
        if isTime(limits.records.roomInterval),
            guide.picks.contains(where: {
                $0.absentPiece != nil && candidate(at: $0.endpoint)?.isReady(at: now) == true
            })
        {
            return .absentPiece
        }
        guard isTime(limits.records.uselessInterval) else { return nil }
        return candidates.contains { $0.failures == 0 && $0.isReady(at: now) } ? .untried : nil
    }
}
