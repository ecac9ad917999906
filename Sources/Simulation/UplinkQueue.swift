import Metainfo

/// Blocks that wait for an uplink.
///
/// First come, first served; or fair, as connections share a line: each peer that waits has its turn, whatever the others
/// asked for before (start-time fair queueing: Goyal, Vin and Cheng, 1997, with blocks as the unit).
struct UplinkQueue {
    struct Upload {
        let block: Block
        let to: Int
        fileprivate let turn: UInt64
    }

    private var uploads: [Upload] = []
    private var round: UInt64 = 0
    private var lastTurns: [Int: UInt64] = [:]

    var count: Int { uploads.count }

    mutating func append(_ block: Block, to peer: Int, isFair: Bool) {
        let turn = isFair ? max(round, lastTurns[peer] ?? 0) + 1 : 0
        lastTurns[peer] = turn
        // Behind all whose turn is not later.
        var (low, high) = (0, uploads.count)
        while low < high {
            let middle = (low + high) / 2
            if uploads[middle].turn <= turn { low = middle + 1 } else { high = middle }
        }
        uploads.insert(Upload(block: block, to: peer, turn: turn), at: low)
    }

    mutating func popFirst() -> Upload? {
        guard !uploads.isEmpty else { return nil }
        let first = uploads.removeFirst()
        round = first.turn
        return first
    }

    /// Returns whether it was there.
    mutating func remove(_ block: Block, to peer: Int) -> Bool {
        guard let index = uploads.firstIndex(where: { $0.block == block && $0.to == peer }) else { return false }
        uploads.remove(at: index)
        return true
    }

    /// Returns what was to go to the peer, in its order.
    mutating func removeAll(to peer: Int) -> [Block] {
        let blocks = uploads.filter { $0.to == peer }.map(\.block)
        if !blocks.isEmpty { uploads.removeAll { $0.to == peer } }
        lastTurns[peer] = nil
        return blocks
    }
}
