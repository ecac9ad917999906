import Primitives

/// A rate with a burst, as one instant: the time until which the allowance is used up (the generic cell rate algorithm).
package struct TokenBucket: Hashable, Sendable {
    /// So much at once...
    package struct Rate: Hashable, Sendable {
        package var burst: Int
        /// ... and then so much a second.
        package var perSecond: Int

        var cost: Duration { .nanoseconds(1_000_000_000 / Int64(max(1, perSecond))) }
        var window: Duration { cost * max(1, burst) }
    }

    private var usedUntil: Instant

    /// A full one.
    init(at now: Instant) { usedUntil = now }

    func isFull(at now: Instant) -> Bool { usedUntil <= now }

    /// What is left once a token is taken; `nil` where there is none.
    func taking(_ rate: Rate, at now: Instant) -> TokenBucket? {
        var next = self
        next.usedUntil = max(usedUntil, now) + rate.cost
        return next.usedUntil - now <= rate.window ? next : nil
    }
}
