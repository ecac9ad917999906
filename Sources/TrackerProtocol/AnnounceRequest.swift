package import Primitives

/// What a peer tells a tracker of itself (BEP 3, BEP 7, BEP 15), whichever way it travels.
package struct AnnounceRequest: Hashable, Sendable {
    /// Why a peer announces; the numbers are BEP 15's.
    package enum Event: UInt32, Hashable, Sendable {
        /// As it does at every interval.
        case interval = 0
        case completed = 1
        case started = 2
        case stopped = 3
    }

    package var infoHash: InfoHash
    package var peerID: PeerID
    /// Where it listens.
    package var port: UInt16
    /// Payload bytes since `started`.
    package var uploaded: UInt64 = 0
    /// Payload bytes since `started`.
    package var downloaded: UInt64 = 0
    /// Bytes to go; `nil` where it does not say, as a client that has no metadata yet.
    package var left: UInt64?
    package var event = Event.interval
    /// Proves that it is the same peer after its address changed; 0 over UDP is none.
    package var key: UInt32?
    /// How many peers it would like; `nil` for the tracker's default.
    package var wanted: Int?

    package init(infoHash: InfoHash, peerID: PeerID, port: UInt16) {
        self.infoHash = infoHash
        self.peerID = peerID
        self.port = port
    }
}
