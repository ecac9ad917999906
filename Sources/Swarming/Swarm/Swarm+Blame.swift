import Primitives

/// What follows from right and wrong pieces for those that sent them (hardening B8).
extension Swarm {
    mutating func praise(
        _ contributors: [OpenPiece.Contributor],
        for piece: Int,
        into actions: inout SwarmActionBuffer
    ) {
        for contributor in contributors {
            guard let slot = roster.slot(of: contributor.handle) else { continue }
            peers[slot].trust = min(peers[slot].trust + 1, Blame.bestTrust)
            peers[slot].piecesContributed += 1
        }
        let others = blame.verified(piece, by: contributors.map(\.handle))
        for suspect in others { distrust(suspect, Blame.cost(sharedBy: others.count), into: &actions) }
    }

    mutating func blame(
        _ contributors: [OpenPiece.Contributor],
        for piece: Int,
        into actions: inout SwarmActionBuffer
    ) {
        let suspects = contributors.map { Blame.Suspect(handle: $0.handle, host: $0.host) }
        guard suspects.count == 1, let liar = suspects.first else {
            blame.failed(piece, suspects: suspects)
            return
        }
        blame.convicted(liar.handle)
        // Whoever shared pieces with it lost trust for its sake.
        for slot in roster.slots { peers[slot].trust = max(0, peers[slot].trust) }
        ban(liar, .sentBadPiece, into: &actions)
    }

    private mutating func distrust(_ suspect: Blame.Suspect, _ cost: Int, into actions: inout SwarmActionBuffer) {
        let slot = roster.slot(of: suspect.handle)
        let trust = (slot.map { peers[$0].trust } ?? blame.trust(of: suspect.host)) - cost
        if let slot { peers[slot].trust = trust } else { blame.left(suspect.host, trust: trust) }
        guard trust <= Blame.worstTrust, slot.map({ !peers[$0].isLeaving }) ?? true else { return }
        ban(suspect, .tookPartInBadPieces, into: &actions)
    }

    private mutating func ban(_ suspect: Blame.Suspect, _ reason: BanReason, into actions: inout SwarmActionBuffer) {
        actions.append(.ban(suspect.handle, host: suspect.host, reason))
        if let slot = activeSlot(of: suspect.handle) { leave(slot, into: &actions) }
        // What else it sent is as doubtful, and would put its neighbours under suspicion.
        for slot in open.slots.indices { open.discardBlocks(from: suspect.handle, in: slot) }
    }

    /// Whether the peer may send whole pieces only.
    func isOnParole(_ slot: Int) -> Bool { peers[slot].trust < 0 || blame.isSuspect(peers[slot].handle) }

    /// The failed piece that this peer is to send alone.
    func pieceToProve(_ slot: Int) -> Int? {
        blame.failures.first { order.contains($0.piece) && prover(of: $0) == slot }?.piece
    }

    /// Failed pieces wait for a suspect to send them alone, as long as one of them can.
    func piecesReservedForOthers(_ slot: Int) -> [Int] {
        guard !blame.failures.isEmpty else { return [] }
        return blame.failures.filter { prover(of: $0).map { $0 != slot } ?? false }.map(\.piece)
    }

    /// The least trusted suspect that can; among equals it goes by the piece, so that several are tested at a time.
    private func prover(of failure: Blame.Failure) -> Int? {
        let able = failure.suspects.compactMap { activeSlot(of: $0.handle) }
            .filter { canServe($0) && peers[$0].holds(failure.piece) }
        guard let least = able.map({ peers[$0].trust }).min() else { return nil }
        let equals = able.filter { peers[$0].trust == least }
        return equals[failure.piece % equals.count]
    }

    /// A single source that keeps a piece for very long, while others are idle, loses it.
    mutating func hurrySingleSources(at now: Instant, into actions: inout SwarmActionBuffer) {
        for slot in open.slots.indices {
            let piece = open.slots[slot]
            guard piece.hasSingleSource, piece.phase == .filling, now - piece.openedAt >= limits.singleSourceTime,
                piece.owner != BlockCell.nobody
            else { continue }
            let isOtherIdle = roster.slots.contains {
                UInt16($0) != piece.owner && canServe($0) && peers[$0].outstanding == 0 && peers[$0].holds(piece.piece)
            }
            guard isOtherIdle else { continue }
            blame.dismissed(peers[Int(piece.owner)].handle, from: piece.piece)
            giveUp(slot, into: &actions)
        }
    }
}
