package import Primitives

/// A scrape as it stands in a URL (BEP 48): the torrents that it names. All torrents of the tracker are nobody's to ask.
package struct ScrapeQuery: Hashable, Sendable {
    /// Ascending, each once: as the answer has to name them.
    package let infoHashes: [InfoHash]

    /// As many as a line of 8 KiB can name (T6).
    private static let mostTorrents = 128

    /// - Parameter query: what stands behind the `?`, still encoded.
    package init(_ query: RawSpan) throws(TrackerFailure) {
        var named: Set<UInt160> = []
        var walk = QueryFields(query)
        while let (name, value) = walk.next() {
            guard query.matches(name, "info_hash") else { continue }
            guard let hash = query.percentDecoded160(value) else { throw .badInfoHash }
            named.insert(hash)
            guard named.count <= ScrapeQuery.mostTorrents else { throw .tooManyTorrents }
        }
        guard !named.isEmpty else { throw .missingInfoHash }
        infoHashes = named.sorted().map { InfoHash($0) }
    }
}
