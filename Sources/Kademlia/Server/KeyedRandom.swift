import Cryptography
import Primitives

/// Numbers that nobody who sees some of them can continue: SipHash-2-4 of a counter under a secret key.
///
/// Transaction identifiers and token secrets come from here. xoshiro alone would not do: its outputs, seen in the
/// targets of our lookups, give away its state.
struct KeyedRandom: RandomNumberGenerator, Sendable {
    private let hash: SipHash
    private var counter: UInt64 = 0

    init(seed: UInt64) {
        var generator = SeededRandom(seed: seed)
        hash = SipHash(using: &generator)
    }

    mutating func next() -> UInt64 {
        counter &+= 1
        return hash.hash(counter)
    }
}
