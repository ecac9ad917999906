import Primitives

/// How long a packet is under way.
package enum LatencyModel: Hashable, Sendable {
    case uniform(ClosedRange<Duration>)
    /// Most packets near the median, some much later: what measurements of the internet look like.
    case logNormal(median: Duration, sigma: Double)

    package func sample(using random: inout some RandomNumberGenerator) -> Duration {
        switch self {
        case .uniform(let range):
            let lowest = range.lowerBound.wholeNanoseconds
            return .nanoseconds(Int64.random(in: lowest...range.upperBound.wholeNanoseconds, using: &random))
        case .logNormal(let median, let sigma):
            // Twelve uniform numbers less six are nearly normal, and no library function is needed whose last bit
            // differs from one system to the next.
            let normal = (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &random) }
            return median * LatencyModel.exponential(sigma * normal)
        }
    }

    /// e to the power of `value`: Taylor's series for a sixty-fourth of it, squared six times.
    private static func exponential(_ value: Double) -> Double {
        let part = value / 64
        var term = 1.0
        var sum = 1.0
        for index in 1...8 {
            term *= part / Double(index)
            sum += term
        }
        return (0..<6).reduce(sum) { result, _ in result * result }
    }
}
