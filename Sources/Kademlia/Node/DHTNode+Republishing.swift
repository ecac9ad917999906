import Primitives

/// Keeping items alive while the nodes that hold them come and go (BEP 44, "expiration"; Kademlia, section 2.5).
///
/// A holder publishes an item again when nobody has put it here for `republishPause` and a random part of
/// `republishSpread`: whoever is first renews it everywhere, and the pause of the others starts anew, so the network does
/// the work about once a pause, whatever the number of holders.
///
/// What is published for others says how old it is (`OutgoingPut.age`), counted from the last time that somebody put it
/// without saying so. At `itemHorizon` its holders let it go: an item that nobody wants any more ends, however many
/// nodes hold it, and what one `put` can cost the network is bounded.
extension DHTNode {
    /// Publishes what is due, a few at a time.
    mutating func republishDue(at now: Instant, into actions: inout DHTActionBuffer) {
        let running = lookups.count {
            if case .republish = $0.purpose { true } else { false }
        }
        for stored in items.due(atMost: limits.republishesAtOnce - running, at: now, using: &random) {
            let item = stored.item
            let occasion: OutgoingItem.Occasion = stored.isOurs ? .published : .heldFor(now - stored.publishedAt)
            _ = begin(
                .republish(salt: item.seal?.salt ?? [], newerThan: item.seal?.sequence),
                target: item.target,
                storing: .item(OutgoingItem(item: item, occasion: occasion)),
                at: now,
                into: &actions
            )
        }
    }

    /// Renews our own copy if we are one of those that the item belongs to, and takes a newer version in any case.
    mutating func republished(_ lookup: Lookup, at now: Instant) {
        guard case .item(let outgoing)? = lookup.storing?.value else { return }
        let newest = lookup.item?.newest.flatMap { $0.isNewer(than: outgoing.item) ? $0 : nil } ?? outgoing.item
        let distance = id.distance(to: lookup.target)
        let isNear = lookup.closest.count < limits.bucketSize || lookup.storing?.farthest.map { distance < $0 } ?? false
        items.republished(newest, isNear: isNear, at: now)
    }
}
