import Primitives

/// How long the answers of one node take: mean and spread, smoothed as TCP does (RFC 6298, section 2).
///
/// Microseconds in 32 bits, for every entry of a routing table has one.
struct RoundTrip: Hashable, Sendable {
    private var smoothedMicroseconds: UInt32
    private var variationMicroseconds: UInt32

    init(first sample: Duration) {
        smoothedMicroseconds = RoundTrip.microseconds(sample)
        variationMicroseconds = smoothedMicroseconds / 2
    }

    /// Takes up the next measurement: an eighth of it counts towards the mean, a quarter towards the spread.
    mutating func add(_ sample: Duration) {
        let sample = RoundTrip.microseconds(sample)
        let difference = max(sample, smoothedMicroseconds) - min(sample, smoothedMicroseconds)
        variationMicroseconds = variationMicroseconds / 4 * 3 + difference / 4
        smoothedMicroseconds = smoothedMicroseconds / 8 * 7 + sample / 8
    }

    var smoothed: Duration { .microseconds(Int64(smoothedMicroseconds)) }

    /// The mean and four times the spread: who takes longer than that is unlikely to answer at all.
    var latest: Duration { .microseconds(Int64(smoothedMicroseconds) + 4 * Int64(variationMicroseconds)) }

    /// A measurement in microseconds, at most a minute: no sum of the above can then overflow.
    private static func microseconds(_ sample: Duration) -> UInt32 {
        UInt32(min(max(sample.wholeNanoseconds / 1000, 0), 60_000_000))
    }
}
