/// xoshiro256** (Blackman and Vigna, 2018), seeded by SplitMix64: every run of a machine is replayed from its seed.
///
/// Not for secrets.
@usableFromInline
package struct SeededRandom: RandomNumberGenerator, Sendable {
    @usableFromInline var state: (UInt64, UInt64, UInt64, UInt64)

    package init(seed: UInt64) {
        var source = seed
        func next() -> UInt64 {
            source &+= 0x9e37_79b9_7f4a_7c15
            var mixed = source
            mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
            return mixed ^ mixed >> 31
        }
        state = (next(), next(), next(), next())
    }

    @inlinable
    package mutating func next() -> UInt64 {
        let product = state.1 &* 5
        let result = (product << 7 | product >> 57) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = state.3 << 45 | state.3 >> 19
        return result
    }
}
