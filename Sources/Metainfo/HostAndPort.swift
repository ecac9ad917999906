package import Primitives

/// Where to find a node, as a torrent or a link names it: the host may be a name or an address.
package struct HostAndPort: Hashable, Sendable, CustomStringConvertible {
    /// A host name, or an address without brackets.
    package let host: String
    package let port: UInt16

    /// `nil` for port 0, and for a host that is neither a name (RFC 1123, with `_`) nor an address.
    package init?(host: String, port: UInt16) {
        guard port > 0, IPAddress(host) != nil || HostAndPort.isName(host) else { return nil }
        self.host = host
        self.port = port
    }

    /// Reads `name:6881`, `1.2.3.4:6881`, `[::1]:6881`.
    package init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        // `UInt16("+1")` is 1.
        guard digits.utf8.allSatisfy({ 48...57 ~= $0 }), let port = UInt16(digits) else { return nil }
        var host = text[..<colon]
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        self.init(host: String(host), port: port)
    }

    /// The endpoint, where the host is an address and needs no resolving.
    package var endpoint: Endpoint? { IPAddress(host).map { Endpoint($0, port) } }

    package var description: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)" }

    private static func isName(_ host: String) -> Bool {
        guard (1...253).contains(host.utf8.count), host.utf8.first != UInt8(ascii: "-") else { return false }
        return host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
