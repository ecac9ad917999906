package import Primitives

/// How many stored peers a host has (`IPAddress.host`), never too few and hardly ever too many: a counting Bloom filter.
///
/// An exact table would cost more than the peers themselves. Each address has one counter in each of four rows, found by
/// a keyed hash, so that nobody can choose whom to collide with; the least of the four is the estimate. With 4 peers a
/// column on average it is one or two too high; an address is taken for one that has its 200 only where four hosts that
/// do share its columns. For a million peers that is 2 MiB.
///
/// Here because the DHT and the tracker count alike, and both are machines that know nothing of each other.
package struct AddressShares: Sendable {
    private static let rows = 4
    private static let leastColumns = 64
    private static let peersPerColumn = 4

    private let key: SipHash
    private var columns = 0
    private var counters: [UInt16] = []

    /// Without room: `grow` makes some.
    package init(using secrets: inout some RandomNumberGenerator) { key = SipHash(using: &secrets) }

    /// With room for `capacity` peers from the start, for who must not stop to count all again.
    package init(capacity: Int, using secrets: inout some RandomNumberGenerator) {
        self.init(using: &secrets)
        columns = AddressShares.leastColumns
        while self.capacity < capacity { columns *= 2 }
        counters = [UInt16](repeating: 0, count: columns * AddressShares.rows)
    }

    /// How many peers it counts well; its owner makes a larger one, and counts all again, before there are more.
    package var capacity: Int { columns * AddressShares.peersPerColumn }

    /// Forgets all counts and makes room for twice as many.
    package mutating func grow() {
        columns = max(AddressShares.leastColumns, columns * 2)
        counters = [UInt16](repeating: 0, count: columns * AddressShares.rows)
    }

    package func count(of address: IPAddress) -> Int {
        guard columns > 0 else { return 0 }
        let hash = hash(address)
        var least = UInt16.max
        for row in 0..<AddressShares.rows { least = min(least, counters[index(hash, row)]) }
        return Int(least)
    }

    package mutating func add(_ address: IPAddress) {
        guard columns > 0 else { return }
        let hash = hash(address)
        for row in 0..<AddressShares.rows {
            let index = index(hash, row)
            if counters[index] < .max { counters[index] += 1 }
        }
    }

    /// Takes one back. A counter that was ever full has lost count and stays.
    package mutating func remove(_ address: IPAddress) {
        guard columns > 0 else { return }
        let hash = hash(address)
        for row in 0..<AddressShares.rows {
            let index = index(hash, row)
            if counters[index] > 0, counters[index] < .max { counters[index] -= 1 }
        }
    }

    private func hash(_ address: IPAddress) -> UInt64 {
        let (high, low) = address.host.mapped
        return key.hash(high, low)
    }

    /// A column in each row, from the two halves of the hash (Kirsch and Mitzenmacher, 2006).
    private func index(_ hash: UInt64, _ row: Int) -> Int {
        let column = (hash >> 32) &+ UInt64(row) &* (hash & 0xffff_ffff | 1)
        return row * columns + Int(truncatingIfNeeded: column) & (columns - 1)
    }
}
