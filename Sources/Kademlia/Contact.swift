package import Primitives

/// A DHT node as others name it: its identifier and where it listens (BEP 5 "contact information").
package struct Contact: Hashable, Sendable {
    package let id: NodeID
    package let endpoint: Endpoint

    @inlinable
    package init(_ id: NodeID, _ endpoint: Endpoint) {
        self.id = id
        self.endpoint = endpoint
    }

    /// The length of the compact form: 26 bytes (BEP 5) or 38 (BEP 32).
    package static func compactByteCount(_ family: AddressFamily) -> Int {
        UInt160.byteCount + family.compactEndpointByteCount
    }

    /// Reads the compact form: 20 bytes of identifier, then a compact endpoint (BEP 5, BEP 32).
    package init?(compact family: AddressFamily, _ bytes: RawSpan, at offset: Int) {
        guard let id = NodeID(bytes, at: offset),
            let endpoint = Endpoint(compact: family, bytes, at: offset &+ UInt160.byteCount)
        else { return nil }
        self.init(id, endpoint)
    }

    package func writeCompact(to writer: inout ByteWriter) {
        writer.append(atMost: UInt160.byteCount + endpoint.compactByteCount) { writeCompact(to: &$0) }
    }

    package func writeCompact(to room: inout RoomWriter) {
        id.value.write(to: &room)
        endpoint.writeCompact(to: &room)
    }
}

extension Contact: CustomStringConvertible {
    package var description: String { "\(id) at \(endpoint)" }
}
