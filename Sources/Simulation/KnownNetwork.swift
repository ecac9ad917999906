import Kademlia
import Primitives

/// The nodes that a network takes for its own, sorted by their identifiers: most of them answer, some have left.
struct KnownNetwork {
    private let sorted: [Contact]

    init(_ contacts: [Contact]) { sorted = contacts.sorted { $0.id < $1.id } }

    /// Whom a node knows that has been in the network for a while: of each bucket's part of the key space a random
    /// choice, as many as the bucket holds, and everybody nearby; these come first.
    func contacts(of own: NodeID, limits: DHTLimits, using random: inout SeededRandom) -> [Contact] {
        var chosen: [Contact] = []
        var rest = sorted.indices
        for bit in 0..<UInt160.bitWidth where rest.count > limits.bucketSize {
            let border = border(of: bit, in: rest)
            let isOwnUpper = own.value[bit: bit]
            let other = isOwnUpper ? rest.lowerBound..<border : border..<rest.upperBound
            rest = isOwnUpper ? border..<rest.upperBound : rest.lowerBound..<border
            choose(limits.capacity(ofBucket: bit), from: other, into: &chosen, using: &random)
        }
        chosen += sorted[rest].lazy.filter { $0.id != own }
        return chosen.reversed()
    }

    /// The first of a part, in which all share the bits before it, that has this bit set.
    private func border(of bit: Int, in part: Range<Int>) -> Int {
        var low = part.lowerBound
        var high = part.upperBound
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle].id.value[bit: bit] { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private func choose(
        _ count: Int,
        from part: Range<Int>,
        into chosen: inout [Contact],
        using random: inout SeededRandom
    ) {
        guard part.count > count else { return chosen += sorted[part] }
        var indices: [Int] = []
        while indices.count < count {
            let index = Int.random(in: part, using: &random)
            if !indices.contains(index) { indices.append(index) }
        }
        for index in indices { chosen.append(sorted[index]) }
    }
}
