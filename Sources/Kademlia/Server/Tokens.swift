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
    private var input = ByteWriter(capacity: 36)

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
        write(address, infoHash)
        return current.hash(input.bytes)
    }

    mutating func accepts(
        _ token: UInt64,
        from address: IPAddress,
        _ infoHash: InfoHash,
        at now: Instant,
        using secrets: inout KeyedRandom
    ) -> Bool {
        rotate(now, &secrets)
        write(address, infoHash)
        return token == current.hash(input.bytes) || token == previous.hash(input.bytes)
    }

    /// Lazy, so that an idle node needs no timer for it.
    private mutating func rotate(_ now: Instant, _ secrets: inout KeyedRandom) {
        let age = now - rotatedAt
        guard age >= rotation else { return }
        previous = age >= rotation * 2 ? SipHash(using: &secrets) : current
        current = SipHash(using: &secrets)
        rotatedAt = now
    }

    private mutating func write(_ address: IPAddress, _ infoHash: InfoHash) {
        input.removeAll()
        Endpoint(address, 0).writeCompact(to: &input)
        infoHash.value.write(to: &input)
    }
}
