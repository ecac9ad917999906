package import Primitives

/// What a client can do, as the eight reserved bytes of its handshake say, first byte most significant.
package struct Capabilities: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// BEP 5: `reserved[7] & 0x01`.
    package static let dht = Capabilities(rawValue: 0x01)
    /// BEP 6: `reserved[7] & 0x04`.
    package static let fast = Capabilities(rawValue: 0x04)
    /// BEP 10: `reserved[5] & 0x10`.
    package static let extensions = Capabilities(rawValue: 0x10_0000)

    /// What every connection of ours announces.
    package static let shoal: Capabilities = [.dht, .fast, .extensions]
}

/// The 68 bytes that open a connection in both directions (BEP 3).
package struct Handshake: Hashable, Sendable {
    package static let byteCount = 68

    /// A length byte and the protocol's name.
    static let greeting: [UInt8] = [19] + Array("BitTorrent protocol".utf8)

    package var capabilities: Capabilities
    package var infoHash: InfoHash
    package var peerID: PeerID

    package init(capabilities: Capabilities = .shoal, infoHash: InfoHash, peerID: PeerID) {
        self.capabilities = capabilities
        self.infoHash = infoHash
        self.peerID = peerID
    }

    /// Reads a handshake that begins at the first byte; `nil` while bytes are missing.
    ///
    /// A wrong greeting is found at its first wrong byte, so that another protocol is not kept waiting for 68 bytes it will not send.
    package init?(_ bytes: RawSpan) throws(WireError) {
        for (offset, expected) in Handshake.greeting.enumerated() {
            guard let byte = bytes.byte(at: offset) else { return nil }
            guard byte == expected else { throw .notBitTorrent }
        }
        guard let reserved = bytes.bigEndian(UInt64.self, at: 20), let infoHash = InfoHash(bytes, at: 28),
            let peerID = PeerID(bytes, at: 48)
        else { return nil }
        self.init(capabilities: Capabilities(rawValue: reserved), infoHash: infoHash, peerID: peerID)
    }

    package func write(to writer: inout ByteWriter) {
        writer.append(Handshake.greeting)
        writer.bigEndian(capabilities.rawValue)
        infoHash.value.write(to: &writer)
        peerID.value.write(to: &writer)
    }
}
