/// Where a datagram or a connection goes: an address and a port.
@usableFromInline
package struct Endpoint: Hashable, Sendable {
    @usableFromInline package var address: IPAddress
    @usableFromInline package var port: UInt16

    @inlinable
    package init(_ address: IPAddress, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Reads `1.2.3.4:5`, `[::1]:5`; `nil` for a host name or anything else.
    package init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard let address = IPAddress(host) else { return nil }
        self.init(address, port)
    }

    /// The length of the compact form (BEP 23: 6 bytes, BEP 7 and 32: 18 bytes).
    package var compactByteCount: Int { address.family.compactEndpointByteCount }

    /// Reads the compact form of an endpoint of one family (BEP 23; BEP 7 and 32).
    package init?(compact family: AddressFamily, _ bytes: RawSpan, at offset: Int = 0) {
        switch family {
        case .v4: self.init(compactV4: bytes, at: offset)
        case .v6: self.init(compactV6: bytes, at: offset)
        }
    }

    /// Reads the compact form of an IPv4 endpoint (BEP 23).
    package init?(compactV4 bytes: RawSpan, at offset: Int = 0) {
        guard let bits = bytes.bigEndian(UInt32.self, at: offset),
            let port = bytes.bigEndian(UInt16.self, at: offset &+ 4)
        else { return nil }
        self.init(.v4(bits), port)
    }

    /// Reads the compact form of an IPv6 endpoint (BEP 7, 32).
    package init?(compactV6 bytes: RawSpan, at offset: Int = 0) {
        guard let high = bytes.bigEndian(UInt64.self, at: offset),
            let low = bytes.bigEndian(UInt64.self, at: offset &+ 8),
            let port = bytes.bigEndian(UInt16.self, at: offset &+ 16)
        else { return nil }
        self.init(.v6(high: high, low: low), port)
    }

    /// Reads the compact form of either family, told apart by its length: 6 bytes or 18 (BEP 42, BEP 32).
    package init?(compact bytes: RawSpan) {
        let family = AddressFamily.allCases.first { $0.compactEndpointByteCount == bytes.byteCount }
        guard let family else { return nil }
        self.init(compact: family, bytes)
    }

    /// Writes the compact form: address and port in network order.
    @inlinable
    package func writeCompact(to writer: inout ByteWriter) { writer.append(atMost: 18) { writeCompact(to: &$0) } }

    @inlinable
    package func writeCompact(to room: inout RoomWriter) {
        switch address {
        case .v4(let bits): room.bigEndian(bits)
        case .v6(let high, let low):
            room.bigEndian(high)
            room.bigEndian(low)
        }
        room.bigEndian(port)
    }
}

extension Endpoint: CustomStringConvertible {
    @usableFromInline package var description: String { address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)" }
}
