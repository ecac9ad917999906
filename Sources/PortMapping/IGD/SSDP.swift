package import Primitives

/// How devices of a local network are found (UPnP Device Architecture 1.1, 1.3): a question to all, and the answers.
package enum SSDP {
    /// Where the question goes.
    package static let group = Endpoint(.v4(0xefff_fffa), 1900)

    /// How long a device may wait before it answers, in seconds (`MX`).
    static let mostDelay = 2

    /// A gateway answers to the first or the second; the third is for those that do not know themselves as a whole.
    private static let targets = [
        "urn:schemas-upnp-org:device:InternetGatewayDevice:1", "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
        "urn:schemas-upnp-org:service:WANIPConnection:1",
    ]

    /// One datagram for each kind of device.
    static let searches: [[UInt8]] = targets.map { target in
        let lines = [
            "M-SEARCH * HTTP/1.1", "HOST: \(group)", "MAN: \"ssdp:discover\"", "MX: \(mostDelay)", "ST: \(target)",
        ]
        return Array((lines + ["", ""]).joined(separator: "\r\n").utf8)
    }
}

/// A device's answer to a search.
struct SSDPAnswer: Hashable, Sendable {
    /// Answers have some 400 bytes; one that does not fit into a packet is none.
    private static let mostBytes = 1500

    /// Where the device describes itself.
    let location: LocalURL

    /// Reads a datagram; `nil` if it is no answer of a gateway, or sends us to another host than its sender.
    ///
    /// Whoever is in the network can answer. What he says leads back to himself, and never out of it.
    init?(_ bytes: RawSpan, from sender: Endpoint) {
        guard bytes.byteCount <= SSDPAnswer.mostBytes, let copy = bytes.copy(0..<bytes.byteCount) else { return nil }
        let lines = copy.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(SSDPAnswer.trimmed)
        let status = lines.first?.split(separator: " ") ?? []
        guard status.count > 1, status[0].hasPrefix("HTTP/1."), status[1] == "200" else { return nil }
        var fields: [String: Substring] = [:]
        for line in lines.dropFirst().prefix(while: { !$0.isEmpty }) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[..<colon].lowercased()
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            if fields[name] == nil { fields[name] = value }
        }
        guard let target = fields["st"], SSDPAnswer.isGateway(target),
            let location = fields["location"].flatMap({ LocalURL(String($0)) }),
            location.server.address == sender.address
        else { return nil }
        self.location = location
    }

    /// Televisions and printers answer to everything, too.
    private static func isGateway(_ target: Substring) -> Bool {
        ["device:InternetGatewayDevice:", "service:WANIPConnection:", "service:WANPPPConnection:"].contains {
            target.hasPrefix("urn:schemas-upnp-org:" + $0)
        }
    }

    /// A line as text, without what ends it.
    private static func trimmed(_ line: ArraySlice<UInt8>) -> String {
        let end = (line.lastIndex { $0 > 0x20 } ?? line.startIndex - 1) + 1
        return String(decoding: line[..<end], as: UTF8.self)
    }
}
