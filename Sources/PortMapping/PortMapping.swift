package import Primitives

/// What a gateway hands through.
package enum MappedTransport: String, Hashable, Sendable, CaseIterable {
    case tcp = "TCP"
    case udp = "UDP"
}

/// How a gateway is asked.
package enum MappingMeans: String, Hashable, Sendable {
    /// RFC 6886.
    case natPMP = "NAT-PMP"
    /// WANIPConnection or WANPPPConnection of a UPnP Internet gateway device.
    case upnp = "UPnP"
}

/// A port of ours that others reach at a gateway.
package struct PortMapping: Hashable, Sendable {
    package let transport: MappedTransport
    /// Ours.
    package let port: UInt16
    package let externalPort: UInt16
    package let means: MappingMeans

    package init(_ transport: MappedTransport, port: UInt16, externalPort: UInt16, means: MappingMeans) {
        self.transport = transport
        self.port = port
        self.externalPort = externalPort
        self.means = means
    }
}

/// Why there is no mapping.
package enum PortMappingFault: Error, Hashable, Sendable {
    /// There is no way to other networks, or no router on it.
    case noGateway
    /// No device answers that could map a port.
    case noAnswer
    /// The gateway does not do it, in words for a person.
    case refused(String)
    /// The gateway said what nobody understands.
    case malformed
    /// This host lacks what it takes to ask, in words for a person.
    case unable(String)

    /// For a person.
    package var sentence: String {
        switch self {
        case .noGateway: "there is no router in front of this machine"
        case .noAnswer: "the router does not answer (UPnP and NAT-PMP are off, or it has none)"
        case .refused(let words): "the router refuses: \(words)"
        case .malformed: "the router's answer makes no sense"
        case .unable(let words): words
        }
    }
}

/// How far the mapping of a host's port is.
package enum PortMappingState: Hashable, Sendable {
    case searching
    /// The port is handed through in both transports, by an address of the gateway if that is known.
    case mapped(tcp: PortMapping, udp: PortMapping, address: IPAddress?)
    case failed(PortMappingFault)
}

/// What is to be done for a machine of this target.
package enum PortMappingAction: Hashable, Sendable {
    /// A datagram; SSDP's go to 239.255.255.250 port 1900.
    case send([UInt8], to: Endpoint)
    /// An HTTP request, whose reply or failure comes back with its ticket.
    case request(IGDRequest)
}

/// An HTTP request to a device of the local network.
package struct IGDRequest: Hashable, Sendable {
    /// Names it in the reply.
    package let ticket: Int
    package let url: String
    /// For a call, the value of `SOAPAction` and the envelope; `nil` for a GET.
    package let call: Call?

    package struct Call: Hashable, Sendable {
        package let action: String
        package let body: [UInt8]

        package init(action: String, body: [UInt8]) {
            self.action = action
            self.body = body
        }
    }

    package init(ticket: Int, url: String, call: Call? = nil) {
        self.ticket = ticket
        self.url = url
        self.call = call
    }
}

/// What a device answered.
package struct IGDReply: Hashable, Sendable {
    package let status: Int
    /// At most 64 KiB: the one who asks takes no more.
    package let body: [UInt8]
    /// Our address towards the device.
    package let ownAddress: IPAddress

    package init(status: Int, body: [UInt8], ownAddress: IPAddress) {
        self.status = status
        self.body = body
        self.ownAddress = ownAddress
    }
}
