import Primitives

/// Items that others put here, and when they go and are published again (BEP 44).
///
/// Full means full, as with peers: what is alive stays, and who comes later gets no token (hardening D11). One network
/// may fill a share only, or its owner would be the only one served.
struct ItemStore: Sendable {
    struct Stored: Sendable {
        var item: Item
        /// When its publisher, as far as we can tell, last wanted it to be here.
        var publishedAt: Instant
        var expiresAt: Instant
        /// When we publish it again unless somebody does so before.
        var republishAt: Instant
        /// Whose share it takes; `nil` for an exempt address (D19).
        let network: IPAddress?
    }

    private let limits: DHTLimits
    private var stored: [NodeID: Stored] = [:]
    private var countByNetwork: [IPAddress: Int] = [:]
    private var sweptAt: Instant
    private var checksPaidUntil: Instant

    init(limits: DHTLimits, now: Instant) {
        self.limits = limits
        sweptAt = now
        checksPaidUntil = now
    }

    var count: Int { stored.count }

    func item(at target: NodeID, _ now: Instant) -> Item? {
        stored[target].flatMap { $0.expiresAt > now ? $0.item : nil }
    }

    /// Whether an item from there would be stored. Where not, no token is given out.
    func hasRoom(for target: NodeID, from address: IPAddress, at now: Instant) -> Bool {
        if item(at: target, now) != nil { return true }
        return stored.count < limits.items
            && (limits.exempts(address) || countByNetwork[address.network, default: 0] < limits.itemsPerNetwork)
    }

    /// Stores an item, replaces an older version of it or renews it; `false` when there is no room.
    ///
    /// - Parameters:
    ///   - age: how long ago it was published, by the word of who put it here.
    mutating func store(
        _ item: Item,
        from address: IPAddress,
        age: Duration,
        at now: Instant,
        using random: inout some RandomNumberGenerator
    ) -> Bool {
        guard hasRoom(for: item.target, from: address, at: now) else { return false }
        let spread = Int64.random(in: 0...limits.republishSpread.wholeNanoseconds, using: &random)
        let republishAt = now + limits.republishPause + .nanoseconds(spread)
        let publishedAt = now - max(.zero, age)
        if stored[item.target].map({ $0.expiresAt <= now }) == true { remove(item.target) }
        if let index = stored.index(forKey: item.target) {
            if item.isNewer(than: stored.values[index].item) { stored.values[index].item = item }
            // Of two who tell its age, the one who says that it is younger may have heard of it last.
            stored.values[index].publishedAt = max(stored.values[index].publishedAt, publishedAt)
            stored.values[index].expiresAt = now + limits.itemLifetime
            stored.values[index].republishAt = republishAt
            return true
        }
        let network = limits.exempts(address) ? nil : address.network
        if let network { countByNetwork[network, default: 0] += 1 }
        stored[item.target] = Stored(
            item: item,
            publishedAt: publishedAt,
            expiresAt: now + limits.itemLifetime,
            republishAt: republishAt,
            network: network
        )
        return true
    }

    /// Whether a signature may be checked now, which is then counted (hardening D18).
    mutating func affordsSignatureCheck(at now: Instant) -> Bool {
        guard checksPaidUntil - now < .seconds(1) else { return false }
        checksPaidUntil =
            max(checksPaidUntil, now) + .nanoseconds(1_000_000_000 / Int64(max(1, limits.signatureChecksPerSecond)))
        return true
    }

    /// Removes what has expired, at most every `itemSweep`.
    mutating func sweep(at now: Instant) {
        guard now - sweptAt >= limits.itemSweep else { return }
        sweptAt = now
        for (target, old) in stored where old.expiresAt <= now { remove(target) }
    }

    private mutating func remove(_ target: NodeID) {
        guard let old = stored.removeValue(forKey: target), let network = old.network else { return }
        let count = countByNetwork[network] ?? 0
        countByNetwork[network] = count > 1 ? count - 1 : nil
    }
}
