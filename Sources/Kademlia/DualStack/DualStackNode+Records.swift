package import Availability
package import Primitives

/// Records live in both DHTs: what is published goes to both, what is found may come from either.
extension DualStackNode {
    /// Says which pieces we hold; see `DHTNode.publish`. The summary counts the nodes of both DHTs.
    package mutating func publish(
        _ record: AvailabilityRecord,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        command(towards: NodeID(record.infoHash), at: now, into: &actions) {
            $0.publish(record, at: now, into: &$1)
        }
    }

    /// Says to nobody any more which pieces of a torrent we hold.
    package mutating func withdrawRecord(of infoHash: InfoHash) {
        tell(.v4) { $0.withdrawRecord(of: infoHash) }
        tell(.v6) { $0.withdrawRecord(of: infoHash) }
    }

    /// Finds records of who holds which pieces; see `DHTNode.findRecords`.
    package mutating func findRecords(
        of infoHash: InfoHash,
        pieceCount: Int? = nil,
        asking peers: [Endpoint] = [],
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        command(towards: NodeID(infoHash), at: now, into: &actions) {
            $0.findRecords(of: infoHash, pieceCount: pieceCount, asking: peers, at: now, into: &$1)
        }
    }

    /// Asks peers for their own records as a part of a lookup that still runs; `false` where it is over in both DHTs.
    package mutating func askForRecords(
        from peers: [Endpoint],
        in lookup: LookupID,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> Bool {
        var isOpen = false
        forEachHalf(at: now, into: &actions) {
            if $0.askForRecords(from: peers, in: lookup, at: now, into: &$1) { isOpen = true }
        }
        return isOpen
    }

    /// Tells both halves what the calendar says.
    package mutating func setWallClock(_ clock: WallClock) {
        tell(.v4) { $0.wallClock = clock }
        tell(.v6) { $0.wallClock = clock }
    }
}
