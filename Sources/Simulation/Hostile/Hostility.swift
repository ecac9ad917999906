import Kademlia
package import Primitives

/// Who is hostile in a simulated network, and how.
package struct Hostility: Hashable, Sendable {
    /// How hostile nodes behave; all keep their place in the tables of others by answering pings.
    package enum Conduct: Hashable, Sendable, CaseIterable {
        /// They name the hostile nodes nearest to the target, take values and drop them.
        case hiding
        /// They also hand out peers that are not there.
        case lying
        /// They answer pings only, so that every query to them ends with a timeout.
        case silent
    }

    /// Nodes placed around one key by somebody who may choose among many addresses.
    ///
    /// Twelve bits of an IPv4 address do not enter into its identifier (BEP 42), so 4096 networks can be had that all fit
    /// beside one key. Which key that is, follows here from the first address instead of the other way round, because
    /// finding the address takes millions of hashes.
    package struct Sybils: Hashable, Sendable {
        package var count = 200
        /// Bits that their identifiers share with the key; at least the 21 that the address ties down.
        package var sharedBits = 24
        /// Nodes at one address, each on a port of its own.
        package var perAddress = 1
        package var seed: UInt64

        package init(seed: UInt64) { self.seed = seed }

        /// The key that they sit beside.
        package var key: InfoHash {
            var random = SeededRandom(seed: seed)
            let source = NodeIDSource(UInt160.random(using: &random))
            return InfoHash(source.id(at: Sybils.address(0)).value)
        }

        func contacts(using random: inout SeededRandom) -> [Contact] {
            let key = self.key.value
            return (0..<count).map { index in
                let noise = UInt160.random(using: &random)
                // The last three bits say which of eight numbers the identifier was made with.
                let near = UInt160(high: noise.high >> UInt64(sharedBits), middle: noise.middle, low: noise.low & ~7)
                let (network, port) = index.quotientAndRemainder(dividingBy: max(1, perAddress))
                return Contact(
                    NodeID(key ^ near),
                    Endpoint(Sybils.address(UInt32(network)), UInt16(6881 + port))
                )
            }
        }

        /// Addresses, each in a /24 of its own, that differ only where the identifier does not depend on them.
        private static func address(_ network: UInt32) -> IPAddress {
            // Free of 0x030f3fff are two bits of the third byte, four of the second and six, of which four are used,
            // of the first.
            let free = (network & 3) << 14 | (network >> 2 & 15) << 20 | (network >> 6 & 15) << 26
            return .v4(0x4200_0a05 ^ free)
        }
    }

    package var conduct = Conduct.hiding
    /// How many of a hundred reachable nodes are hostile, all over the network.
    package var percent = 0
    package var sybils: Sybils?

    package init() {}

    /// The hostile nodes of a network with so many honest ones that can be reached.
    func contacts(amongReachable honest: Int, using random: inout SeededRandom) -> [Contact] {
        let share = min(max(percent, 0), 90)
        var contacts = (0..<honest * share / (100 - share)).map { index in
            let address = SimulatedAddress.colluder(index)
            return Contact(NodeIDSource(UInt160.random(using: &random)).id(at: address), Endpoint(address, 6881))
        }
        if let sybils { contacts += sybils.contacts(using: &random) }
        return contacts
    }
}
