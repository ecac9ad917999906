import Primitives

/// Nodes in the order of their distance from one identifier.
///
/// The order makes a flat array the binary tree of Kademlia: whoever shares the same leading bits stands together, so a
/// subtree is a range, and its two halves are found by looking for the place where the next bit changes.
struct OrderedEntries: Sendable {
    let origin: NodeID
    private(set) var entries: [TableEntry] = []

    init(origin: NodeID) { self.origin = origin }

    var count: Int { entries.count }
    var indices: Range<Int> { entries.indices }

    subscript(index: Int) -> TableEntry {
        get { entries[index] }
        set { entries[index] = newValue }
    }

    /// Puts an entry in its place; one of that identifier must not be there.
    mutating func insert(_ entry: TableEntry) {
        entries.insert(entry, at: position(of: origin.distance(to: entry.contact.id)))
    }

    @discardableResult
    mutating func remove(at index: Int) -> TableEntry { entries.remove(at: index) }

    func index(of id: NodeID) -> Int? {
        let index = position(of: origin.distance(to: id))
        return index < entries.count && entries[index].contact.id == id ? index : nil
    }

    /// Those that share exactly so many leading bits with the origin.
    func range(sharing bits: Int) -> Range<Int> { end(sharing: bits + 1)..<end(sharing: bits) }

    /// Behind the last entry that shares at least so many leading bits with the origin.
    func end(sharing bits: Int) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if distance(at: middle).leadingZeroBitCount >= bits { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Calls `body` with the nodes from the nearest to `target` on, until it returns `false`.
    ///
    /// It walks up the tree from the place of the target. Of its neighbours on the left and on the right, who shares more
    /// bits with it belongs to the subtree that comes next; they never share equally many, for at the first other bit the
    /// left one has a zero and the right one a one.
    func forEach(nearestTo target: NodeID, _ body: (borrowing TableEntry) -> Bool) {
        let target = origin.distance(to: target)
        var low = position(of: target)
        var high = low
        while low > 0 || high < entries.count {
            let left = low > 0 ? bitsShared(with: target, at: low - 1) : -1
            let right = high < entries.count ? bitsShared(with: target, at: high) : -1
            if left > right {
                let start = startOfSubtree(sharing: left, with: target, before: low)
                guard visit(start, low, target, body) else { return }
                low = start
            } else {
                let end = endOfSubtree(sharing: right, with: target, after: high)
                guard visit(high, end, target, body) else { return }
                high = end
            }
        }
    }

    /// The first index whose distance is not smaller.
    private func position(of distance: UInt160) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if self.distance(at: middle) < distance { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func distance(at index: Int) -> UInt160 { origin.distance(to: entries[index].contact.id) }

    private func bitsShared(with target: UInt160, at index: Int) -> Int {
        (distance(at: index) ^ target).leadingZeroBitCount
    }

    /// The first of those that stand side by side before `end` and share so many bits with the target.
    ///
    /// Small subtrees come first, so it looks near before it looks far.
    private func startOfSubtree(sharing bits: Int, with target: UInt160, before end: Int) -> Int {
        var inside = end - 1
        var step = 1
        while inside - step >= 0, bitsShared(with: target, at: inside - step) >= bits {
            inside -= step
            step *= 2
        }
        var outside = max(inside - step, -1)
        while inside - outside > 1 {
            let middle = (inside + outside) / 2
            if bitsShared(with: target, at: middle) >= bits { inside = middle } else { outside = middle }
        }
        return inside
    }

    /// Behind the last of those that stand side by side from `start` on and share so many bits with the target.
    private func endOfSubtree(sharing bits: Int, with target: UInt160, after start: Int) -> Int {
        var inside = start
        var step = 1
        while inside + step < entries.count, bitsShared(with: target, at: inside + step) >= bits {
            inside += step
            step *= 2
        }
        var outside = min(inside + step, entries.count)
        while outside - inside > 1 {
            let middle = (inside + outside) / 2
            if bitsShared(with: target, at: middle) >= bits { inside = middle } else { outside = middle }
        }
        return outside
    }

    /// Visits the entries from `low` up to `high`, at least one; `false` when `body` has had enough.
    ///
    /// Each step goes on with halves of a range, so there are never more than 160 of them in one another.
    private func visit(_ low: Int, _ high: Int, _ target: UInt160, _ body: (borrowing TableEntry) -> Bool) -> Bool {
        guard high - low > 1 else { return body(entries[low]) }
        // The first and the last differ in the first bit that not all of them share.
        let bit = (distance(at: low) ^ distance(at: high - 1)).leadingZeroBitCount
        var fork = low + 1
        var end = high - 1
        while fork < end {
            let middle = (fork + end) / 2
            if distance(at: middle)[bit: bit] { end = middle } else { fork = middle + 1 }
        }
        if target[bit: bit] {
            return visit(fork, high, target, body) && visit(low, fork, target, body)
        }
        return visit(low, fork, target, body) && visit(fork, high, target, body)
    }
}
