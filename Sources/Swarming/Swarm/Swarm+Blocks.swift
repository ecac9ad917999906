package import Metainfo
package import Primitives

/// Blocks arrive, or do not.
extension Swarm {
    /// The header of a block is here. The answer says where its payload goes.
    ///
    /// A third block that was never asked also closes the connection (hardening B5). Answers to requests that were
    /// cancelled, timed out or lost by a choke are counted off against those and are no offence.
    package mutating func blockBegan(
        _ block: Block,
        from peer: PeerHandle,
        at now: Instant,
        into actions: inout SwarmActionBuffer
    ) -> BlockDisposition {
        guard let slot = activeSlot(of: peer) else { return .late }
        if let (piece, cell) = cell(of: block) {
            let state = open.slots[piece].cells[cell]
            let isAsked = state.first == UInt16(slot) || state.second == UInt16(slot)
            if state.state == .asked, isAsked {
                open.begin(cell, in: piece, from: slot)
                peers[slot].silentSince = now
                peers[slot].arrivingSince = now
                peers[slot].pipeline.answered(at: now)
                return .wanted
            }
            if state.state == .arriving, state.second == UInt16(slot) {
                // The other was first by less than a block; this copy has nowhere to go.
                _ = open.release(cell, in: piece, by: slot)
                countOutstanding(slot, -1)
                wastedBytes += Int64(block.length)
                fillIfLow(slot, at: now, into: &actions)
                return .late
            }
        }
        wastedBytes += Int64(block.length)
        guard peers[slot].lateAnswers == 0 else {
            peers[slot].lateAnswers -= 1
            peers[slot].silentSince = now
            return .late
        }
        peers[slot].unaskedBlocks += 1
        if peers[slot].unaskedBlocks == limits.maxUnaskedBlocks {
            actions.append(.close(peer, .unaskedBlocks))
            leave(slot, into: &actions)
            fillAll(at: now, into: &actions)
        }
        return .unasked
    }

    /// The whole payload of a wanted block is in the piece buffer.
    package mutating func blockReceived(
        _ block: Block,
        from peer: PeerHandle,
        at now: Instant,
        into actions: inout SwarmActionBuffer
    ) {
        guard let slot = roster.slot(of: peer), let (piece, cell) = cell(of: block),
            open.slots[piece].cells[cell].state == .arriving, open.slots[piece].cells[cell].first == UInt16(slot)
        else { return }
        countOutstanding(slot, -1)
        credit(slot, Int(block.length), at: now)
        if let other = open.receive(cell, in: piece, from: peer, host: peers[slot].host) {
            cancel(block, of: other, into: &actions)
            fillIfLow(other, at: now, into: &actions)
        }
        if open.slots[piece].receivedCount == open.slots[piece].cells.count, open.slots[piece].phase == .filling {
            open.setPhase(.checking, of: piece)
            actions.append(.check(piece: Int(block.piece)))
        } else {
            closeIfDoomed(piece, into: &actions)
        }
        fillIfLow(slot, at: now, into: &actions)
    }

    /// The connection died in the middle of a payload, or the driver gave it up; `disconnected` alone says the same.
    package mutating func blockAborted(
        _ block: Block,
        from peer: PeerHandle,
        at now: Instant,
        into actions: inout SwarmActionBuffer
    ) {
        guard let slot = roster.slot(of: peer), let (piece, cell) = cell(of: block),
            open.slots[piece].cells[cell].state == .arriving, open.slots[piece].cells[cell].first == UInt16(slot)
        else { return }
        _ = open.release(cell, in: piece, by: slot)
        countOutstanding(slot, -1)
        peers[slot].arrivingSince = nil
        closeIfDoomed(piece, into: &actions)
        fillAll(at: now, into: &actions)
    }

    /// The open piece and the cell of a block, if it is one that we could have asked for.
    func cell(of block: Block) -> (piece: Int, cell: Int)? {
        guard let piece = open.slot(ofPiece: Int(block.piece)), block.begin % UInt32(PieceLayout.blockLength) == 0
        else { return nil }
        let cell = Int(block.begin) / PieceLayout.blockLength
        guard cell < open.slots[piece].cells.count,
            Int(block.length)
                == min(
                    PieceLayout.blockLength,
                    layout.length(ofPiece: Int(block.piece)) - Int(block.begin)
                )
        else { return nil }
        return (piece, cell)
    }

    private mutating func credit(_ slot: Int, _ bytes: Int, at now: Instant) {
        peers[slot].hasSent = true
        peers[slot].down.add(bytes)
        targetSum -= peers[slot].pipeline.target
        peers[slot].pipeline.received(bytes)
        targetSum += peers[slot].pipeline.target
        peers[slot].silentSince = now
        peers[slot].arrivingSince = nil
        peers[slot].rejects = 0
        if peers[slot].isSnubbed {
            peers[slot].isSnubbed = false
            peers[slot].pipeline.restarted(target: limits.initialRequests)
        }
    }

    private mutating func cancel(_ block: Block, of slot: Int, into actions: inout SwarmActionBuffer) {
        countOutstanding(slot, -1)
        expectLateAnswers(1, from: slot)
        actions.append(.cancel(block, peers[slot].handle))
    }

    /// Remembers that so many answers may come late; twice the deepest pipeline is more than any peer still has to say.
    mutating func expectLateAnswers(_ count: Int, from slot: Int) {
        peers[slot].lateAnswers = min(peers[slot].lateAnswers + count, 2 * limits.maxRequests)
    }

    /// Takes everything back that the peer was asked for. A block whose payload is on its way stays, unless the peer is gone.
    ///
    /// Looks at every cell of every open piece (four thousand at 64 MiB), because it is rare and a list per peer would
    /// have to be kept for every block.
    mutating func releaseAll(_ slot: Int, countsAsLate: Bool, into actions: inout SwarmActionBuffer) {
        var released = 0
        for piece in open.slots.indices where peers[slot].outstanding > 0 {
            guard open.slots[piece].phase == .filling || open.slots[piece].phase == .doomed else { continue }
            for cell in open.slots[piece].cells.indices {
                let state = open.slots[piece].cells[cell]
                if countsAsLate, state.state == .arriving, state.first == UInt16(slot) { continue }
                if state.state != .received, open.release(cell, in: piece, by: slot) {
                    countOutstanding(slot, -1)
                    released += 1
                }
            }
        }
        if countsAsLate { expectLateAnswers(released, from: slot) } else { peers[slot].arrivingSince = nil }
        disown(slot, into: &actions)
    }

    /// Takes the peer's claim from its pieces: others may go on with them, or, where it was the single source, must start over.
    mutating func disown(_ slot: Int, into actions: inout SwarmActionBuffer) {
        for piece in open.slots.indices where open.slots[piece].owner == UInt16(slot) {
            guard open.slots[piece].phase != .closed else { continue }
            open.setOwner(BlockCell.nobody, of: piece)
            if open.slots[piece].hasSingleSource, open.slots[piece].phase == .filling { giveUp(piece, into: &actions) }
        }
        for piece in open.slots.indices { closeIfDoomed(piece, into: &actions) }
    }
}
