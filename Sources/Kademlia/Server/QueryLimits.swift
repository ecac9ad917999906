import Primitives

/// How many queries are answered: of one address, of one network, and how many bytes in all (hardening D10).
///
/// Each limit is kept as one instant, the time until which the allowance is used up (the generic cell rate algorithm):
/// answering moves it on by the cost, and a source is within its limit while it lies at most one window ahead.
struct QueryLimits: Sendable {
    @SharedLimits private var limits: DHTLimits
    private var addresses: [IPAddress: Instant] = [:]
    private var networks: [IPAddress: Instant] = [:]
    private var repliesPaidUntil: Instant
    private var sweptAt: Instant

    init(limits: SharedLimits, now: Instant) {
        _limits = limits
        repliesPaidUntil = now
        sweptAt = now
    }

    var sourceCount: Int { addresses.count }

    /// Whether a query from `address` is answered; counts it if so.
    mutating func admits(_ address: IPAddress, at now: Instant) -> Bool {
        if limits.exempts(address) { return true }
        guard repliesPaidUntil - now <= .seconds(1) else { return false }
        sweep(now)
        let network = QueryLimits.charge(
            limits.queriesPerNetwork,
            until: networks[address.network] ?? now,
            window: limits.queryWindow,
            now
        )
        guard let network else { return false }
        let own = QueryLimits.charge(
            limits.queriesPerAddress,
            until: addresses[address] ?? now,
            window: limits.queryWindow,
            now
        )
        guard let own else {
            // Silence is debt: one window more than the pause itself. Asking meanwhile does not prolong it.
            if (addresses[address] ?? now) - now <= limits.queryWindow {
                addresses[address] = now + limits.silence + limits.queryWindow
            }
            return false
        }
        // Spoofed sources could fill this table: those that find no place are bounded by the bytes sent in all.
        if addresses.count < limits.ratedSources || addresses[address] != nil { addresses[address] = own }
        if networks.count < limits.ratedSources || networks[address.network] != nil {
            networks[address.network] = network
        }
        return true
    }

    /// Counts a reply that was sent.
    mutating func sent(_ bytes: Int, to address: IPAddress, at now: Instant) {
        if limits.exempts(address) { return }
        let cost = Duration.nanoseconds(Int64(bytes) * 1_000_000_000 / Int64(max(1, limits.replyBytesPerSecond)))
        repliesPaidUntil = max(repliesPaidUntil, now) + cost
    }

    /// The new instant for one more query at `rate` a second, or `nil` where that is too many.
    private static func charge(_ rate: Int, until: Instant, window: Duration, _ now: Instant) -> Instant? {
        let next = max(until, now) + .nanoseconds(1_000_000_000 / Int64(max(1, rate)))
        return next - now <= window ? next : nil
    }

    /// Forgets sources that owe nothing, once a window.
    private mutating func sweep(_ now: Instant) {
        guard now - sweptAt >= limits.queryWindow else { return }
        sweptAt = now
        addresses = addresses.filter { $0.value > now }
        networks = networks.filter { $0.value > now }
    }
}
