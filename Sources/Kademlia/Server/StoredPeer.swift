import Primitives

/// A peer as the store holds it: 24 bytes, so that a million of them take 24 MB (a test pins the size).
///
/// Both families have one form, for a node's table of swarms has one family anyway and the form is what makes the rows
/// of a swarm alike: an IPv4 address is kept as the IPv6 address that maps it (RFC 4291, 2.5.5.2).
struct StoredPeer: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64
    /// In whole seconds of the machine's clock, rounded down: half the size of an instant.
    var expiresAt: UInt32
    let port: UInt16
    /// Whether it said that it is complete (BEP 33).
    var isSeed: Bool

    init(_ endpoint: Endpoint, isSeed: Bool, expiresAt: UInt32) {
        (high, low) = endpoint.address.mapped
        port = endpoint.port
        self.isSeed = isSeed
        self.expiresAt = expiresAt
    }

    var address: IPAddress { IPAddress(mappedHigh: high, low: low) }
    var endpoint: Endpoint { Endpoint(address, port) }

    func isAt(_ endpoint: Endpoint) -> Bool { port == endpoint.port && hasAddress(endpoint.address) }

    func hasAddress(_ address: IPAddress) -> Bool { (high, low) == address.mapped }

    /// Whether it may be the same host as the one at `address` (`IPAddress.host`).
    func isOnHost(of address: IPAddress) -> Bool {
        let (high, low) = address.mapped
        return self.high == high && (high != 0 || self.low == low)
    }

    /// The clock of `expiresAt`.
    static func seconds(_ instant: Instant) -> UInt32 { UInt32(clamping: instant.nanoseconds / 1_000_000_000) }
}
