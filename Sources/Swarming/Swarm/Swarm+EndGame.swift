import Metainfo
import Primitives

/// The end of a download: the last blocks wait at slow peers.
extension Swarm {
    /// Asks an idle peer for blocks that a slower one was asked for; at most two peers ever have the same block to send.
    ///
    /// Only where nothing is left to ask otherwise: each such block may come twice.
    ///
    /// Looks at a few open pieces at a time, from where it stopped, because an idle peer comes here with every block.
    mutating func duplicate(_ slot: Int, at now: Instant, into actions: inout SwarmActionBuffer) {
        let limit = peers[slot].isSnubbed ? 1 : max(4, peers[slot].pipeline.target / 4)
        guard peers[slot].outstanding < limit, totalOutstanding > peers[slot].outstanding, !peers[slot].isChokingUs,
            !isPaused, !isOnParole(slot)
        else { return }
        let count = open.slots.count
        for _ in 0..<min(count, 64) where peers[slot].outstanding < limit {
            duplicateCursor = (duplicateCursor + 1) % count
            duplicate(slot, in: duplicateCursor, upTo: limit, at: now, into: &actions)
        }
    }

    private mutating func duplicate(
        _ slot: Int,
        in piece: Int,
        upTo limit: Int,
        at now: Instant,
        into actions: inout SwarmActionBuffer
    ) {
        guard open.slots[piece].phase == .filling, open.slots[piece].askedCount > 0, !open.slots[piece].hasSingleSource,
            peers[slot].holds(open.slots[piece].piece)
        else { return }
        for cell in open.slots[piece].cells.indices where peers[slot].outstanding < limit {
            let state = open.slots[piece].cells[cell]
            guard state.state == .asked, state.first != UInt16(slot), state.second != UInt16(slot) else { continue }
            // Who has never sent anything shall not keep a block from one that has, however slow that one is: what is expected
            // of the mute is a guess.
            let losesToSender = peers[slot].hasSent && isMute(Int(state.first), at: now)
            if state.second == BlockCell.nobody {
                guard losesToSender || isFaster(slot, than: Int(state.first)) else { continue }
            } else {
                guard losesToSender, isMute(Int(state.second), at: now) else { continue }
                withdraw(cell, in: piece, from: Int(state.second), into: &actions)
            }
            open.duplicate(cell, in: piece, for: slot)
            request(cell, of: open.slots[piece].piece, from: slot, at: now, into: &actions)
        }
    }

    /// Every block that somebody here holds is asked for.
    var isEndGame: Bool {
        let startable = order.count - (completePeers == 0 ? order.unheldCount : 0)
        return startable == 0 && open.partials.allSatisfy { isUnheld(open.slots[$0].piece) }
    }

    /// A peer has nothing to do because all buffers belong to pieces that others were asked for, and not because the disk is slow.
    func isHeldUp(_ slot: Int) -> Bool {
        canServe(slot) && peers[slot].outstanding == 0 && open.count >= maxOpen && open.checkingCount == 0
    }

    private func isUnheld(_ piece: Int) -> Bool { completePeers == 0 && order.availability(of: piece) == 0 }

    /// Whether a peer has never sent a block, and has had the time to.
    private func isMute(_ slot: Int, at now: Instant) -> Bool {
        !peers[slot].hasSent && now - peers[slot].silentSince >= limits.muteTime
    }

    /// Whether `slot` would send one block more before `other` is through with its queue.
    private func isFaster(_ slot: Int, than other: Int) -> Bool {
        peers[slot].pipeline.time(for: peers[slot].outstanding + 1)
            < peers[other].pipeline.time(for: peers[other].outstanding)
    }

    /// A peer that takes ages over one block, while nothing else is left to fetch, is let go so that others get the block.
    mutating func dropSlowSenders(at now: Instant, into actions: inout SwarmActionBuffer) {
        guard isEndGame else { return }
        for slot in roster.slots where !peers[slot].isLeaving {
            guard let since = peers[slot].arrivingSince, now - since >= limits.slowBlockTime else { continue }
            let isOtherThere = roster.slots.contains {
                $0 != slot && canServe($0) && usefulCount($0) > 0 && peers[$0].arrivingSince == nil
            }
            guard isOtherThere else { continue }
            // The payload may be half in the buffer, so the block is released when the connection is gone.
            actions.append(.close(peers[slot].handle, .tooSlow))
            peers[slot].arrivingSince = nil
        }
    }
}
