/// Functions that a system's library computes to different last bits: a trace must be the same on every machine.
extension Double {
    /// e to the power of the number: Taylor's series for a sixty-fourth of it, squared six times.
    var exponential: Double {
        let part = self / 64
        var term = 1.0
        var sum = 1.0
        for index in 1...8 {
            term *= part / Double(index)
            sum += term
        }
        return (0..<6).reduce(sum) { result, _ in result * result }
    }

    /// The logarithm to the base e of a positive number: that of its exponent, and the series of the inverse hyperbolic
    /// tangent for what is left, which lies between 1 and 2.
    var naturalLogarithm: Double {
        guard self > 0, isFinite else { return -.infinity }
        let part = (significand - 1) / (significand + 1)
        let square = part * part
        var power = part
        var sum = part
        for index in 1...16 {
            power *= square
            sum += power / Double(2 * index + 1)
        }
        return 2 * sum + Double(exponent) * 0.693_147_180_559_945_3
    }

    /// The number to any power; the number must be positive.
    func raised(to power: Double) -> Double { (power * naturalLogarithm).exponential }

    /// A number of the standard normal distribution.
    ///
    /// Twelve uniform numbers less six are nearly normal, out to six deviations.
    static func normal(using random: inout some RandomNumberGenerator) -> Double {
        (0..<3).reduce(-6.0) { sum, _ in sum + Double.sumOfFour(random.next()) }
    }

    /// The same for a name: always the same number for the same name.
    static func normal(of name: UInt64) -> Double {
        var generator = NameGenerator(state: name)
        return normal(using: &generator)
    }

    /// The sum of the four sixteen-bit parts of `bits`, each as a number between 0 and 1.
    private static func sumOfFour(_ bits: UInt64) -> Double {
        let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + bits >> 48
        return (Double(sum) + 2) / 65_536
    }
}

/// SplitMix64 from a name: cheap enough for every datagram.
private struct NameGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
