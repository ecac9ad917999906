import Primitives

/// `host:port` as text.
enum HostPort {
    /// Accepts a name, an IPv4 address or an IPv6 address in brackets, and a port from 1 to 65535.
    static func isValid(_ text: String) -> Bool {
        guard let colon = text.lastIndex(of: ":"), let port = port(text[text.index(after: colon)...]), port > 0 else {
            return false
        }
        let host = text[..<colon]
        if host.first == "[", host.last == "]", case .v6? = IPAddress(host.dropFirst().dropLast()) { return true }
        // 253: the longest name that the domain name system has (RFC 1035).
        return (1...253).contains(host.utf8.count) && host.utf8.allSatisfy(isNameByte)
    }

    /// A port in decimal digits, 0 included.
    static func port(_ text: some StringProtocol) -> UInt16? {
        text.utf8.allSatisfy { (48...57).contains($0) } ? UInt16(text) : nil
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
