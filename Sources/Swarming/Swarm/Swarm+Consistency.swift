import Primitives

/// The counts that are kept must equal what they count; tests ask after every step.
extension Swarm {
    var inconsistencies: [String] {
        var found: [String] = []
        var asked = [Int](repeating: 0, count: peers.count)
        var free = 0
        for piece in open.slots where piece.phase != .closed {
            var states = [0, 0, 0, 0]
            for cell in piece.cells {
                states[Int(cell.state.rawValue)] += 1
                guard cell.state == .asked || cell.state == .arriving else { continue }
                for peer in [cell.first, cell.second] where peer != BlockCell.nobody { asked[Int(peer)] += 1 }
                if cell.first == cell.second {
                    found.append("piece \(piece.piece): a block is asked twice of one peer")
                }
            }
            if states != [piece.freeCount, piece.askedCount, piece.arrivingCount, piece.receivedCount] {
                found.append("piece \(piece.piece): counts \(states)")
            }
            if piece.phase == .filling { free += piece.freeCount }
            if order.contains(piece.piece) { found.append("piece \(piece.piece) is open and startable") }
            if piece.phase == .filling, (piece.partialIndex >= 0) != (piece.freeCount > 0) {
                found.append("piece \(piece.piece): partial list")
            }
        }
        if free != open.freeBlocks { found.append("free blocks \(open.freeBlocks), not \(free)") }
        if open.count > maxOpen { found.append("\(open.count) pieces open") }
        for slot in roster.slots {
            if peers[slot].outstanding != asked[slot] {
                found.append(
                    "peer \(peers[slot].handle.raw): outstanding \(peers[slot].outstanding), not \(asked[slot])"
                )
            }
            guard !peers[slot].holdsAll else { continue }
            if peers[slot].usefulCount != peers[slot].holdings.commonCount(with: missing) {
                found.append("peer \(peers[slot].handle.raw): useful")
            }
            if peers[slot].startableCount != peers[slot].holdings.commonCount(with: order.members) {
                found.append("peer \(peers[slot].handle.raw): startable")
            }
        }
        if totalOutstanding != asked.reduce(0, +) { found.append("total outstanding") }
        for piece in missing.indices where order.contains(piece) == (open.slot(ofPiece: piece) != nil) {
            found.append("piece \(piece) is neither startable nor open")
        }
        return found + order.inconsistencies
    }
}
