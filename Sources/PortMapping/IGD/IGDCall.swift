import Primitives

/// What a service of a gateway is asked (WANIPConnection:1, 2.4; WANPPPConnection:1 and WANIPConnection:2 have the same).
enum IGDCall: Hashable, Sendable {
    case status
    case externalAddress
    /// - Parameters:
    ///   - client: our address, to which the gateway sends what arrives.
    ///   - lease: in seconds; 0 for one without an end.
    case add(MappedTransport, externalPort: UInt16, port: UInt16, client: IPAddress, lease: Int)
    /// Whose a mapping is.
    case entry(MappedTransport, externalPort: UInt16)
    case delete(MappedTransport, externalPort: UInt16)

    var name: String {
        switch self {
        case .status: "GetStatusInfo"
        case .externalAddress: "GetExternalIPAddress"
        case .add: "AddPortMapping"
        case .entry: "GetSpecificPortMappingEntry"
        case .delete: "DeletePortMapping"
        }
    }

    /// In the order of the service's own description, which some gateways insist on. None holds a character that XML
    /// would have escaped.
    private var arguments: [(name: String, value: String)] {
        switch self {
        case .status, .externalAddress: []
        case .add(let transport, let externalPort, let port, let client, let lease):
            IGDCall.key(transport, externalPort) + [
                ("NewInternalPort", "\(port)"), ("NewInternalClient", "\(client)"), ("NewEnabled", "1"),
                ("NewPortMappingDescription", "shoal"), ("NewLeaseDuration", "\(lease)"),
            ]
        case .entry(let transport, let externalPort), .delete(let transport, let externalPort):
            IGDCall.key(transport, externalPort)
        }
    }

    /// An empty remote host stands for all.
    private static func key(_ transport: MappedTransport, _ port: UInt16) -> [(name: String, value: String)] {
        [("NewRemoteHost", ""), ("NewExternalPort", "\(port)"), ("NewProtocol", transport.rawValue)]
    }

    /// The call as it is sent (SOAP 1.1; UPnP Device Architecture 1.1, 3.2).
    func request(to kind: IGDService.Kind) -> IGDRequest.Call {
        let values = arguments.map { "<\($0.name)>\($0.value)</\($0.name)>" }.joined()
        let body = """
            <?xml version="1.0"?>
            <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" \
            s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">\
            <s:Body><u:\(name) xmlns:u="\(kind.rawValue)">\(values)</u:\(name)></s:Body></s:Envelope>

            """
        return IGDRequest.Call(action: "\"\(kind.rawValue)#\(name)\"", body: Array(body.utf8))
    }
}
