import Metainfo
package import Primitives

/// Pieces are verified, fail, or stop being wanted.
extension Swarm {
    /// The disk worker's answer to `check`: the hash is right *and* the piece is on disk, or the hash is wrong.
    package mutating func pieceChecked(
        _ piece: Int,
        isCorrect: Bool,
        at now: Instant,
        into actions: inout SwarmActionBuffer
    ) {
        guard let slot = open.slot(ofPiece: piece), open.slots[slot].phase == .checking else { return }
        let contributors = open.slots[slot].contributors.filter { $0.blockCount > 0 }
        let wasFull = open.count >= maxOpen
        if isCorrect {
            verified(piece, by: contributors, into: &actions)
            close(slot, into: &actions)
            completeIfDone(into: &actions)
            // A piece that is right gives nobody anything new to do, except those that waited for its buffer.
            if wasFull { fillAll(at: now, into: &actions) }
        } else {
            wastedBytes += Int64(layout.length(ofPiece: piece))
            close(slot, into: &actions)
            blame(contributors, for: piece, into: &actions)
            fillAll(at: now, into: &actions)
        }
    }

    /// The hash was right, but the disk did not take the piece: nobody is to blame, and it is missing again.
    package mutating func pieceWriteFailed(_ piece: Int, at now: Instant, into actions: inout SwarmActionBuffer) {
        guard let slot = open.slot(ofPiece: piece), open.slots[slot].phase == .checking else { return }
        close(slot, into: &actions)
        fillAll(at: now, into: &actions)
    }

    /// Changes which pieces are wanted (`--only`).
    ///
    /// Pieces under way that are wanted no more are cancelled; one whose block is just arriving closes after that block.
    package mutating func select(_ wanted: Bitfield, at now: Instant, into actions: inout SwarmActionBuffer) {
        guard wanted.count == layout.pieceCount else { return }
        self.wanted = wanted
        recountWanted()
        for piece in 0..<layout.pieceCount {
            if !missing[piece] {
                order.remove(piece)
            } else if open.slot(ofPiece: piece) == nil {
                order.insert(piece, using: &random)
            }
        }
        for slot in roster.slots { recount(slot) }
        for slot in open.slots.indices
        where open.slots[slot].phase == .filling && !missing[open.slots[slot].piece] {
            giveUp(slot, into: &actions)
        }
        for slot in roster.slots { updateInterest(slot, into: &actions) }
        isCompletionTold = isCompletionTold && isComplete
        completeIfDone(into: &actions)
        fillAll(at: now, into: &actions)
    }

    /// Lets a piece go that is under way: cancels what was asked, and closes it once nothing arrives for it.
    mutating func giveUp(_ slot: Int, into actions: inout SwarmActionBuffer) {
        open.setPhase(.doomed, of: slot)
        for index in open.slots[slot].cells.indices {
            let cell = open.slots[slot].cells[index]
            if cell.second != BlockCell.nobody { withdraw(index, in: slot, from: Int(cell.second), into: &actions) }
            if cell.state == .asked { withdraw(index, in: slot, from: Int(cell.first), into: &actions) }
        }
        closeIfDoomed(slot, into: &actions)
    }

    mutating func withdraw(
        _ index: Int,
        in slot: Int,
        from peer: Int,
        into actions: inout SwarmActionBuffer
    ) {
        guard let block = layout.block(index, ofPiece: open.slots[slot].piece),
            open.release(index, in: slot, by: peer)
        else { return }
        countOutstanding(peer, -1)
        expectLateAnswers(1, from: peer)
        actions.append(.cancel(block, peers[peer].handle))
    }

    mutating func closeIfDoomed(_ slot: Int, into actions: inout SwarmActionBuffer) {
        guard open.slots[slot].phase == .doomed, open.slots[slot].arrivingCount == 0 else { return }
        close(slot, into: &actions)
    }

    /// Gives the buffer back; what is still missing can be begun again.
    mutating func close(_ slot: Int, into actions: inout SwarmActionBuffer) {
        let piece = open.slots[slot].piece
        open.close(slot)
        actions.append(.closePiece(piece))
        guard missing[piece] else { return }
        order.insert(piece, using: &random)
        for other in roster.slots where peers[other].holdings[piece] { peers[other].startableCount += 1 }
    }

    private mutating func verified(
        _ piece: Int,
        by contributors: [OpenPiece.Contributor],
        into actions: inout SwarmActionBuffer
    ) {
        have[piece] = true
        actions.append(.announceHave(piece))
        praise(contributors, for: piece, into: &actions)
        guard missing[piece] else { return }
        missing[piece] = false
        verifiedWantedBytes += Int64(layout.length(ofPiece: piece))
        for slot in roster.slots {
            if peers[slot].holdings[piece] { peers[slot].usefulCount -= 1 }
            updateInterest(slot, into: &actions)
        }
    }

    private mutating func completeIfDone(into actions: inout SwarmActionBuffer) {
        guard isComplete, !isCompletionTold else { return }
        isCompletionTold = true
        actions.append(.completed)
        for slot in roster.slots { _ = closeIfNeedless(slot, into: &actions) }
    }
}
