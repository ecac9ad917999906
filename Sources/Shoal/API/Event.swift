import SecurePeer

/// What a node tells its owner.
public enum Event: Hashable, Sendable {
    /// TCP and UDP are bound.
    case listening(Listening)
    /// The DHT: who answers.
    case dht(DHTStatus)
    /// A torrent is known in full (made, read, or its metadata arrived).
    case torrent(TorrentInfo)
    /// Where a torrent stands; at most a few times a second.
    case progress(Progress)
    /// A peer came or went.
    case peer(PeerStatus)
    /// A tracker answered, or failed.
    case tracker(TrackerStatus)
    /// A router hands the port through, or none does (`Configuration.mapsPort`).
    case portMapping(PortMappingStatus)
    /// Connections of strangers came to nothing; at most once a second.
    case refusals(Refusals)
    /// Everything wanted is there and checked.
    case done(Completion)
    /// A torrent paused for a local reason (disk full) or ended; the node lives on.
    case failed(infoHash: String, ShoalError)
    /// A torrent was published as the newest version of what its publisher's key stands for (BEP 46).
    case published(Publication)
    /// The newest version of what was looked up, or a newer one (BEP 46).
    case version(TorrentVersion)
    /// SIGINT or SIGTERM came, by its number (`Configuration.reportsSignals`).
    case interrupted(signal: Int32)
    /// One sentence for the person, e.g. that no bootstrap node answers; not fatal.
    case notice(String)
}

/// Where a node listens, and as whom.
public struct Listening: Hashable, Sendable {
    /// Where the key of a node is from.
    public enum KeyOrigin: String, Hashable, Sendable {
        /// Kept in the state folder; the next run goes by it too.
        case kept
        /// Made for this run, because another process goes by the one in the state folder.
        case folderInUse = "folder_in_use"
        /// Made for this run, because there is no state folder.
        case noFolder = "no_folder"
    }

    /// `ip:port`, of IPv4 where both families are there.
    public var address: String
    /// `[ip]:port`, where both families are there.
    public var address6: String?
    /// 40 hexadecimal digits; empty without the DHT.
    public var nodeID: String
    /// The public key: `sp1-` and 55 characters.
    public var key: String
    /// Where that is from.
    public var keyOrigin: KeyOrigin

    /// Where a node listens, and as whom.
    public init(
        address: String,
        address6: String? = nil,
        nodeID: String,
        key: String,
        keyOrigin: KeyOrigin = .kept
    ) {
        self.address = address
        self.address6 = address6
        self.nodeID = nodeID
        self.key = key
        self.keyOrigin = keyOrigin
    }
}

/// The DHT as a person sees it.
public struct DHTStatus: Hashable, Sendable {
    /// Nodes in the routing table that answer.
    public var nodes: Int
    /// Whether any bootstrap or remembered node has answered yet.
    public var isJoined: Bool
}

/// A torrent.
public struct TorrentInfo: Hashable, Sendable {
    /// 40 hexadecimal digits.
    public var infoHash: String
    /// The name of the file or folder.
    public var name: String
    /// Bytes.
    public var size: Int64
    /// Bytes.
    public var pieceLength: Int
    /// How many.
    public var pieces: Int
    /// How many files.
    public var files: Int
    /// The magnet link, with this node's address where it is known.
    public var magnet: String
}

/// What a torrent is doing.
public enum TorrentState: String, Hashable, Sendable {
    /// Hashing files to make a torrent.
    case hashing
    /// Hashing what is on disk.
    case checking
    /// Looking for peers and the metadata.
    case metadata
    /// Fetching pieces.
    case downloading
    /// Complete and serving.
    case seeding
    /// Stopped by a local problem until it is gone.
    case paused
}

/// Where a torrent stands. Sizes in bytes, rates in bytes a second.
public struct Progress: Hashable, Sendable {
    /// 40 hexadecimal digits; empty while a torrent is being made.
    public var infoHash: String
    /// What it is doing.
    public var state: TorrentState
    /// Verified bytes of what is wanted; while hashing or checking, bytes looked at.
    public var done: Int64
    /// Bytes wanted; 0 while the metadata is unknown.
    public var size: Int64
    /// Payload received a second.
    public var downRate: Int
    /// Payload sent a second.
    public var upRate: Int
    /// Payload received in this session.
    public var downloaded: Int64
    /// Payload sent in this session.
    public var uploaded: Int64
    /// Connected peers.
    public var peers: Int
    /// Seconds to go, where that can be said.
    public var secondsLeft: Double?
    /// What it waits for, when nothing moves: "asking 142 DHT nodes; 0 peers hold this".
    public var waitingFor: String?
}

/// A peer that came or went.
public struct PeerStatus: Hashable, Sendable {
    /// Where a peer stands.
    public enum State: String, Hashable, Sendable {
        /// Handshake done.
        case connected
        /// Gone.
        case closed
        /// Gone for good: it lied.
        case banned
        /// We or they would not.
        case refused
    }

    /// 40 hexadecimal digits.
    public var infoHash: String
    /// `ip:port`.
    public var address: String
    /// Where it stands.
    public var state: State
    /// Where we know it from: `dht`, `user`, `incoming`.
    public var source: String
    /// The key that its address proved to have, `sp1-...`; `nil` for one that proved none.
    public var key: String?
    /// Whether the session with it is a secure one, in which `key` is proved by the session itself.
    public var isSecure = false
    /// Whether we dialled it because of what its signed record says that it holds.
    public var isChosenForRecord = false
    /// What it calls itself: `libtorrent 2.1.1`.
    public var client: String?
    /// Why it is gone, a snake_case word: `bad_piece_data`.
    public var reason: String?
    /// What there is to say of that beyond the word, for a person: by how much its clock is off, what it gave as a reason.
    public var detail: String?
    /// Payload bytes received from it.
    public var downloaded: Int64
    /// Pieces of ours that it gave blocks of.
    public var pieces: Int
}

/// Connections that others opened and that came to nothing, since the node was started.
public struct Refusals: Hashable, Sendable {
    /// They spoke plain where sessions have to be secure.
    public var plain: UInt64 = 0
    /// They spoke neither plain BitTorrent nor SPS/1; clients that try MSE first come back plain.
    public var mseOrUnknown: UInt64 = 0
    /// They began a secure session, and it failed.
    public var handshakes: UInt64 = 0
    /// They began one more often than anybody may.
    public var hellos: UInt64 = 0
    /// Their host had too many connections, or a newer one needed the room.
    public var crowded: UInt64 = 0
    /// Their host had failed too often.
    public var banned: UInt64 = 0

    /// None.
    public init() {}

    init(_ counters: Admission.Counters) {
        plain = counters.plainRefused
        mseOrUnknown = counters.mseOrUnknown
        handshakes = counters.failedHandshakes
        hellos = counters.refusedHellos
        crowded = counters.refusedCrowded + counters.evicted
        banned = counters.refusedBanned
    }
}

/// The end of a fetch.
public struct Completion: Hashable, Sendable {
    /// 40 hexadecimal digits.
    public var infoHash: String
    /// Where the file or folder is now.
    public var path: String
    /// Since the fetch began.
    public var seconds: Double
    /// Payload received in this session, in bytes; 0 when everything was there already.
    public var downloaded: Int64
    /// Bytes of what was wanted.
    public var size: Int64
}

/// A torrent that its publisher has signed as the newest version (BEP 46).
public struct Publication: Hashable, Sendable {
    /// 40 hexadecimal digits.
    public var infoHash: String
    /// The link that follows what the key publishes.
    public var magnet: String
    /// The publisher's key, 64 hexadecimal digits.
    public var key: String
    /// The version.
    public var sequence: Int64
    /// Nodes that store it.
    public var nodes: Int
}

/// One version of a torrent with a publisher (BEP 46).
public struct TorrentVersion: Hashable, Sendable {
    /// 40 hexadecimal digits.
    public var infoHash: String
    /// Higher for each version.
    public var sequence: Int64
    /// The version that was known before.
    public var previous: Int64?
}
