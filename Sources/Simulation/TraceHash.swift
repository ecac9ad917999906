import Cryptography
package import Primitives

/// A number that stands for everything that happened in a run: equal for equal runs, on every machine.
package struct TraceHash: Hashable, Sendable {
    /// SipHash under a key that is no secret: quick over datagrams, and the same everywhere.
    private static let hash: SipHash = {
        var generator = SeededRandom(seed: 0)
        return SipHash(using: &generator)
    }()

    package private(set) var value: UInt64 = 0

    package init() {}

    /// A round of SplitMix64 over the number so far.
    package mutating func add(_ number: UInt64) {
        var mixed = (value ^ number) &+ 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        value = mixed ^ mixed >> 31
    }

    package mutating func add(_ bytes: [UInt8]) { add(TraceHash.hash.hash(bytes)) }

    package mutating func add(_ instant: Instant) { add(UInt64(bitPattern: instant.nanoseconds)) }
}
