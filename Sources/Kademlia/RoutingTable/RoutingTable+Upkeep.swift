import Primitives

extension RoutingTable {
    /// Nodes to ping now, the longest silent first: one failure wants a second opinion, a long silence a first one.
    func nodesToPing(atMost count: Int, freshness: Duration, at now: Instant) -> [Contact] {
        let questionable = buckets.flatMap(\.entries).filter {
            $0.status(at: now, freshness: freshness) == .questionable
        }
        return questionable.sorted { $0.heardAt < $1.heardAt }.prefix(count).map(\.contact)
    }

    /// The bucket that most needs a lookup into it: one that never had any, one that stayed underfull for a while, one
    /// that nothing was learnt about for long (BEP 5).
    func staleBucket(limits: DHTLimits, at now: Instant) -> Int? {
        let isUnderfull = { (bucket: Bucket) in bucket.entries.count < limits.bucketSize }
        return buckets.firstIndex { $0.refreshedAt == nil && isUnderfull($0) }
            ?? buckets.firstIndex { bucket in
                let refreshedAt = bucket.refreshedAt ?? bucket.changedAt
                if isUnderfull(bucket), now - refreshedAt >= limits.underfullPause { return true }
                return now - max(bucket.changedAt, refreshedAt) >= limits.freshness
            }
    }

    /// Whether there is a part of the key space that no lookup has gone into.
    func hasUnexploredBucket(limits: DHTLimits) -> Bool {
        buckets.contains { $0.refreshedAt == nil && $0.entries.count < limits.bucketSize }
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
