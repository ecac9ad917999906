package import Primitives

/// Items live in both DHTs (BEP 32, BEP 44): what is stored goes to both, what is found may come from either.
extension DualStackNode {
    /// Finds an item; see `DHTNode.findItem`.
    package mutating func findItem(
        _ target: NodeID,
        salt: [UInt8] = [],
        newerThan sequence: Int64? = nil,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        command(towards: target, at: now, into: &actions) {
            $0.findItem(target, salt: salt, newerThan: sequence, at: now, into: &$1)
        }
    }

    /// Stores an item; see `DHTNode.store`. The summary counts the nodes of both DHTs.
    package mutating func store(
        _ item: Item,
        replacing replaced: Int64? = nil,
        keeping isKept: Bool = false,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        command(towards: item.target, at: now, into: &actions) {
            $0.store(item, replacing: replaced, keeping: isKept, at: now, into: &$1)
        }
    }

    /// Publishes an item of ours no more.
    package mutating func withdraw(_ target: NodeID) {
        tell(.v4) { $0.withdraw(target) }
        tell(.v6) { $0.withdraw(target) }
    }

    /// Items that others put here, in each DHT.
    package func storedItemCount(_ family: AddressFamily) -> Int { ask(family) { $0.storedItemCount } ?? 0 }
}
