import Primitives

extension RoutingTable {
    /// Nodes to ping now, the longest silent first: one failure wants a second opinion, a long silence a first one.
    func nodesToPing(atMost count: Int, freshness: Duration, at now: Instant) -> [Contact] {
        var oldest: [TableEntry] = []
        for entry in nodes.entries where entry.status(at: now, freshness: freshness) == .questionable {
            if oldest.count >= count, let last = oldest.last, last.heardAt <= entry.heardAt { continue }
            if oldest.count >= count { oldest.removeLast() }
            let position = oldest.firstIndex { entry.heardAt < $0.heardAt } ?? oldest.count
            oldest.insert(entry, at: position)
        }
        return oldest.map(\.contact)
    }

    /// The bucket that most needs a lookup into it: one that never had any, one that stayed underfull for a while, one
    /// that nothing was learnt about for long (BEP 5).
    ///
    /// Underfull is one with fewer than k nodes, whatever it has room for: the network may have no more, and what a
    /// large bucket holds beyond k comes by itself.
    func staleBucket(limits: DHTLimits, at now: Instant) -> Int? {
        let isUnderfull = { (index: Int) in range(ofBucket: index).count < limits.bucketSize }
        return buckets.indices.first { buckets[$0].refreshedAt == nil && isUnderfull($0) }
            ?? buckets.indices.first { index in
                let bucket = buckets[index]
                let refreshedAt = bucket.refreshedAt ?? bucket.changedAt
                if now - refreshedAt >= limits.underfullPause, isUnderfull(index) { return true }
                return now - max(bucket.changedAt, refreshedAt) >= limits.freshness
            }
    }

    /// Whether there is a part of the key space that no lookup has gone into.
    func hasUnexploredBucket(limits: DHTLimits) -> Bool {
        buckets.indices.contains {
            buckets[$0].refreshedAt == nil && range(ofBucket: $0).count < limits.bucketSize
        }
    }

    /// The same nodes, around another identifier of ours: the good ones and those met first have the first choice of
    /// place.
    func moved(to own: NodeID, at now: Instant) -> RoutingTable {
        var moved = RoutingTable(own: own, limits: $limits, now: now)
        for entry in nodes.entries.sorted(by: { ($0.failures, $0.heardAt) < ($1.failures, $1.heardAt) }) {
            moved.take(entry)
        }
        return moved
    }

    /// An identifier that bucket `index` is responsible for.
    func randomID(inBucket index: Int, using random: inout some RandomNumberGenerator) -> NodeID {
        let noise = UInt160.random(using: &random)
        // The last bucket also covers what shares more bits with us than its index.
        if index == buckets.count - 1 { return NodeID(noise.replacingPrefix(bits: index, of: own.value)) }
        let flipped = own.value ^ UInt160.singleBit(index)
        return NodeID(noise.replacingPrefix(bits: index + 1, of: flipped))
    }
}

extension UInt160 {
    /// The number with only the bit at `index` set, counted from the most significant one.
    fileprivate static func singleBit(_ index: Int) -> UInt160 {
        UInt160(
            high: index < 64 ? 1 << UInt64(63 - index) : 0,
            middle: (64..<128).contains(index) ? 1 << UInt64(127 - index) : 0,
            low: (128..<160).contains(index) ? 1 << UInt32(159 - index) : 0
        )
    }

    /// The first `bits` bits of `other`, then the own ones.
    fileprivate func replacingPrefix(bits: Int, of other: UInt160) -> UInt160 {
        // A smart shift by the width or more leaves zero, by less than nothing none: no case needs a branch.
        let high = UInt64.max >> Swift.max(0, bits)
        let middle = UInt64.max >> Swift.max(0, bits - 64)
        let low = UInt32.max >> Swift.max(0, bits - 128)
        return UInt160(
            high: self.high & high | other.high & ~high,
            middle: self.middle & middle | other.middle & ~middle,
            low: self.low & low | other.low & ~low
        )
    }
}
