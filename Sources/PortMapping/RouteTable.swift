package import Primitives

/// The IPv4 routes of a Linux host, as `/proc/net/route` lists them (proc(5)): words in columns, addresses in hexadecimal
/// with the last byte first.
package enum RouteTable {
    /// The gateway of the default route that the kernel prefers; `nil` where there is none.
    package static func defaultGateway(in text: String) -> IPAddress? {
        text.split(separator: "\n").compactMap { route(in: $0) }.min { $0.metric < $1.metric }?.gateway
    }

    private static func route(in line: Substring) -> (gateway: IPAddress, metric: UInt32)? {
        let words = line.split { $0 == " " || $0 == "\t" }
        guard words.count >= 8, let destination = UInt32(words[1], radix: 16), destination == 0,
            let mask = UInt32(words[7], radix: 16), mask == 0, let gateway = UInt32(words[2], radix: 16), gateway != 0,
            let flags = UInt16(words[3], radix: 16), flags & 3 == 3, let metric = UInt32(words[6])
        else { return nil }
        return (.v4(gateway.byteSwapped), metric)
    }
}
