package import Primitives

extension PeerID {
    /// How our peer ids begin: Azureus style (BEP 20), client `SH`.
    package static let shoalPrefix = "-sw0100-"

    /// A new peer id of ours: the prefix and 12 random bytes.
    package static func shoal(using generator: inout some RandomNumberGenerator) -> PeerID {
        var writer = ByteWriter(capacity: UInt160.byteCount)
        writer.append(utf8: shoalPrefix)
        writer.bigEndian(generator.next())
        writer.bigEndian(UInt32(truncatingIfNeeded: generator.next()))
        return PeerID(writer.bytes) ?? PeerID(.zero)
    }
}
