/// A point on a monotonic clock that the caller reads; machines are told the time and never ask for it.
@usableFromInline
package struct Instant: Hashable, Comparable, Sendable {
    @usableFromInline package var nanoseconds: Int64

    @inlinable
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static let zero = Instant(nanoseconds: 0)
    package static let distantFuture = Instant(nanoseconds: .max)

    @inlinable
    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Saturates: a deadline too far to express is never reached.
    package static func + (instant: Instant, duration: Duration) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return Instant(nanoseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    package static func - (instant: Instant, duration: Duration) -> Instant { instant + (.zero - duration) }

    /// The last instant up to `now` that lies a whole number of periods after this one.
    ///
    /// What is renewed only when somebody looks stays on schedule by it: counted from the look itself, each period would be
    /// as long as nobody looks.
    package func advanced(by period: Duration, upTo now: Instant) -> Instant {
        let (length, age) = (max(1, period.wholeNanoseconds), (now - self).wholeNanoseconds)
        return age < length ? self : now - .nanoseconds(age % length)
    }

    @inlinable
    package static func - (left: Instant, right: Instant) -> Duration {
        .nanoseconds(left.nanoseconds.subtractingReportingOverflow(right.nanoseconds).partialValue)
    }
}

extension Duration {
    /// Saturates at the ends of `Int64` (292 years).
    package var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || carried ? (seconds < 0 ? .min : .max) : sum
    }

    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
