import Primitives

/// How long hosts stay: a Weibull distribution, in which most go soon and those who stayed long stay longer.
///
/// Stutzbach and Rejaie (Understanding churn in peer-to-peer networks, IMC 2006) found sessions of Gnutella, BitTorrent
/// and Kad fitted well by it and badly by an exponential one. The numbers here are those that Steiner, En-Najjary and
/// Biersack fitted to half a year of KAD (Long term study of peer behavior in the KAD DHT, ToN 2009): a median of 93
/// minutes, a mean of 247, and one session in eight is shorter than six minutes.
package struct Weibull: Hashable, Sendable {
    package var scale: Duration
    package var shape: Double

    package static let kad = Weibull(scale: .seconds(10_172), shape: 0.61511)

    package init(scale: Duration, shape: Double) {
        self.scale = scale
        self.shape = shape
    }

    /// The length of one session.
    package func sample(using random: inout some RandomNumberGenerator) -> Duration {
        let uniform = 1 - Double.random(in: 0..<1, using: &random)
        return scale * max(-uniform.naturalLogarithm, 1e-12).raised(to: 1 / shape)
    }

    /// How much longer a host stays that is met at a random time.
    ///
    /// Long sessions are met more often, in proportion to their length, and at a uniform point of it. With y = (t /
    /// scale)^shape, which is exponential for a session, the density t f(t) of one that is met makes y a gamma number of
    /// shape 1 + 1/shape.
    package func remainder(using random: inout some RandomNumberGenerator) -> Duration {
        let met = Weibull.gamma(shape: 1 + 1 / shape, using: &random).raised(to: 1 / shape)
        return scale * (met * Double.random(in: 0..<1, using: &random))
    }

    /// Marsaglia and Tsang (A simple method for generating gamma variables, 2000), for shapes of at least 1.
    private static func gamma(shape: Double, using random: inout some RandomNumberGenerator) -> Double {
        let d = shape - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let normal = Double.normal(using: &random)
            let root = 1 + c * normal
            guard root > 0 else { continue }
            let v = root * root * root
            let uniform = 1 - Double.random(in: 0..<1, using: &random)
            if uniform.naturalLogarithm < normal * normal / 2 + d - d * v + d * v.naturalLogarithm { return d * v }
        }
    }
}
