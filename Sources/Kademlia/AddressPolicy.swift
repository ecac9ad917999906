import Primitives

extension DHTLimits {
    /// Whether the limits for one address and one network do not apply to `address` (hardening D19).
    func exempts(_ address: IPAddress) -> Bool {
        switch exemption {
        case .none: false
        case .loopback: address.isLoopback
        case .loopbackAndPrivate: address.isLoopback || address.isPrivate
        }
    }

    /// Whether a node goes by an identifier that its address allows (D4).
    func accepts(_ contact: Contact) -> Bool { !checksIdentifiers || contact.id.fits(contact.endpoint.address) }

    /// Whether a peer on `port` may be dialled (D14).
    func allowsPeer(onPort port: UInt16) -> Bool { port >= 1024 || allowedLowPorts.contains(port) }
}

extension Endpoint {
    /// Whether a datagram sent there could arrive at one host.
    var isUsable: Bool { port != 0 && !address.isReserved }

    /// Whether it could arrive at one host of the DHT of that family (BEP 32).
    func isUsable(in family: AddressFamily) -> Bool { isUsable && address.family == family }
}
