import Primitives

/// Work that is rationed: so much a second in all, and so much for one address (hardening D18).
///
/// Each share is one instant, the time until which it is used up (the generic cell rate algorithm); a second's worth may
/// be used at once. Only what is admitted is remembered, for a second, so the shares of all need no limit of their own.
struct Allowance: Sendable {
    private let cost: Duration
    private let costForOne: Duration?
    private var usedUntil: Instant
    private var shares: [IPAddress: Instant] = [:]
    private var sweptAt: Instant

    private static let window = Duration.seconds(1)

    init(perSecond: Int, perAddress: Int? = nil, now: Instant) {
        cost = .nanoseconds(1_000_000_000 / Int64(max(1, perSecond)))
        costForOne = perAddress.map { .nanoseconds(1_000_000_000 / Int64(max(1, $0))) }
        usedUntil = now
        sweptAt = now
    }

    /// When the next piece of work will be admitted.
    var nextAdmission: Instant { usedUntil + cost - Allowance.window }

    /// Whether a piece of work is admitted; counts it if so.
    ///
    /// - Parameter address: whose share it takes; `nil` for nobody's.
    mutating func admits(_ address: IPAddress? = nil, at now: Instant) -> Bool {
        let next = max(usedUntil, now) + cost
        guard next - now <= Allowance.window else { return false }
        if let host = address?.host, let costForOne {
            sweep(now)
            let own = max(shares[host] ?? now, now) + costForOne
            guard own - now <= Allowance.window else { return false }
            shares[host] = own
        }
        usedUntil = next
        return true
    }

    private mutating func sweep(_ now: Instant) {
        guard now - sweptAt >= Allowance.window else { return }
        sweptAt = now
        shares = shares.filter { $0.value > now }
    }
}
