import Cryptography
package import Primitives

/// Proves that a datagram's sender receives at the address it claims (BEP 15), without any memory of whom we gave what.
///
///     bit 63 set · minute, 7 bits · SipHash-2-4(key, minute, address), 56 bits
///
/// An identifier is accepted in the minute that made it and the next: for 60 seconds at least and 120 at most (T1). The
/// top bit keeps it apart from what else may arrive on a UDP port of ours: KRPC begins with `d`, uTP with 0x01 to 0x41 (T2).
package struct ConnectionIDs: Sendable {
    private let hash: SipHash

    /// - Parameter secrets: unpredictable outside of tests; the key is made of it, anew at every start.
    package init(using secrets: inout some RandomNumberGenerator) { hash = SipHash(using: &secrets) }

    package func identifier(for address: IPAddress, at now: Instant) -> UInt64 {
        identifier(for: address, minute: ConnectionIDs.minute(now))
    }

    package func accepts(_ identifier: UInt64, from address: IPAddress, at now: Instant) -> Bool {
        let minute = ConnectionIDs.minute(now)
        // The low bits of the minute tell which of the two it may be, so one hash is enough.
        let claimed = identifier >> 56 & 0x7f
        let made = claimed == minute & 0x7f ? minute : minute &- 1
        // Two machine words: a processor compares them at once, and nothing tells where they differ.
        return identifier == self.identifier(for: address, minute: made)
    }

    private func identifier(for address: IPAddress, minute: UInt64) -> UInt64 {
        let (high, low) = address.mapped
        return (0x80 | minute & 0x7f) << 56 | hash.hash(high, low, minute, 0, 0) >> 8
    }

    private static func minute(_ now: Instant) -> UInt64 {
        UInt64(bitPattern: now.nanoseconds / 60_000_000_000)
    }
}
