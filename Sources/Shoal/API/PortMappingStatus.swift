import PortMapping
import Primitives

/// Whether a router hands this node's port through, so that others can reach it.
public struct PortMappingStatus: Hashable, Sendable {
    /// How it went.
    public enum State: String, Hashable, Sendable {
        /// Others reach us at the external port.
        case mapped
        /// No router does it; it is tried again from time to time.
        case failed
    }

    /// How it went.
    public var state: State
    /// How the router was asked: `NAT-PMP` (RFC 6886) or `UPnP` (IGD).
    public var method: String?
    /// `ip:port` outside, where the router says its address.
    public var address: String?
    /// The port outside that leads to our TCP port.
    public var tcpPort: UInt16?
    /// The port outside that leads to our UDP port.
    public var udpPort: UInt16?
    /// Why it failed, or what may still keep others out.
    public var message: String?

    init?(_ state: PortMappingState) {
        switch state {
        case .searching: return nil
        case .mapped(let tcp, let udp, let outside):
            self.state = .mapped
            method = tcp.means.rawValue
            (tcpPort, udpPort) = (tcp.externalPort, udp.externalPort)
            address = outside.map { Endpoint($0, tcp.externalPort).description }
            if let outside, !outside.isPublic {
                message = "\(outside) is no address of the internet: another router in front may keep others out"
            }
        case .failed(let fault):
            self.state = .failed
            message = fault.sentence
        }
    }
}
