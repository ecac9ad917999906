import Primitives

/// The peers of one family in one swarm: rows side by side, ordered by kind, and above a few rows an index.
///
/// Nothing is allocated for a peer by itself, and a peer that announces again changes its row in place.
struct PeerTable<Row: PeerRow> {
    private(set) var rows: [Row] = []
    /// Row numbers plus 1 by the hash of their endpoint, 0 for an empty place, probed linearly; empty for few rows.
    private var index: [UInt16] = []
    /// Where each kind of peers ends. Last, for its 16 bytes would leave a gap before them.
    private var ends = SIMD8<UInt16>(repeating: 0)

    /// Fewer rows are looked through faster than hashed: they lie in a few cache lines.
    private static var rowsWithoutIndex: Int { 12 }

    var count: Int { rows.count }
    var isEmpty: Bool { rows.isEmpty }

    var seedCount: Int { Int(ends[1]) + Int(ends[5] - ends[4]) }

    /// The rows of some kinds, which lie side by side.
    func range(of kinds: ClosedRange<Int>) -> Range<Int> {
        Int(kinds.lowerBound == 0 ? 0 : ends[kinds.lowerBound - 1])..<Int(ends[kinds.upperBound])
    }

    func kind(at position: Int) -> Int {
        var kind = 0
        while kind < PeerKind.count - 1, position >= Int(ends[kind]) { kind += 1 }
        return kind
    }

    // MARK: Finding

    func position(of row: Row, _ key: RowKey) -> Int? {
        guard !index.isEmpty else { return rows.firstIndex { $0.isAt(row) } }
        let mask = index.count - 1
        var place = Int(row.hash(key)) & mask
        while index[place] != 0 {
            let position = Int(index[place]) - 1
            if rows[position].isAt(row) { return position }
            place = (place + 1) & mask
        }
        return nil
    }

    /// The row of a peer that is proven to be the same at another address (T8). Looks at all rows: addresses change
    /// seldom.
    func position(provenBy id: RowID) -> Int? { id.key == 0 ? nil : rows.firstIndex { $0.id.isSame(as: id) } }

    /// How many rows a host has (`IPAddress.host`).
    func count(ofHost address: IPAddress) -> Int {
        let host = address.host
        return rows.count { $0.endpoint.address.host == host }
    }

    // MARK: Changing

    /// Renews a row in place; its endpoint stays.
    mutating func update(at position: Int, _ body: (inout Row) -> Void) { body(&rows[position]) }

    /// Puts a row that is not there yet behind the last of its kind: of each kind behind it, one row moves.
    mutating func insert(_ row: Row, as kind: PeerKind, _ key: RowKey) {
        makeRoom()
        var hole = rows.count
        rows.append(row)
        for number in stride(from: PeerKind.count - 1, to: kind.number, by: -1) {
            let first = Int(ends[number - 1])
            if first != hole { move(first, to: hole, key) }
            hole = first
            ends[number] += 1
        }
        ends[kind.number] += 1
        rows[hole] = row
        if !index.isEmpty || rows.count > PeerTable.rowsWithoutIndex { enter(hole, key) }
    }

    /// Takes a row out: of its kind and of each behind it, the last row moves.
    @discardableResult
    mutating func remove(at position: Int, _ key: RowKey) -> Row {
        let row = rows[position]
        if !index.isEmpty { leave(position, key) }
        var hole = position
        for number in kind(at: position)..<PeerKind.count {
            let last = Int(ends[number]) - 1
            if last != hole { move(last, to: hole, key) }
            hole = last
            ends[number] -= 1
        }
        rows.removeLast()
        return row
    }

    /// Gives memory back that a swarm no longer needs; called now and then.
    mutating func shrink(_ key: RowKey) {
        guard rows.count < rows.capacity / 2 - 2 else { return }
        let kept = rows
        rows = []
        rows.reserveCapacity(kept.count + kept.count / 8)
        rows.append(contentsOf: kept)
        index = []
        if rows.count > PeerTable.rowsWithoutIndex { rebuild(key) }
    }

    /// By a quarter, where an array would double: most swarms that grow do so slowly, and memory is what a large tracker
    /// runs out of first.
    private mutating func makeRoom() {
        guard rows.count == rows.capacity else { return }
        rows.reserveCapacity(rows.count + max(1, rows.count / 4))
    }

    // MARK: The index

    private mutating func move(_ from: Int, to position: Int, _ key: RowKey) {
        let row = rows[from]
        rows[position] = row
        guard !index.isEmpty else { return }
        if let place = place(of: from, row, key) { index[place] = UInt16(truncatingIfNeeded: position + 1) }
    }

    /// Where the index names row `position`.
    private func place(of position: Int, _ row: Row, _ key: RowKey) -> Int? {
        let mask = index.count - 1
        var place = Int(row.hash(key)) & mask
        while index[place] != 0 {
            if Int(index[place]) == position + 1 { return place }
            place = (place + 1) & mask
        }
        return nil
    }

    private mutating func enter(_ position: Int, _ key: RowKey) {
        // At most two thirds full, or runs of taken places grow long.
        guard rows.count * 3 <= index.count * 2 else { return rebuild(key) }
        put(position, key)
    }

    private mutating func put(_ position: Int, _ key: RowKey) {
        let mask = index.count - 1
        var place = Int(rows[position].hash(key)) & mask
        while index[place] != 0 { place = (place + 1) & mask }
        index[place] = UInt16(truncatingIfNeeded: position + 1)
    }

    private mutating func rebuild(_ key: RowKey) {
        var size = 32
        while rows.count * 3 > size * 2 { size *= 2 }
        index = [UInt16](repeating: 0, count: size)
        for position in rows.indices { put(position, key) }
    }

    /// Takes an entry out and moves those behind it up that were kept from their own place by it.
    private mutating func leave(_ position: Int, _ key: RowKey) {
        guard var hole = place(of: position, rows[position], key) else { return }
        let mask = index.count - 1
        var next = (hole + 1) & mask
        while index[next] != 0 {
            let home = Int(rows[Int(index[next]) - 1].hash(key)) & mask
            // Only what may stand in the hole: its home is not between the hole and where it stands.
            if (next - home) & mask >= (next - hole) & mask {
                index[hole] = index[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        index[hole] = 0
    }
}
