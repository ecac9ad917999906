import Primitives

/// How many peers a tracker lists.
package struct PeerTotals: Hashable, Sendable {
    /// Those of one family.
    package struct Counts: Hashable, Sendable {
        package var seeds = 0
        package var leechers = 0
    }

    package internal(set) var v4 = Counts()
    package internal(set) var v6 = Counts()

    package var seeds: Int { v4.seeds + v6.seeds }
    package var leechers: Int { v4.leechers + v6.leechers }
    package var peers: Int { seeds + leechers }

    /// Adds peers of a family, or takes them away.
    mutating func add(_ family: AddressFamily, seeds: Int, leechers: Int) {
        switch family {
        case .v4:
            v4.seeds += seeds
            v4.leechers += leechers
        case .v6:
            v6.seeds += seeds
            v6.leechers += leechers
        }
    }
}
