package import Metainfo
package import Primitives

/// What the other side said, parsed and inside its limits.
package enum PeerEvent: Hashable, Sendable {
    /// The first event of every connection. An accepted connection is answered with our handshake, or closed when we do not have the torrent.
    case handshake(Handshake)

    case keepAlive
    case choke
    case unchoke
    case interested
    case notInterested

    case have(Int)
    case bitfield(Bitfield)
    case haveAll
    case haveNone
    case suggest(Int)
    case allowedFast(Int)

    /// Lies inside the torrent and is no longer than the limit.
    case request(Block)
    /// Lies outside the torrent, or comes before we know the torrent: to be rejected (only where BEP 6 is negotiated; else it is an error).
    case requestOutside(Block)
    case cancel(Block)
    case reject(Block)

    /// The header of a `piece` message: `length` bytes of payload follow, which the driver moves itself.
    case block(Block)

    /// Where the other side's DHT node listens (BEP 5).
    case port(UInt16)

    /// May come more than once (BEP 10).
    indirect case extensionHandshake(ExtensionHandshake)
    indirect case metadata(MetadataMessage)

    /// Speaks of pieces before the layout is known; `layoutKnown` gives it back.
    case held
    /// A message of an unknown kind, read over without being buffered.
    case ignored(id: UInt8)
}
