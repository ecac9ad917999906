import Metainfo
package import Primitives

/// Peers come, go, and say what they hold.
extension Swarm {
    /// A handshake is done.
    ///
    /// - Parameters:
    ///   - host: Where the peer is; bans name it.
    ///   - supportsFast: Both sides set the bit of BEP 6.
    ///   - reqq: Requests it keeps queued (BEP 10 `reqq`; 250 is what clients assume of others).
    package mutating func connected(
        _ peer: PeerHandle,
        host: Endpoint,
        supportsFast: Bool,
        requestLimit reqq: Int = 250,
        at now: Instant,
        into actions: inout SwarmActionBuffer
    ) {
        if roster.count == 0 { tickedAt = max(tickedAt, now) }
        guard roster.count < limits.maxPeers else {
            actions.append(.close(peer, .tooManyPeers))
            return
        }
        guard let slot = roster.add(peer) else { return }
        var state = SwarmPeer(
            handle: peer,
            host: host,
            supportsFast: supportsFast,
            connectedAt: now,
            holdings: Bitfield(count: layout.pieceCount),
            pipeline: Pipeline(target: limits.initialRequests, ceiling: ceiling(reqq)),
            patience: limits.snubTimeout
        )
        state.trust = blame.trust(of: host)
        if slot < peers.count { peers[slot] = state } else { peers.append(state) }
    }

    /// The peer said how many requests it keeps queued (BEP 10).
    package mutating func requestLimitKnown(_ reqq: Int, of peer: PeerHandle) {
        guard let slot = activeSlot(of: peer) else { return }
        peers[slot].pipeline.ceiling = ceiling(reqq)
    }

    private func ceiling(_ reqq: Int) -> Int { min(max(1, reqq), limits.maxRequests) }

    package mutating func disconnected(_ peer: PeerHandle, at now: Instant, into actions: inout SwarmActionBuffer) {
        guard let slot = roster.slot(of: peer) else { return }
        releaseAll(slot, countsAsLate: false, into: &actions)
        forgetHoldings(slot)
        blame.left(peers[slot].host, trust: peers[slot].trust)
        departedDown += peers[slot].down.total
        departedUp += peers[slot].up.total
        roster.remove(peer)
        peers[slot].isLeaving = true
        peers[slot].holdings = Bitfield(count: 0)
        recountTargets()
        fillUploadSlots(at: now, into: &actions)
        fillAll(at: now, into: &actions)
    }

    /// The peer's bitfield (BEP 3).
    package mutating func has(
        _ pieces: Bitfield,
        peer: PeerHandle,
        at now: Instant,
        into actions: inout SwarmActionBuffer
    ) {
        guard let slot = activeSlot(of: peer), pieces.count == layout.pieceCount else { return }
        forgetHoldings(slot)
        if pieces.isFull {
            holdsAll(slot)
        } else {
            peers[slot].holdings = pieces
            for piece in pieces.indices { order.gained(piece, using: &random) }
            recount(slot)
        }
        grantFast(slot, into: &actions)
        holdingsChanged(slot, at: now, into: &actions)
    }

    /// `have all` (BEP 6).
    package mutating func hasAll(peer: PeerHandle, at now: Instant, into actions: inout SwarmActionBuffer) {
        guard let slot = activeSlot(of: peer) else { return }
        forgetHoldings(slot)
        holdsAll(slot)
        holdingsChanged(slot, at: now, into: &actions)
    }

    /// `have none` (BEP 6).
    package mutating func hasNone(peer: PeerHandle, at now: Instant, into actions: inout SwarmActionBuffer) {
        has(Bitfield(count: layout.pieceCount), peer: peer, at: now, into: &actions)
    }

    /// `have` (BEP 3).
    package mutating func hasPiece(
        _ piece: Int,
        peer: PeerHandle,
        at now: Instant,
        into actions: inout SwarmActionBuffer
    ) {
        guard let slot = activeSlot(of: peer), piece >= 0, piece < layout.pieceCount, !peers[slot].holds(piece) else {
            return
        }
        peers[slot].holdings[piece] = true
        order.gained(piece, using: &random)
        if missing[piece] { peers[slot].usefulCount += 1 }
        if order.contains(piece) { peers[slot].startableCount += 1 }
        holdingsChanged(slot, at: now, into: &actions)
    }

    package mutating func interested(_ peer: PeerHandle, at now: Instant, into actions: inout SwarmActionBuffer) {
        guard let slot = activeSlot(of: peer) else { return }
        peers[slot].isInterestedInUs = true
        // At once while a slot is free: a lone fetch must not wait for the next round.
        fillUploadSlots(at: now, into: &actions)
    }

    package mutating func notInterested(_ peer: PeerHandle, at now: Instant, into actions: inout SwarmActionBuffer) {
        guard let slot = activeSlot(of: peer) else { return }
        peers[slot].isInterestedInUs = false
        fillUploadSlots(at: now, into: &actions)
    }

    private mutating func holdsAll(_ slot: Int) {
        peers[slot].holdsAll = true
        peers[slot].holdings = Bitfield(count: 0)
        completePeers += 1
    }

    /// Takes a peer's pieces out of the counts.
    private mutating func forgetHoldings(_ slot: Int) {
        if peers[slot].holdsAll {
            completePeers -= 1
            peers[slot].holdsAll = false
        } else {
            for piece in peers[slot].holdings.indices { order.lost(piece, using: &random) }
        }
        peers[slot].holdings = Bitfield(count: layout.pieceCount)
        peers[slot].usefulCount = 0
        peers[slot].startableCount = 0
    }

    mutating func recount(_ slot: Int) {
        guard !peers[slot].holdsAll else { return }
        peers[slot].usefulCount = peers[slot].holdings.commonCount(with: missing)
        peers[slot].startableCount = peers[slot].holdings.commonCount(with: order.members)
    }

    private mutating func holdingsChanged(_ slot: Int, at now: Instant, into actions: inout SwarmActionBuffer) {
        if closeIfNeedless(slot, into: &actions) { return }
        updateInterest(slot, into: &actions)
        if peers[slot].outstanding == 0 { fill(slot, at: now, into: &actions) }
    }

    /// Two that have all they want free the connection for others.
    mutating func closeIfNeedless(_ slot: Int, into actions: inout SwarmActionBuffer) -> Bool {
        guard isComplete, peers[slot].isComplete, !peers[slot].isLeaving else { return false }
        actions.append(.close(peers[slot].handle, .bothComplete))
        leave(slot, into: &actions)
        return true
    }

    /// From here on the peer is asked nothing and served nothing; the driver still reports `disconnected`.
    mutating func leave(_ slot: Int, into actions: inout SwarmActionBuffer) {
        releaseAll(slot, countsAsLate: false, into: &actions)
        peers[slot].isLeaving = true
    }

    mutating func updateInterest(_ slot: Int, into actions: inout SwarmActionBuffer) {
        let isInteresting = usefulCount(slot) > 0
        guard isInteresting != peers[slot].isInteresting, !peers[slot].isLeaving else { return }
        peers[slot].isInteresting = isInteresting
        actions.append(isInteresting ? .interested(peers[slot].handle) : .notInterested(peers[slot].handle))
    }
}
