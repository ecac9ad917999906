import Metainfo
package import Primitives

/// Whom to know: where what is missing and who is connected meets what records say.
extension Swarm {
    /// Makes a plan of records anew, where it is time: call it before asking the directory whom to dial.
    ///
    /// A millisecond with 200 records of 2000 pieces, some ten with a thousand of 2^21 (`shoal-bench parts`).
    package func guide(_ directory: inout PeerDirectory, at now: Instant) {
        guard !isComplete, directory.guide.isPlanDue(at: now) else { return }
        let holders = { [order, completePeers] in order.availability(of: $0) + completePeers }
        directory.plan(for: missing, holders: holders, peers: peerCount, at: now)
    }

    /// Compares what a peer shows with what its record said: call it when its bitfield came, or what stands for one.
    ///
    /// - Parameter endpoint: under which the directory knows it.
    package func compareClaim(
        of peer: PeerHandle,
        at endpoint: Endpoint,
        in directory: inout PeerDirectory,
        now: Instant
    ) -> ClaimVerdict? {
        guard let slot = roster.slot(of: peer) else { return nil }
        let pieces = peers[slot].holdsAll ? Bitfield(filled: layout.pieceCount) : peers[slot].holdings
        let reason = directory.reason(of: endpoint)
        return directory.guide.showed(pieces, by: endpoint, dialledFor: reason, at: now)
    }

    /// Gives up the connection that is worth least, if somebody waits who is worth more: for when no slot is free.
    ///
    /// Never one over which anything goes, or that alone holds something that is needed.
    package mutating func makeRoom(
        in directory: inout PeerDirectory,
        at now: Instant,
        into actions: inout SwarmActionBuffer
    ) {
        guard !isComplete, let wish = directory.roomWish(at: now) else { return }
        let limits = directory.limits.records
        let useless = roster.slots.filter { isUseless($0) && now - peers[$0].connectedAt >= limits.uselessAge }
        var worst = useless.min { peers[$0].connectedAt < peers[$1].connectedAt }
        if worst == nil, wish == .absentPiece {
            let idle = roster.slots.filter { isIdle($0) && now - peers[$0].connectedAt >= limits.probation }
            worst = idle.filter { !isOnlyHolder($0) }.min { usefulCount($0) < usefulCount($1) }
        }
        guard let worst else { return }
        directory.guide.madeRoom(forHolder: wish == .absentPiece, at: now)
        actions.append(.close(peers[worst].handle, .madeRoom))
        leave(worst, into: &actions)
    }

    /// Pieces that we hold, the rarest first: what a digest in our own record should name.
    package func rarestHeld(by directory: inout PeerDirectory) -> [Int] {
        directory.guide.rarest(held: have) { order.availability(of: $0) + completePeers }
    }

    /// Neither side wants anything of the other.
    private func isUseless(_ slot: Int) -> Bool {
        usefulCount(slot) == 0 && !peers[slot].isInterestedInUs && !peers[slot].isLeaving
    }

    /// Nothing goes either way, and nothing is about to.
    private func isIdle(_ slot: Int) -> Bool {
        let peer = peers[slot]
        return peer.isChokingUs && peer.outstanding == 0 && (peer.isChoked || !peer.isInterestedInUs) && !peer.isLeaving
    }

    /// Whether something that we need would be gone with the peer.
    private func isOnlyHolder(_ slot: Int) -> Bool {
        guard completePeers == 0 else { return false }
        return order.singlyHeld.contains { peers[slot].holdings[Int($0)] }
            || open.slots.contains {
                $0.phase != .closed && order.availability(of: $0.piece) == 1 && peers[slot].holdings[$0.piece]
            }
    }
}
