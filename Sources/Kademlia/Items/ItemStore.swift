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
        /// Whether we publish it for ourselves: it stays until it is withdrawn.
        var isOurs = false

        func isAlive(at now: Instant) -> Bool { isOurs || expiresAt > now }
    }

    @SharedLimits private var limits: DHTLimits
    private var stored: [NodeID: Stored] = [:]
    private var countByNetwork: [IPAddress: Int] = [:]
    private var sweptAt: Instant
    private var checksPaidUntil: Instant
    /// No item is due before.
    private var nextDue = Instant.distantFuture

    init(limits: SharedLimits, now: Instant) {
        _limits = limits
        sweptAt = now
        checksPaidUntil = now
    }

    var count: Int { stored.count }

    func item(at target: NodeID, _ now: Instant) -> Item? {
        stored[target].flatMap { $0.isAlive(at: now) ? $0.item : nil }
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
        let republishAt = pause(from: now, using: &random)
        let publishedAt = now - max(.zero, age)
        if stored[item.target].map({ !$0.isAlive(at: now) }) == true { remove(item.target) }
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
        for (target, old) in stored where !old.isAlive(at: now) { remove(target) }
    }

    // MARK: Publishing again

    /// Holds an item of our own, beside what others may store.
    mutating func keep(_ item: Item, at now: Instant, using random: inout some RandomNumberGenerator) {
        let old = stored[item.target]
        if old == nil, stored.values.count(where: { $0.isOurs }) >= limits.ownItems { return }
        remove(item.target)
        stored[item.target] = Stored(
            item: item,
            publishedAt: now,
            expiresAt: now + limits.itemLifetime,
            republishAt: pause(from: now, using: &random),
            network: nil,
            isOurs: true
        )
    }

    /// Treats an item of ours as one of others from here on.
    mutating func withdraw(_ target: NodeID) { stored[target]?.isOurs = false }

    /// The items that are due, whose pause starts anew.
    mutating func due(
        atMost limit: Int,
        at now: Instant,
        using random: inout some RandomNumberGenerator
    ) -> [Stored] {
        guard limit > 0, nextDue <= now else { return [] }
        // In the order of their targets, for a dictionary's own order differs from run to run.
        let due = stored.values.filter { $0.republishAt <= now }.sorted { $0.item.target < $1.item.target }.prefix(
            limit
        )
        for item in due {
            let next = pause(from: now, using: &random)
            stored[item.item.target]?.republishAt = next
        }
        nextDue = stored.values.lazy.map(\.republishAt).min() ?? .distantFuture
        return due.filter { $0.isOurs || $0.isAlive(at: now) && now - $0.publishedAt < limits.itemHorizon }
    }

    /// Takes note that we put an item to the nodes that it belongs to.
    ///
    /// - Parameters:
    ///   - isNear: whether we are one of them.
    mutating func republished(_ item: Item, isNear: Bool, at now: Instant) {
        guard let index = stored.index(forKey: item.target) else { return }
        if item.isNewer(than: stored.values[index].item) { stored.values[index].item = item }
        if isNear { stored.values[index].expiresAt = now + limits.itemLifetime }
    }

    private mutating func pause(from now: Instant, using random: inout some RandomNumberGenerator) -> Instant {
        let spread = Int64.random(in: 0...max(0, limits.republishSpread.wholeNanoseconds), using: &random)
        let end = now + limits.republishPause + .nanoseconds(spread)
        nextDue = min(nextDue, end)
        return end
    }

    private mutating func remove(_ target: NodeID) {
        guard let old = stored.removeValue(forKey: target), let network = old.network else { return }
        let count = countByNetwork[network] ?? 0
        countByNetwork[network] = count > 1 ? count - 1 : nil
    }
}
