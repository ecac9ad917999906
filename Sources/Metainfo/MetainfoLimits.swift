package import Bencode

/// Bounds on what a torrent may cost before it is trusted (hardening F9).
///
/// F9 also limits pieces to 2^21; 10 MiB cannot hold that many hashes.
package struct MetainfoLimits: Hashable, Sendable {
    package var torrent: BencodeLimits = .torrent
    package var info: BencodeLimits = .info
    package var fileCount = 500_000
    /// More trackers than this are not kept: we announce to few, and every one is a name to resolve.
    package var trackerCount = 256
    package var nodeCount = 64
    /// In bytes; longer tracker URLs are not kept.
    package var urlByteCount = 2048

    package static let standard = MetainfoLimits()

    /// What a piece may be long in a torrent that others made.
    package static let pieceLengths: ClosedRange<Int64> = 1 << 10...256 << 20

    package init() {}
}
