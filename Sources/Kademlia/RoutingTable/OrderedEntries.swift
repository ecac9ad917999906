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
    /// It walks down the tree, at each fork first into the half where the target is: that is their order, and no node
    /// is looked at that comes later in it.
    func forEach(nearestTo target: NodeID, _ body: (borrowing TableEntry) -> Bool) {
        guard !entries.isEmpty else { return }
        _ = visit(0, entries.count, origin.distance(to: target), body)
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
