import Primitives

/// The way of one group's announces through its tiers, in one address family (BEP 12, BEP 7).
///
///     waiting ── due ──▶ asking the first tracker ── it fails ──▶ asking the next ... ── all failed ──▶ waiting
///                              └──────────────────── it answers ─────────────────────────────────────▶ waiting
struct AnnounceRoute {
    let family: AddressFamily
    /// Indices of trackers: in each tier whoever answered last comes first.
    var tiers: [[Int]]
    /// When the next announce goes out.
    var dueAt: Instant
    /// Before this the tracker that answered last wants none.
    var earliestAt: Instant
    /// The tracker that is being asked.
    var asked: Int?
    /// Whether it is being told what is true no more.
    var isOutdated = false

    var order: [Int] { tiers.flatMap { $0 } }

    /// BEP 12: whoever answers moves to the front of its tier.
    mutating func answered(_ tracker: Int) {
        for tier in tiers.indices {
            guard let place = tiers[tier].firstIndex(of: tracker) else { continue }
            tiers[tier].remove(at: place)
            tiers[tier].insert(tracker, at: 0)
        }
    }
}
