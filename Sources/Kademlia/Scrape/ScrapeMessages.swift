import Primitives

extension ByteWriter {
    /// The filters of a reply, which stand before everything else in it: capital letters sort first (BEP 33).
    mutating func replyFilters(seeds: ScrapeFilter, peers: ScrapeFilter) {
        append("4:BFpe256:" as StaticString)
        peers.write(to: &self)
        append("4:BFsd256:" as StaticString)
        seeds.write(to: &self)
    }
}

extension ReplySize {
    /// Both filters with their keys.
    static let filters = 2 * (10 + ScrapeFilter.byteCount)
    /// Contacts that a reply with filters names at least: eight of IPv4.
    static let nodesBesideFilters = 11 + 8 * 26
}
