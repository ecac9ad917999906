import Primitives

/// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash for short inputs that nobody can predict without the key.
///
/// Words stand for their bytes in little-endian order, as in the paper. Written out here because for one to five words a
/// call of libsodium, which wants its input in memory, costs more than the hash, and every answer of a DHT node needs one.
package struct SipHash: Sendable {
    /// The state that the 16 secret bytes make.
    private let initial: State

    private struct State: Sendable {
        var v0: UInt64
        var v1: UInt64
        var v2: UInt64
        var v3: UInt64

        @inline(__always)
        mutating func round() {
            v0 &+= v1
            v1 = (v1 << 13 | v1 >> 51) ^ v0
            v0 = v0 << 32 | v0 >> 32
            v2 &+= v3
            v3 = (v3 << 16 | v3 >> 48) ^ v2
            v0 &+= v3
            v3 = (v3 << 21 | v3 >> 43) ^ v0
            v2 &+= v1
            v1 = (v1 << 17 | v1 >> 47) ^ v2
            v2 = v2 << 32 | v2 >> 32
        }

        @inline(__always)
        mutating func absorb(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        /// The hash of `count` bytes, of which `rest` holds those behind the last whole word.
        @inline(__always)
        mutating func digest(byteCount count: Int, rest: UInt64 = 0) -> UInt64 {
            absorb(UInt64(truncatingIfNeeded: count) << 56 | rest)
            v2 ^= 0xff
            round()
            round()
            round()
            round()
            return v0 ^ v1 ^ v2 ^ v3
        }
    }

    package init(using generator: inout some RandomNumberGenerator) {
        self.init(key: (generator.next(), generator.next()))
    }

    /// - Parameter key: the 16 bytes of the key as two words in little-endian order.
    package init(key: (UInt64, UInt64)) {
        initial = State(
            v0: key.0 ^ 0x736f_6d65_7073_6575,
            v1: key.1 ^ 0x646f_7261_6e64_6f6d,
            v2: key.0 ^ 0x6c79_6765_6e65_7261,
            v3: key.1 ^ 0x7465_6462_7974_6573
        )
    }

    package func hash(_ word: UInt64) -> UInt64 {
        var state = initial
        state.absorb(word)
        return state.digest(byteCount: 8)
    }

    package func hash(_ first: UInt64, _ second: UInt64) -> UInt64 {
        var state = initial
        state.absorb(first)
        state.absorb(second)
        return state.digest(byteCount: 16)
    }

    package func hash(
        _ first: UInt64,
        _ second: UInt64,
        _ third: UInt64,
        _ fourth: UInt64,
        _ fifth: UInt64
    ) -> UInt64 {
        var state = initial
        state.absorb(first)
        state.absorb(second)
        state.absorb(third)
        state.absorb(fourth)
        state.absorb(fifth)
        return state.digest(byteCount: 40)
    }

    package func hash(_ bytes: [UInt8]) -> UInt64 {
        let span = bytes.span.bytes
        var state = initial
        var offset = 0
        while let word = span.bigEndian(UInt64.self, at: offset) {
            state.absorb(word.byteSwapped)
            offset += 8
        }
        var rest: UInt64 = 0
        for index in (offset..<bytes.count).reversed() { rest = rest << 8 | UInt64(bytes[index]) }
        return state.digest(byteCount: bytes.count, rest: rest)
    }
}
