import Primitives

/// The pieces that could be begun, rarest first, equals in random order.
///
/// One array grouped by availability: a change by one is a swap with the edge of a group, so a `have` costs the same in a
/// torrent of ten pieces and of a million. Peers that hold everything are not counted, because they change no order.
struct RarityOrder {
    private static let absent = UInt32.max

    private var order: [UInt32] = []
    private var place: [UInt32]
    private var availability: [UInt16]
    /// Group `a` ends at `ends[a]` and begins where the group before it ends.
    private var ends: [Int] = [0]
    /// The pieces in the order, as bits.
    private(set) var members: Bitfield
    /// Pieces looked at while choosing: the measure of what choosing costs.
    private(set) var inspected = 0

    init(pieceCount: Int) {
        place = [UInt32](repeating: RarityOrder.absent, count: pieceCount)
        availability = [UInt16](repeating: 0, count: pieceCount)
        members = Bitfield(count: pieceCount)
    }

    var count: Int { order.count }
    /// Pieces in the order that no peer with a bitfield holds.
    var unheldCount: Int { ends[0] }

    /// Pieces in the order that a single peer with a bitfield holds; some of them, where there are thousands.
    var singlyHeld: ArraySlice<UInt32> { ends.count > 1 ? order[ends[0]..<ends[1]].prefix(4096) : [] }

    func contains(_ piece: Int) -> Bool { members[piece] }

    func availability(of piece: Int) -> Int { piece < availability.count ? Int(availability[piece]) : 0 }

    mutating func insert(_ piece: Int, using random: inout SeededRandom) {
        guard piece < place.count, !members[piece] else { return }
        members[piece] = true
        let group = Int(availability[piece])
        growEnds(to: group)
        order.append(0)
        var hole = order.count - 1
        var above = ends.count - 1
        while above > group {
            let first = ends[above - 1]
            if first != hole { put(Int(order[first]), at: hole) }
            hole = first
            ends[above] += 1
            above -= 1
        }
        ends[group] += 1
        put(piece, at: hole)
        shuffleIn(piece, group: group, using: &random)
    }

    mutating func remove(_ piece: Int) {
        guard members[piece] else { return }
        members[piece] = false
        var hole = Int(place[piece])
        place[piece] = RarityOrder.absent
        for group in Int(availability[piece])..<ends.count {
            let last = ends[group] - 1
            if last != hole { put(Int(order[last]), at: hole) }
            hole = last
            ends[group] -= 1
        }
        order.removeLast()
    }

    /// One more peer holds the piece.
    mutating func gained(_ piece: Int, using random: inout SeededRandom) {
        guard piece < availability.count, availability[piece] < .max else { return }
        let group = Int(availability[piece])
        availability[piece] += 1
        guard members[piece] else { return }
        growEnds(to: group + 1)
        exchange(Int(place[piece]), ends[group] - 1)
        ends[group] -= 1
        shuffleIn(piece, group: group + 1, using: &random)
    }

    /// One peer fewer holds the piece.
    mutating func lost(_ piece: Int, using random: inout SeededRandom) {
        guard piece < availability.count, availability[piece] > 0 else { return }
        availability[piece] -= 1
        guard members[piece] else { return }
        let group = Int(availability[piece])
        exchange(Int(place[piece]), ends[group])
        ends[group] += 1
        shuffleIn(piece, group: group, using: &random)
    }

    /// The rarest piece that `holdings` has (`nil`: has all), except `excluded` (a few at most).
    ///
    /// Looks at the thousand rarest one by one; where none of them fits (a peer that holds only common pieces of a large
    /// torrent), takes the rarest of a few dozen found by words from a random place.
    mutating func rarest(
        in holdings: Bitfield?,
        using random: inout SeededRandom,
        excluding excluded: [Int]
    ) -> Int? {
        // Whoever has a bitfield holds nothing of the group that nobody with a bitfield holds.
        var index = holdings == nil ? 0 : ends[0]
        let limit = min(order.count, index + 1024)
        while index < limit {
            inspected += 1
            let piece = Int(order[index])
            if holdings?[piece] ?? true, !excluded.contains(piece) { return piece }
            index += 1
        }
        guard limit < order.count else { return nil }
        return sample(in: holdings ?? members, using: &random, excluding: excluded)
    }

    /// A piece from a random place.
    mutating func random(
        in holdings: Bitfield?,
        using random: inout SeededRandom,
        excluding excluded: [Int]
    ) -> Int? {
        guard !order.isEmpty else { return nil }
        let start = Int.random(in: 0..<members.count, using: &random)
        let holdings = holdings ?? members
        return first(in: holdings, from: start, excluding: excluded)
            ?? first(in: holdings, from: 0, excluding: excluded)
    }

    /// The piece with the lowest index.
    mutating func first(in holdings: Bitfield?, excluding excluded: [Int]) -> Int? {
        first(in: holdings ?? members, from: 0, excluding: excluded)
    }

    private mutating func first(in holdings: Bitfield, from start: Int, excluding excluded: [Int]) -> Int? {
        var start = start
        while let piece = members.firstIndex(from: start, alsoIn: holdings) {
            inspected += 1
            if !excluded.contains(piece) { return piece }
            start = piece + 1
        }
        return nil
    }

    private mutating func sample(
        in holdings: Bitfield,
        using random: inout SeededRandom,
        excluding excluded: [Int]
    ) -> Int? {
        let start = Int.random(in: 0..<members.count, using: &random)
        var best: Int?
        var next = start
        var hasWrapped = false
        for _ in 0..<32 {
            guard let piece = first(in: holdings, from: next, excluding: excluded) else {
                if hasWrapped { break }
                hasWrapped = true
                next = 0
                continue
            }
            if hasWrapped, piece >= start { break }
            if best.map({ availability[piece] < availability[$0] }) ?? true { best = piece }
            next = piece + 1
        }
        return best
    }

    private mutating func growEnds(to group: Int) {
        while ends.count <= group { ends.append(order.count) }
    }

    private mutating func put(_ piece: Int, at index: Int) {
        order[index] = UInt32(piece)
        place[piece] = UInt32(index)
    }

    private mutating func exchange(_ left: Int, _ right: Int) {
        guard left != right else { return }
        order.swapAt(left, right)
        place[Int(order[left])] = UInt32(left)
        place[Int(order[right])] = UInt32(right)
    }

    /// Without this the newest of a group would always be first, and every node would choose the same.
    private mutating func shuffleIn(_ piece: Int, group: Int, using random: inout SeededRandom) {
        let start = group == 0 ? 0 : ends[group - 1]
        guard ends[group] - start > 1 else { return }
        exchange(Int(place[piece]), Int.random(in: start..<ends[group], using: &random))
    }
}

extension RarityOrder {
    /// For tests: the groups hold what they should.
    var inconsistencies: [String] {
        var found: [String] = []
        if members.setCount != order.count || ends.last != order.count { found.append("order count") }
        var group = 0
        for (index, piece) in order.enumerated() {
            while group < ends.count, index >= ends[group] { group += 1 }
            if Int(availability[Int(piece)]) != group || place[Int(piece)] != UInt32(index) {
                found.append("piece \(piece) stands in group \(group)")
            }
        }
        return found
    }
}
