import Primitives

/// The rarest pieces of some set, found a part of the set at a time: no look at it costs more than a bound.
///
/// What was found before stays until rarer ones are found, so that after a few looks they are the rarest of all.
struct RarestPieces {
    private struct Ranked: Comparable {
        let rarity: Int
        let piece: Int

        /// Backwards: the first of a heap is the most common one, which is the first to go.
        static func < (left: Ranked, right: Ranked) -> Bool { left.rarity > right.rarity }
    }

    /// Rarest first.
    private(set) var pieces: [Int] = []
    private var next: Int
    private let capacity: Int
    private let window: Int

    /// - Parameters:
    ///   - window: pieces of the set that one look takes in, beside those that were found before.
    ///   - start: where the first look begins; chance, so that not all nodes prefer the same of equals.
    init(capacity: Int, window: Int, startingAt start: Int) {
        self.capacity = max(1, capacity)
        self.window = max(1, window)
        next = max(0, start)
    }

    /// - Parameter rarity: the lower the rarer; `nil` for a piece that is of no interest.
    mutating func look(through set: Bitfield, rarity: (Int) -> Int?) {
        var heap = Heap<Ranked>()
        func consider(_ piece: Int) {
            guard let rarity = rarity(piece) else { return }
            let rank = Ranked(rarity: rarity, piece: piece)
            if heap.count >= capacity {
                guard let last = heap.first, rank.rarity < last.rarity else { return }
                _ = heap.popFirst()
            }
            heap.insert(rank)
        }
        let found = set.setCount > window ? pieces.filter { set[$0] } : []
        let isFound = Set(found)
        for piece in found { consider(piece) }
        if next >= set.count { next = set.count == 0 ? 0 : next % set.count }
        for _ in 0..<min(window, set.setCount) {
            guard let piece = set.firstIndex(from: next, alsoIn: set) ?? set.firstIndex(from: 0, alsoIn: set) else {
                break
            }
            next = piece + 1
            if !isFound.contains(piece) { consider(piece) }
        }
        pieces.removeAll(keepingCapacity: true)
        while let rank = heap.popFirst() { pieces.append(rank.piece) }
        pieces.reverse()
    }
}
