package import Metainfo
package import Primitives

/// Whom to serve, and with what.
extension Swarm {
    /// A peer asks for a block.
    ///
    /// After `.serve` the driver calls `uploaded` when the block is sent, or `cancelled` when it leaves the queue unsent.
    package mutating func requested(_ block: Block, by peer: PeerHandle, at now: Instant) -> RequestVerdict {
        guard let slot = activeSlot(of: peer) else { return .reject }
        guard block.length <= limits.maxRequestLength else { return .close(.badRequest) }
        guard layout.contains(block) else { return peers[slot].supportsFast ? refused(slot) : .close(.badRequest) }
        guard have[Int(block.piece)], peers[slot].queuedUploads < limits.maxQueuedUploads else { return refused(slot) }
        if peers[slot].isChoked {
            guard peers[slot].grantedBytes >= Int(block.length), peers[slot].grantedFast.contains(Int(block.piece))
            else { return refused(slot) }
            peers[slot].grantedBytes -= Int(block.length)
        }
        peers[slot].queuedUploads += 1
        peers[slot].refusals = 0
        return .serve
    }

    /// Requests cross our choke on the way, so refusals are no offence until there are far too many.
    private mutating func refused(_ slot: Int) -> RequestVerdict {
        peers[slot].refusals += 1
        return peers[slot].refusals > limits.maxRefusals ? .close(.ignoresRefusals) : .reject
    }

    /// Blocks that were asked for are sent.
    package mutating func uploaded(_ bytes: Int, to peer: PeerHandle, blocks: Int = 1, at now: Instant) {
        guard let slot = roster.slot(of: peer) else { return }
        peers[slot].up.add(bytes)
        peers[slot].queuedUploads = max(0, peers[slot].queuedUploads - blocks)
    }

    /// A queued request was taken out of the queue because the peer cancelled it.
    package mutating func cancelled(_ block: Block, by peer: PeerHandle) {
        guard let slot = roster.slot(of: peer) else { return }
        peers[slot].queuedUploads = max(0, peers[slot].queuedUploads - 1)
    }

    /// Tells a new peer which pieces it may fetch while choked (BEP 6), if it has too few to trade with.
    mutating func grantFast(_ slot: Int, into actions: inout SwarmActionBuffer) {
        guard let infoHash, peers[slot].supportsFast, peers[slot].grantedFast.isEmpty, !peers[slot].holdsAll,
            peers[slot].holdings.setCount < limits.allowedFastCount, !have.isEmpty
        else { return }
        let pieces = AllowedFast.pieces(
            count: limits.allowedFastCount,
            pieceCount: layout.pieceCount,
            infoHash: infoHash,
            address: peers[slot].host.address
        )
        for piece in pieces where have[piece] && !peers[slot].holdings[piece] {
            peers[slot].grantedFast.append(piece)
            peers[slot].grantedBytes += 2 * layout.length(ofPiece: piece)
            actions.append(.allowFast(piece: piece, peers[slot].handle))
        }
    }

    /// Gives free slots to peers that wait for one, without waiting for the round.
    mutating func fillUploadSlots(at now: Instant, into actions: inout SwarmActionBuffer) {
        var unchoked = roster.slots.count { !peers[$0].isChoked && !peers[$0].isLeaving }
        for slot in roster.slots where peers[slot].isInterestedInUs && peers[slot].isChoked && !peers[slot].isLeaving {
            if unchoked >= uploadSlots {
                let idle = roster.slots.first {
                    !peers[$0].isChoked && !peers[$0].isInterestedInUs && !peers[$0].isLeaving
                }
                guard let idle else { return }
                setChoked(true, idle, at: now, into: &actions)
                unchoked -= 1
            }
            setChoked(false, slot, at: now, into: &actions)
            unchoked += 1
        }
    }

    /// The round of ten seconds.
    mutating func chokeRound(at now: Instant, into actions: inout SwarmActionBuffer) {
        let sent = roster.slots.reduce(0.0) { $0 + peers[$1].up.bytesPerSecond }
        uploadSlots = slotCount(forRate: sent)
        let candidates = roster.slots.compactMap { candidate($0, at: now) }
        let chosen = choker.round(candidates, uploadSlots: uploadSlots, at: now, using: &random)
        var unchoked = chosen.count
        for slot in roster.slots {
            peers[slot].downTotalAtRound = peers[slot].down.total
            peers[slot].upTotalAtRound = peers[slot].up.total
            guard !peers[slot].isLeaving, !chosen.contains(slot), !peers[slot].isChoked else { continue }
            if !peers[slot].isInterestedInUs, unchoked < uploadSlots {
                unchoked += 1
            } else {
                setChoked(true, slot, at: now, into: &actions)
            }
        }
        for slot in chosen where peers[slot].isChoked { setChoked(false, slot, at: now, into: &actions) }
    }

    /// The square root of 0.6 times kB/s (BEP 3 practice): more slots where each still gets a rate worth having.
    ///
    /// Counted up, because a library function for roots would be the only reason to link libm here.
    private func slotCount(forRate bytesPerSecond: Double) -> Int {
        var slots = limits.uploadSlots
        while slots < limits.maxUploadSlots, Double((slots + 1) * (slots + 1)) <= bytesPerSecond / 1000 * 0.6 {
            slots += 1
        }
        return slots
    }

    private func candidate(_ slot: Int, at now: Instant) -> Choker.Candidate? {
        let peer = peers[slot]
        guard peer.isInterestedInUs, !peer.isLeaving else { return nil }
        let received = peer.down.total - peer.downTotalAtRound
        let sent = peer.up.total - peer.upTotalAtRound
        let hadItsTurn =
            isComplete && !peer.isChoked && now - peer.unchokedAt >= limits.seedingTurn
            && peer.up.total - peer.upTotalAtUnchoke >= 20 * Int64(layout.pieceLength)
        return Choker.Candidate(
            slot: slot,
            handle: peer.handle,
            merit: isComplete ? sent : received,
            isUnchoked: !peer.isChoked,
            isSnubbing: !isComplete && peer.isSnubbed,
            hadItsTurn: hadItsTurn,
            isNew: now - peer.connectedAt < limits.optimisticInterval
        )
    }

    private mutating func setChoked(
        _ isChoked: Bool,
        _ slot: Int,
        at now: Instant,
        into actions: inout SwarmActionBuffer
    ) {
        peers[slot].isChoked = isChoked
        if isChoked {
            peers[slot].queuedUploads = 0
            actions.append(.choke(peers[slot].handle))
        } else {
            peers[slot].unchokedAt = now
            peers[slot].upTotalAtUnchoke = peers[slot].up.total
            peers[slot].refusals = 0
            actions.append(.unchoke(peers[slot].handle))
        }
    }
}
