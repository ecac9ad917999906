import Bencode
package import Primitives

/// How many peers a torrent has at a tracker: the answer to a scrape (BEP 15, BEP 48).
package struct TrackerCount: Hashable, Sendable {
    package var seeders: Int
    package var leechers: Int
    /// How often it was completed.
    package var completed: Int

    package init(seeders: Int, leechers: Int, completed: Int) {
        self.seeders = seeders
        self.leechers = leechers
        self.completed = completed
    }

    /// Reads the body of an HTTP scrape (BEP 48), of which only this torrent matters.
    package init(http body: RawSpan, of infoHash: InfoHash) throws(AnnounceFailure) {
        var found: TrackerCount?
        var failure: String?
        var reader = BencodeReader(body, limits: .trackerReply)
        do throws(BencodeError) {
            try reader.beginDictionary()
            while let key = try reader.nextKey() {
                if reader.matches(key, "failure reason") {
                    failure = try TrackerAnswer.sentence(from: &reader)
                } else if reader.matches(key, "files"), try reader.beginOptionalDictionary() {
                    while let name = try reader.nextKey() {
                        let isIt = reader.identifier(InfoHash.self, name) == infoHash
                        if let count = try TrackerCount.read(from: &reader), isIt { found = count }
                    }
                } else if !reader.matches(key, "files") {
                    try reader.skipValue()
                }
            }
        } catch {
            guard failure != nil else { throw .malformed }
        }
        if let failure { throw .refused(failure, retry: nil) }
        guard let found else { throw .refused("it does not know this torrent", retry: nil) }
        self = found
    }

    private static func read(from reader: inout BencodeReader) throws(BencodeError) -> TrackerCount? {
        guard try reader.beginOptionalDictionary() else { return nil }
        var count = TrackerCount(seeders: 0, leechers: 0, completed: 0)
        while let key = try reader.nextKey() {
            if reader.matches(key, "complete") {
                count.seeders = Int(clamping: max(0, try reader.optionalInteger() ?? 0))
            } else if reader.matches(key, "incomplete") {
                count.leechers = Int(clamping: max(0, try reader.optionalInteger() ?? 0))
            } else if reader.matches(key, "downloaded") {
                count.completed = Int(clamping: max(0, try reader.optionalInteger() ?? 0))
            } else {
                try reader.skipValue()
            }
        }
        return count
    }
}
