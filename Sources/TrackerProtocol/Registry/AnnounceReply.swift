package import Primitives

/// What a tracker answers to an announce, in no protocol's form; made once and used for all answers, so that none
/// allocates.
package struct AnnounceReply: Sendable {
    /// When to announce again, in seconds.
    package internal(set) var interval = 0
    /// How soon to announce again at the earliest, in seconds.
    package internal(set) var minInterval = 0
    /// Listed peers of the asker's family, itself included.
    package internal(set) var seeds = 0
    package internal(set) var leechers = 0
    /// How often the torrent was completed.
    package internal(set) var downloaded = 0
    package internal(set) var family = AddressFamily.v4
    /// The peers in the compact form of `family` (BEP 23, BEP 7).
    package internal(set) var peers = ByteWriter(capacity: 3600)
    /// Their identifiers in the same order, where they were asked for: BEP 3's form of an answer names them.
    package internal(set) var peerIDs: [PeerID] = []
    /// What a person should know although there is an answer.
    package internal(set) var warning: StaticString?

    package init() {}

    package var peerCount: Int { peers.count / family.compactEndpointByteCount }
}
