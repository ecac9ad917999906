/// Bounds on what one bencoded value may cost its reader (hardening P1).
package struct BencodeLimits: Hashable, Sendable {
    /// What a reader has room for; no format that we read needs more.
    package static let deepest = 32

    /// Lists and dictionaries inside one another.
    package var depth: Int
    /// Integers, strings, keys, lists and dictionaries together.
    package var tokens: Int
    /// Length of the input, in bytes.
    package var byteCount: Int
    /// Whether a key that does not follow the one before it is an error instead of a counted fault (hardening P4).
    package var isStrict: Bool

    package init(depth: Int, tokens: Int, byteCount: Int, isStrict: Bool = false) {
        self.depth = min(depth, BencodeLimits.deepest)
        self.tokens = tokens
        self.byteCount = min(byteCount, Int(UInt32.max))
        self.isStrict = isStrict
    }

    /// A `.torrent` file: 300 000 files at six tokens each, and 10 MiB (hardening P1, F9).
    package static let torrent = BencodeLimits(depth: 32, tokens: 2_000_000, byteCount: 10 << 20)

    /// An `info` dictionary as it comes from peers (BEP 9): no more than we would hold for a stranger.
    package static let info = BencodeLimits(depth: 32, tokens: 2_000_000, byteCount: 8 << 20)

    /// A DHT packet: longer datagrams are dropped before they get here (hardening D17).
    package static let krpc = BencodeLimits(depth: 10, tokens: 500, byteCount: 2048)

    /// What a tracker answers (hardening P1, T14): a few hundred peers, each a dictionary of three where it is of the old
    /// form, or a scrape.
    package static let trackerReply = BencodeLimits(depth: 10, tokens: 20_000, byteCount: 1 << 20)

    /// An extension message (BEP 10), with the 16 KiB of metadata that may follow it (BEP 9).
    package static let extensionMessage = BencodeLimits(depth: 10, tokens: 1000, byteCount: 64 << 10)
}
