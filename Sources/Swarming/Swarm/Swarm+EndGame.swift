import Metainfo
import Primitives

/// The end of a download: the last blocks wait at slow peers.
extension Swarm {
    /// Asks an idle peer for blocks that a slower one was asked for; at most two peers ever have the same block to send.
    ///
    /// Only where nothing is left to ask otherwise: each such block may come twice.
    mutating func duplicate(_ slot: Int, at now: Instant, into actions: inout SwarmActionBuffer) {
        guard !isOnParole(slot) else { return }
        let limit = peers[slot].isSnubbed ? 1 : max(4, peers[slot].pipeline.target / 4)
        guard peers[slot].outstanding < limit, totalOutstanding > peers[slot].outstanding, !peers[slot].isChokingUs,
            isEndGame || isHeldUp(slot)
        else { return }
        for piece in open.slots.indices where isDuplicable(open.slots[piece], for: slot) {
            for cell in open.slots[piece].cells.indices {
                guard peers[slot].outstanding < limit else { return }
                let state = open.slots[piece].cells[cell]
                guard state.state == .asked, state.second == BlockCell.nobody, state.first != UInt16(slot),
                    isFaster(slot, than: Int(state.first)),
                    let block = layout.block(cell, ofPiece: open.slots[piece].piece)
                else { continue }
                open.duplicate(cell, in: piece, for: slot)
                if peers[slot].outstanding == 0 {
                    peers[slot].silentSince = now
                    peers[slot].pipeline.askedWhileIdle(at: now)
                }
                countOutstanding(slot, 1)
                actions.append(.request(block, peers[slot].handle))
            }
        }
    }

    /// Every block that somebody here holds is asked for.
    private var isEndGame: Bool {
        let startable = order.count - (completePeers == 0 ? order.unheldCount : 0)
        return startable == 0 && open.partials.allSatisfy { isUnheld(open.slots[$0].piece) }
    }

    /// A peer has nothing to do because all buffers belong to pieces that others were asked for, and not because the disk is slow.
    private func isHeldUp(_ slot: Int) -> Bool {
        peers[slot].outstanding == 0 && open.count >= maxOpen && open.checkingCount == 0
    }

    private func isUnheld(_ piece: Int) -> Bool { completePeers == 0 && order.availability(of: piece) == 0 }

    private func isDuplicable(_ piece: OpenPiece, for slot: Int) -> Bool {
        piece.phase == .filling && piece.askedCount > 0 && !piece.hasSingleSource && peers[slot].holds(piece.piece)
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
