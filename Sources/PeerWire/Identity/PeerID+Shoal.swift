package import Cryptography
package import Primitives

extension PeerID {
    /// How our peer ids begin: Azureus style (BEP 20), client `sw`: no other client of the lists goes by it.
    package static let shoalPrefix = "-sw0100-"

    /// A new peer id of ours: the prefix and 12 random bytes.
    package static func shoal(using generator: inout some RandomNumberGenerator) -> PeerID {
        var writer = ByteWriter(capacity: UInt160.byteCount)
        writer.append(utf8: shoalPrefix)
        writer.bigEndian(generator.next())
        writer.bigEndian(UInt32(truncatingIfNeeded: generator.next()))
        return PeerID(writer.bytes) ?? PeerID(.zero)
    }

    /// The name of a key's owner in one torrent (secure-peer.md, §1). It never crosses the wire: in secure sessions it
    /// tells peers apart, and finds us among them.
    ///
    /// - Parameter key: of the peer, which it proved.
    package static func secure(_ key: Ed25519.PublicKey, in infoHash: InfoHash) -> PeerID {
        let named = key.bytes + infoHash.bytes
        let digest = BLAKE2b.hash(named.span.bytes, for: "SecPeer v1 peerid", byteCount: 16)
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.".utf8)
        // Eight bytes of the prefix and twelve digits always make an identifier.
        return PeerID(Array(shoalPrefix.utf8) + digest.prefix(12).map { digits[Int($0 & 63)] }) ?? PeerID(.zero)
    }
}
