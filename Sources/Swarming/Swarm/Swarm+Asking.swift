package import Metainfo
package import Primitives

/// What to ask of whom.
extension Swarm {
    package mutating func choked(by peer: PeerHandle, at now: Instant, into actions: inout SwarmActionBuffer) {
        guard let slot = activeSlot(of: peer), !peers[slot].isChokingUs else { return }
        peers[slot].isChokingUs = true
        peers[slot].pipeline.restarted(target: limits.initialRequests)
        recountTargets()
        // With BEP 6 each request is answered by the block or a reject; without it they are gone.
        if peers[slot].supportsFast {
            disown(slot, into: &actions)
        } else {
            releaseAll(slot, countsAsLate: true, into: &actions)
        }
        fillAll(at: now, into: &actions)
    }

    package mutating func unchoked(by peer: PeerHandle, at now: Instant, into actions: inout SwarmActionBuffer) {
        guard let slot = activeSlot(of: peer), peers[slot].isChokingUs else { return }
        peers[slot].isChokingUs = false
        recountTargets()
        fill(slot, at: now, into: &actions)
    }

    /// `reject request` (BEP 6).
    package mutating func rejected(
        _ block: Block,
        by peer: PeerHandle,
        at now: Instant,
        into actions: inout SwarmActionBuffer
    ) {
        guard let slot = activeSlot(of: peer) else { return }
        guard let (piece, cell) = cell(of: block), open.release(cell, in: piece, by: slot) else {
            if peers[slot].lateAnswers > 0 { peers[slot].lateAnswers -= 1 }
            return
        }
        countOutstanding(slot, -1)
        // After a choke every request is rejected, as it should be.
        if !peers[slot].isChokingUs { peers[slot].rejects += 1 }
        peers[slot].allowedFast.removeAll { $0 == Int(block.piece) }
        closeIfDoomed(piece, into: &actions)
        // Who refuses is not asked before the next tick: it would be asked the same again, and refuse again. Two of them
        // would hand a block to each other for ever, faster than anybody else gets a turn.
        for other in roster.slots where other != slot && peers[other].rejects == 0 {
            fillIfLow(other, at: now, into: &actions)
        }
    }

    /// `allowed fast` (BEP 6).
    package mutating func allowedFast(
        _ piece: Int,
        by peer: PeerHandle,
        at now: Instant,
        into actions: inout SwarmActionBuffer
    ) {
        guard let slot = activeSlot(of: peer), piece >= 0, piece < layout.pieceCount,
            peers[slot].allowedFast.count < SwarmPeer.maxHints, !peers[slot].allowedFast.contains(piece)
        else { return }
        peers[slot].allowedFast.append(piece)
        if peers[slot].isChokingUs { fill(slot, at: now, into: &actions) }
    }

    /// `suggest piece` (BEP 6): the peer has it in its cache.
    package mutating func suggested(_ piece: Int, by peer: PeerHandle) {
        guard let slot = activeSlot(of: peer), piece >= 0, piece < layout.pieceCount else { return }
        peers[slot].suggested.removeAll { $0 == piece }
        if peers[slot].suggested.count >= SwarmPeer.maxHints { peers[slot].suggested.removeFirst() }
        peers[slot].suggested.append(piece)
    }

    /// Stops asking (disk full). What is under way still arrives.
    package mutating func pause() { isPaused = true }

    package mutating func resume(at now: Instant, into actions: inout SwarmActionBuffer) {
        isPaused = false
        fillAll(at: now, into: &actions)
    }

    /// Pieces in ascending order (`--sequential`), from the next one that is begun.
    package mutating func setSequential(_ on: Bool) { isSequential = on }

    /// Keeps what is in flight to eight seconds' worth of a limited download (`--limit-down`).
    ///
    /// Otherwise every peer would be asked its fill, wait for minutes until it is read from, and count as silent.
    package mutating func setDownLimit(_ bytesPerSecond: Int?) {
        outstandingLimit = bytesPerSecond.map { max(4, $0 / PieceLayout.blockLength * 8) } ?? .max
    }

    /// Asks each peer that has room for more, beginning with another one each time, until there is nothing to hand out.
    mutating func fillAll(at now: Instant, into actions: inout SwarmActionBuffer) {
        guard roster.count > 0 else { return }
        firstServed = (firstServed + 1) % roster.count
        for index in roster.slots.indices {
            if open.partials.isEmpty, open.count >= maxOpen { return }
            let slot = roster.slots[(firstServed + index) % roster.count]
            fillIfLow(slot, at: now, into: &actions)
        }
    }

    /// Requests leave in groups: below three quarters of the target up to the target.
    @inline(__always)
    mutating func fillIfLow(_ slot: Int, at now: Instant, into actions: inout SwarmActionBuffer) {
        if peers[slot].outstanding * 4 < peers[slot].pipeline.target * 3 {
            fill(slot, at: now, into: &actions)
        }
    }

    mutating func fill(_ slot: Int, at now: Instant, into actions: inout SwarmActionBuffer) {
        guard !isPaused, !peers[slot].isLeaving, !missing.isEmpty else { return }
        var room = min(requestLimit(slot), fairLimit(slot)) - peers[slot].outstanding
        room = min(room, fairShare(slot), outstandingLimit - totalOutstanding)
        guard room > 0 else { return }
        while room > 0, let piece = pieceToAsk(slot, at: now, into: &actions) {
            room -= ask(slot, for: piece, atMost: room, at: now, into: &actions)
        }
        if room > 0, isEndGame { duplicate(slot, at: now, into: &actions) }
    }

    private func requestLimit(_ slot: Int) -> Int {
        if peers[slot].isSnubbed { return peers[slot].isChokingUs ? 0 : 1 }
        if peers[slot].isChokingUs {
            return peers[slot].allowedFast.isEmpty ? 0 : min(peers[slot].pipeline.target, limits.initialRequests)
        }
        return peers[slot].pipeline.target
    }

    /// A peer's part of all blocks that fit into the piece buffers, or the first few would leave none for the others.
    private func fairLimit(_ slot: Int) -> Int {
        let target = peers[slot].pipeline.target
        return max(2, maxOpen * blocksPerPiece * target / max(targetSum, target, 1))
    }

    /// How many blocks a peer may take of what is left: near the end, a part that goes with its pipeline, so that the last
    /// blocks are spread and not all waiting at whoever asked first.
    private func fairShare(_ slot: Int) -> Int {
        let target = peers[slot].pipeline.target
        let left = open.freeBlocks + order.count * blocksPerPiece
        return left >= targetSum ? target : max(2, left * target / max(targetSum, target, 1))
    }

    private var blocksPerPiece: Int {
        (layout.pieceLength + PieceLayout.blockLength - 1) / PieceLayout.blockLength
    }

    /// Sums up the pipelines of those that can be asked. Between the ticks it only follows their growth.
    mutating func recountTargets() {
        targetSum = 0
        for slot in roster.slots where canServe(slot) && usefulCount(slot) > 0 {
            targetSum += peers[slot].pipeline.target
        }
    }

    /// Whether the peer is one that blocks can be expected from.
    func canServe(_ slot: Int) -> Bool {
        !peers[slot].isChokingUs && !peers[slot].isLeaving && !peers[slot].isSnubbed
    }

    private func mayAsk(_ slot: Int, for piece: Int) -> Bool {
        peers[slot].holds(piece) && (!peers[slot].isChokingUs || peers[slot].allowedFast.contains(piece))
    }

    /// The open piece to take blocks from: its own, an abandoned one, then a shared or a new one.
    private mutating func pieceToAsk(_ slot: Int, at now: Instant, into actions: inout SwarmActionBuffer) -> Int? {
        var abandoned: Int?
        var shared: Int?
        let isAlone = isOnParole(slot)
        for partial in open.partials where mayAsk(slot, for: open.slots[partial].piece) {
            if open.slots[partial].owner == UInt16(slot), open.slots[partial].hasSingleSource || !isAlone {
                return partial
            }
            if open.slots[partial].hasSingleSource || isAlone { continue }
            if open.slots[partial].owner == BlockCell.nobody {
                abandoned = isFuller(partial, than: abandoned) ? partial : abandoned
            } else {
                shared = isFuller(partial, than: shared) ? partial : shared
            }
        }
        if let abandoned {
            open.setOwner(UInt16(slot), of: abandoned)
            return abandoned
        }
        if let shared, !prefersWholePieces(slot) { return shared }
        if let piece = pieceToOpen(slot) {
            return openPiece(piece, for: slot, isAlone: isAlone, at: now, into: &actions)
        }
        return shared
    }

    private func isFuller(_ left: Int, than right: Int?) -> Bool {
        guard let right else { return true }
        if isSequential { return open.slots[left].piece < open.slots[right].piece }
        return open.slots[left].freeCount < open.slots[right].freeCount
    }

    /// Fast peers get pieces of their own, unless there are too few for everyone.
    private func prefersWholePieces(_ slot: Int) -> Bool {
        if isSequential || order.count < roster.count { return false }
        let rate = peers[slot].pipeline.rate
        return !rate.isKnown
            || rate.bytesPerSecond * limits.wholePieceTime.inSeconds >= Double(layout.pieceLength)
    }

    /// The next piece to begin with this peer.
    private mutating func pieceToOpen(_ slot: Int) -> Int? {
        guard open.count < maxOpen, startableCount(slot) > 0 else { return nil }
        let excluded = piecesReservedForOthers(slot)
        if peers[slot].isChokingUs {
            return peers[slot].allowedFast.first { isStartable($0, by: slot, excluding: excluded) }
        }
        let holdings = peers[slot].holdsAll ? nil : peers[slot].holdings
        if let piece = pieceToProve(slot) { return piece }
        if isSequential { return order.first(in: holdings, excluding: excluded) }
        if let hint = peers[slot].suggested.first(where: { isStartable($0, by: slot, excluding: excluded) }) {
            return hint
        }
        if have.setCount < limits.randomFirstPieces {
            return order.random(in: holdings, using: &random, excluding: excluded)
        }
        return order.rarest(in: holdings, using: &random, excluding: excluded)
    }

    private func isStartable(_ piece: Int, by slot: Int, excluding excluded: [Int]) -> Bool {
        order.contains(piece) && peers[slot].holds(piece) && !excluded.contains(piece)
    }

    private mutating func openPiece(
        _ piece: Int,
        for slot: Int,
        isAlone: Bool,
        at now: Instant,
        into actions: inout SwarmActionBuffer
    ) -> Int {
        order.remove(piece)
        for other in roster.slots where peers[other].holdings[piece] { peers[other].startableCount -= 1 }
        actions.append(.openPiece(piece))
        return open.open(
            piece,
            blockCount: layout.blockCount(inPiece: piece),
            owner: slot,
            hasSingleSource: isAlone || blame.isSuspected(piece),
            at: now
        )
    }

    private mutating func ask(
        _ slot: Int,
        for piece: Int,
        atMost room: Int,
        at now: Instant,
        into actions: inout SwarmActionBuffer
    ) -> Int {
        let index = open.slots[piece].piece
        var asked = 0
        while asked < room, let cell = open.take(in: piece, for: slot) {
            request(cell, of: index, from: slot, at: now, into: &actions)
            asked += 1
        }
        return asked
    }

    mutating func request(
        _ cell: Int,
        of piece: Int,
        from slot: Int,
        at now: Instant,
        into actions: inout SwarmActionBuffer
    ) {
        guard let block = layout.block(cell, ofPiece: piece) else { return }
        if peers[slot].outstanding == 0 {
            peers[slot].silentSince = now
            peers[slot].pipeline.askedWhileIdle(at: now)
        }
        countOutstanding(slot, 1)
        actions.append(.request(block, peers[slot].handle))
    }

    mutating func countOutstanding(_ slot: Int, _ change: Int) {
        peers[slot].outstanding += change
        totalOutstanding += change
    }
}
