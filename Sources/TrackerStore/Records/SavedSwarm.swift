package import Primitives

/// A swarm as a node wrote it down, for its own next run and for other nodes on the same database.
package struct SavedSwarm: Hashable, Sendable {
    package var infoHash: InfoHash
    /// As `Registry` codes them; empty for a swarm that is no more.
    package var peers: [UInt8]
    /// Seconds since 1970.
    package var saved: Int64

    package init(infoHash: InfoHash, peers: [UInt8], saved: Int64) {
        self.infoHash = infoHash
        self.peers = peers
        self.saved = saved
    }
}

/// Another tracker node on the same database.
package struct TrackerPeerNode: Hashable, Sendable {
    /// Random, made at a node's first start.
    package var id: String
    /// Where clients announce to it.
    package var url: String
    /// Seconds since 1970.
    package var seen: Int64

    package init(id: String, url: String, seen: Int64) {
        self.id = id
        self.url = url
        self.seen = seen
    }
}
