import Cryptography
import Primitives

/// Proves that an announcer received our answer to its `get_peers` (BEP 5), without any memory of having given it.
///
/// A token is SipHash-2-4 over the address and the info-hash, under a secret that lives five minutes as the current one
/// and five as the previous one (hardening D7).
struct Tokens: Sendable {
    private let rotation: Duration
    private var current: SipHash
    private var previous: SipHash
    private var rotatedAt: Instant

    init(rotation: Duration, now: Instant, using secrets: inout KeyedRandom) {
        self.rotation = rotation
        current = SipHash(using: &secrets)
        previous = SipHash(using: &secrets)
        rotatedAt = now
    }

    mutating func token(
        for address: IPAddress,
        _ infoHash: InfoHash,
        at now: Instant,
        using secrets: inout KeyedRandom
    ) -> UInt64 {
        rotate(now, &secrets)
        return current.token(address, infoHash)
    }

    mutating func accepts(
        _ token: UInt64,
        from address: IPAddress,
        _ infoHash: InfoHash,
        at now: Instant,
        using secrets: inout KeyedRandom
    ) -> Bool {
        rotate(now, &secrets)
        return token == current.token(address, infoHash) || token == previous.token(address, infoHash)
    }

    /// Lazy, so that an idle node needs no timer for it, but on schedule: no token lives for more than two periods.
    private mutating func rotate(_ now: Instant, _ secrets: inout KeyedRandom) {
        let age = now - rotatedAt
        guard age >= rotation else { return }
        previous = age >= rotation * 2 ? SipHash(using: &secrets) : current
        current = SipHash(using: &secrets)
        rotatedAt = rotatedAt.advanced(by: rotation, upTo: now)
    }
}

extension SipHash {
    fileprivate func token(_ address: IPAddress, _ infoHash: InfoHash) -> UInt64 {
        let (high, low) = address.mapped
        return hash(high, low, infoHash.value.high, infoHash.value.middle, UInt64(infoHash.value.low))
    }
}
