import Cryptography
package import Primitives

/// What an initiator calls the torrent that it wants: the info-hash never crosses the wire (secure-peer.md, §3).
///
/// Who knows the info-hash finds the torrent by its tag; who does not learns a pseudonym and nothing else.
package struct SwarmTag: Hashable, Sendable {
    package static let byteCount = UInt160.byteCount
    package let value: UInt160

    package init(_ value: UInt160) { self.value = value }

    /// The tag of a torrent.
    package init(of infoHash: InfoHash) {
        self.init(BLAKE2b.hash160(infoHash.bytes.span.bytes, for: "SecPeer v1 swarm") ?? .zero)
    }
}
