/// Which of the two internet protocols: each has a DHT of its own (BEP 32).
package enum AddressFamily: Hashable, Sendable, CaseIterable {
    case v4
    case v6

    package var other: AddressFamily { self == .v4 ? .v6 : .v4 }

    /// The length of a compact endpoint: address and port (BEP 23; BEP 7 and 32).
    package var compactEndpointByteCount: Int { self == .v4 ? 6 : 18 }
}

extension AddressFamily: CustomStringConvertible {
    package var description: String { self == .v4 ? "IPv4" : "IPv6" }
}

extension IPAddress {
    package var family: AddressFamily { isV4 ? .v4 : .v6 }
}
