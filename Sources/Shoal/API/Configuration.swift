/// How a node is set up. Everything has a default that works.
public struct Configuration: Hashable, Sendable {
    /// Where TCP and UDP listen.
    public enum Listen: Hashable, Sendable {
        /// Port 6881 on every address of both families, or the next free one.
        case automatic
        /// Exactly this numeric address and port, `127.0.0.1:6881`, `[::1]:6881`, or `:6881` for every address of both
        /// families; port 0 picks a free one.
        case endpoint(String)
    }

    /// Who is talked to in the clear.
    public enum SecurePolicy: String, Hashable, Sendable, CaseIterable {
        /// Secure with peers of this kind, plain with all others. A peer that was secure before is never talked to plain.
        case prefer
        /// Secure with everybody: plain peers are neither dialled nor served.
        case require
        /// Plain with everybody, for measurements only.
        case off
    }

    /// Where TCP and UDP listen.
    public var listen: Listen = .automatic
    /// Whom torrents talk to that say nothing else.
    public var sessions = SessionRules()
    /// `host:port` of nodes to join the DHT through.
    public var bootstrap: [String] = []
    /// Whether peers are looked up and announced in the DHT.
    public var usesDHT = true
    /// Whether the queries of others are answered. A node that lives for one question says that it does not (BEP 43), so
    /// that nobody keeps it in a table.
    public var servesDHT = true
    /// Whether a router is asked to hand the port through (NAT-PMP, UPnP), where we listen in a private IPv4 network.
    public var mapsPort = false
    /// Folder for the routing table and the resume state; `nil` keeps nothing.
    public var stateFolder: String?
    /// The IP address that trackers are told to hand out; `nil` for the one that they see (the usual).
    public var announceIP: String?
    /// Passkeys of accounts at trackers, by the tracker's `host:port`; an announce to its `/announce` goes to
    /// `/announce/PASSKEY`. They are in no torrent, link or message.
    public var trackerPasskeys: [String: String] = [:]
    /// Bytes a second over all torrents; `nil` for no limit.
    public var downloadLimit: Int?
    /// Bytes a second over all torrents; `nil` for no limit.
    public var uploadLimit: Int?
    /// Threads for disk and hashing; `nil` for one a core.
    public var diskThreads: Int?
    /// Whether SIGINT and SIGTERM become `Event.interrupted` instead of ending the process at once; the second one ends it.
    public var reportsSignals = false
    /// Whether per-IP limits hold on loopback as well (`SHOAL_LOCAL_LIMITS=on`), for tests of those limits.
    public var localLimits = false

    /// The defaults.
    public init() {}
}

/// What to fetch.
public enum FetchSource: Hashable, Sendable {
    /// A magnet link.
    case magnet(String)
    /// 40 hexadecimal or 32 base32 digits.
    case infoHash(String)
    /// The bytes of a `.torrent` file.
    case torrent([UInt8])
}

/// How to fetch.
public struct FetchOptions: Hashable, Sendable {
    /// A folder, or for a single file its name when it is no existing folder and does not end in `/`.
    public var output = "."
    /// Only files whose path matches one of these globs; empty for all.
    public var only: [String] = []
    /// Pieces in order.
    public var sequential = false
    /// The file is read with `Node.readVerified` while it arrives: pieces in order.
    public var standardOutput = false
    /// Peers to try at once, `[sp1-KEY@]host:port`; with a key, one that proves to have it.
    public var peers: [String] = []
    /// Trackers to announce to besides those of the torrent: http, https or udp URLs (`http://host:port` is enough).
    public var trackers: [String] = []
    /// Seconds without movement after which to give up; `nil` for never.
    public var timeout: Double?
    /// Whom to talk to; `nil` for what the configuration says.
    public var sessions: SessionRules?

    /// The defaults.
    public init() {}
}

/// What to share.
public struct ShareRequest: Hashable, Sendable {
    /// One file or folder, or several, which become one torrent.
    public var paths: [String]
    /// Name of the torrent; `nil` for the name of the path.
    public var name: String?
    /// Bytes; `nil` chooses by size.
    public var pieceLength: Int?
    /// BEP 27: no DHT.
    public var isPrivate = false
    /// The bytes of a `.torrent` whose data the (single) path holds; `nil` makes a new one.
    public var torrent: [UInt8]?
    /// Peers to try at once, `[sp1-KEY@]host:port`; with a key, one that proves to have it.
    public var peers: [String] = []
    /// Trackers to announce to: http, https or udp URLs (`http://host:port` is enough). A torrent that is made names them.
    public var trackers: [String] = []
    /// Whom to talk to; `nil` for what the configuration says.
    public var sessions: SessionRules?

    /// - Parameter paths: files and folders.
    public init(paths: [String]) { self.paths = paths }
}
