import Bencode
package import Primitives

/// What one node shows of the info-hashes that it holds peers for (BEP 51).
package struct NodeSample: Hashable, Sendable {
    package var node: Contact
    package var infoHashes: [InfoHash]
    /// How many it holds in all, as it says.
    package var total: Int
    /// How long it shows the same ones, as it says; at most six hours.
    package var interval: Duration

    /// Reads the sample in a reply; `nil` where the node does not take part (no `samples` at all) or lies about its
    /// form.
    init?(_ body: MessageBody, of node: Contact, in datagram: RawSpan, atMost limit: Int) {
        guard let samples = body.samples, samples.count.isMultiple(of: UInt160.byteCount) else { return nil }
        self.node = node
        let count = min(samples.count / UInt160.byteCount, limit)
        infoHashes = (0..<count).compactMap {
            InfoHash(datagram, at: samples.lowerBound &+ $0 &* UInt160.byteCount)
        }
        total = max(body.number.flatMap { Int(exactly: $0) } ?? 0, infoHashes.count)
        interval = .seconds(min(max(body.interval ?? 0, 0), 21_600))
    }
}
