import Primitives

/// An `http` URL of a host in our own network, by its number: all that a gateway may send us to.
///
/// A name would be looked up, another scheme would reach files, another network would make us somebody's messenger.
struct LocalURL: Hashable, Sendable {
    /// Longer than any that a gateway has; it is kept, and sent back.
    private static let mostBytes = 512

    let server: Endpoint
    /// With the query, from the slash on.
    let path: String

    private init(_ server: Endpoint, path: String) {
        self.server = server
        self.path = path
    }

    /// Reads an absolute URL; `nil` for whatever is not such a one.
    init?(_ text: String) {
        guard LocalURL.mayBeURL(text), text.prefix(7).lowercased() == "http://" else { return nil }
        let rest = text.dropFirst(7).prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest[authority.endIndex...]
        guard let server = LocalURL.server(authority) else { return nil }
        self.init(server, path: path.first == "/" ? String(path) : "/" + path)
    }

    /// Resolves a reference against this URL (RFC 3986, 5.2); `nil` where it leads to no such URL.
    ///
    /// Dots stay in the path: libcurl takes them out.
    func resolving(_ reference: String) -> LocalURL? {
        guard LocalURL.mayBeURL(reference) else { return nil }
        if reference.hasPrefix("//") { return LocalURL("http:" + reference) }
        let beforeSlash = reference.prefix { !"/?#".contains($0) }
        if beforeSlash.contains(":") { return LocalURL(reference) }
        let ownPath = path.prefix { $0 != "?" }
        let folder = ownPath.lastIndex(of: "/").map { ownPath[...$0] } ?? "/"
        switch reference.first {
        case "/": return LocalURL("http://\(server)\(reference)")
        case "?": return LocalURL("http://\(server)\(ownPath)\(reference)")
        case "#": return self
        default: return LocalURL("http://\(server)\(folder)\(reference)")
        }
    }

    private static func mayBeURL(_ text: String) -> Bool {
        (1...mostBytes).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }

    private static func server(_ authority: Substring) -> Endpoint? {
        let host = authority.prefix { $0 != ":" }
        let digits = authority[host.endIndex...].dropFirst()
        guard let address = IPAddress(host), address.isV4, address.isPrivate || address.isLoopback else { return nil }
        if digits.isEmpty { return Endpoint(address, 80) }
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits), port > 0 else {
            return nil
        }
        return Endpoint(address, port)
    }
}

extension LocalURL: CustomStringConvertible {
    var description: String { "http://\(server)\(path)" }
}
