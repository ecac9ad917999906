/// What the calendar says, told to machines as a fact: the Unix time at some instant of the monotonic clock.
///
/// Signed statements carry Unix time; everything else goes by `Instant`, which nobody can set.
package struct WallClock: Hashable, Sendable {
    /// The Unix time at `Instant.zero`, in milliseconds.
    private let millisecondsAtZero: Int64

    /// - Parameters:
    ///   - milliseconds: since 1970.
    ///   - now: when the calendar said so.
    package init(unixMilliseconds milliseconds: Int64, at now: Instant) {
        millisecondsAtZero = milliseconds.subtractingReportingOverflow(now.nanoseconds / 1_000_000).partialValue
    }

    /// Milliseconds since 1970.
    package func unixMilliseconds(at now: Instant) -> Int64 {
        millisecondsAtZero.addingReportingOverflow(now.nanoseconds / 1_000_000).partialValue
    }
}
