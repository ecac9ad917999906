import Primitives
import XML

/// A service of a gateway that maps ports.
struct IGDService: Hashable, Sendable {
    /// In the order in which they are tried: the newer one first, that of a telephone line's login last.
    enum Kind: String, Hashable, Sendable, CaseIterable {
        case ip2 = "urn:schemas-upnp-org:service:WANIPConnection:2"
        case ip1 = "urn:schemas-upnp-org:service:WANIPConnection:1"
        case ppp1 = "urn:schemas-upnp-org:service:WANPPPConnection:1"
    }

    let kind: Kind
    /// Where it is called.
    let control: LocalURL
}

extension IGDService {
    /// A gateway has one for each line out, and rarely more than two.
    private static let most = 4

    /// Reads the description of a device (UPnP Device Architecture 1.1, 2.3).
    ///
    /// - Parameter url: where it was, against which its own URLs are resolved if it names no other base.
    /// - Returns: its services that map ports, best first. One that would be called at another host is none: a device may
    ///   speak for itself only.
    static func described(in document: [UInt8], at url: LocalURL) throws(XMLError) -> [IGDService] {
        let elements = try XMLReader.elements(in: document)
        let named = elements.first { $0.name == "URLBase" && $0.depth == 1 && !$0.text.isEmpty }
        guard let base = named.map({ LocalURL($0.text) }) ?? url else { return [] }
        var services: [IGDService] = []
        for index in elements.indices where elements[index].name == "service" {
            let depth = elements[index].depth
            let children = elements[(index + 1)...].prefix { $0.depth > depth }
            guard let type = children.first(where: { $0.name == "serviceType" }),
                let kind = Kind(rawValue: type.text),
                let reference = children.first(where: { $0.name == "controlURL" }),
                let control = base.resolving(reference.text), control.server.address == url.server.address
            else { continue }
            services.append(IGDService(kind: kind, control: control))
        }
        let sorted = Kind.allCases.flatMap { kind in services.filter { $0.kind == kind } }
        return Array(sorted.prefix(most))
    }
}
