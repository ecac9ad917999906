import Shoal

/// A command line that was understood: what to do, with every value checked.
struct Invocation: Hashable, Sendable {
    var command: Command
    var console: ConsoleOptions

    /// What to do.
    enum Command: Hashable, Sendable {
        case share(Share)
        case fetch(Fetch)
        case node(Network)
        case tracker(TrackerTask)
        case account(AccountTask)
        case console(PeerConsole)
        case chunks(ChunksTask)
        case dht(DHTQuestion)
        case torrent(TorrentTask)
        case identity(IdentityTask)
        /// Make the key of a private swarm in this file.
        case makeSwarmKey(String)
        case completions(Shell)
        case man
        case version
        case help(HelpTopic)
    }

    struct Share: Hashable, Sendable {
        /// `request.torrent` is still empty; `torrentFile` says where its bytes are.
        var request: ShareRequest
        var torrentFile: String?
        var saveTorrent: String?
        /// Under whose key it is published as the newest version (BEP 46).
        var update: DHTQuestion.Signature?
        var network: Network
    }

    struct Fetch: Hashable, Sendable {
        var target: FetchTarget
        var options: FetchOptions
        /// Go on sharing when done.
        var keepsSharing = false
        /// How often a publisher's newer version is looked for while sharing.
        var checkInterval: Duration = .seconds(600)
        /// Give up when nothing moved for so long; `nil` for never.
        var timeout: Duration?
        var network: Network
    }

    struct DHTQuestion: Hashable, Sendable {
        enum Kind: Hashable, Sendable {
            /// `host:port`.
            case ping(String)
            /// 40 hexadecimal or 32 base32 digits.
            case find(String)
            /// 40 hexadecimal or 32 base32 digits.
            case peers(String)
            /// 40 hexadecimal or 32 base32 digits.
            case have(String)
            /// 40 hexadecimal or 32 base32 digits.
            case scrape(String)
            case put(Value, Signature?)
            /// A target (40 hexadecimal digits) or a public key (64).
            case get(String, salt: String, raw: Bool)
            /// 40 hexadecimal or 32 base32 digits; `nil` for a random place.
            case sample(String?)
            case table
            case stats
        }

        /// What `put` stores.
        enum Value: Hashable, Sendable {
            case text(String)
            /// A path, `-` for standard input.
            case file(String)
        }

        /// Who publishes a value, and which version of it.
        struct Signature: Hashable, Sendable {
            var keyFile: String
            var salt = ""
            var sequence: Int64?
            var replacing: Int64?
        }

        var kind: Kind
        var timeout: Duration = .seconds(10)
        var network: Network
    }

    enum TorrentTask: Hashable, Sendable {
        /// `output` is a file, a folder, or `nil` for the torrent's name here.
        case create(ShareRequest, output: String?)
        case show(String)
        case magnet(String)
        case verify(torrent: String, data: String)
    }

    struct IdentityTask: Hashable, Sendable {
        enum Kind: Hashable, Sendable {
            case show
            case new(replacing: Bool)
            case qr
        }

        var kind: Kind
        var stateFolder: String
    }

    enum Shell: String, CaseIterable, Hashable, Sendable {
        case bash
        case zsh
        case fish
    }
}

/// How the program talks.
struct ConsoleOptions: Hashable, Sendable {
    enum Color: String, CaseIterable, Hashable, Sendable {
        case auto
        case always
        case never
    }

    /// One JSON object a line on standard output.
    var json = false
    /// Errors only.
    var isQuiet = false
    var isVerbose = false
    var color: Color = .auto
}

/// The part of an invocation that becomes the node's `Configuration`.
struct Network: Hashable, Sendable {
    /// Where bootstrap nodes come from.
    enum Bootstrap: Hashable, Sendable {
        /// `bootstrap-nodes.txt` as installed.
        case installed
        case file(String)
        case nodes([String])
    }

    var listen: Configuration.Listen = .automatic
    var bootstrap: Bootstrap = .installed
    var usesDHT = true
    var usesLAN = true
    /// Of commands that stay a while.
    var mapsPort = true
    var secure: Configuration.SecurePolicy = .prefer
    /// A file with the keys of the only peers that are talked to.
    var trustFile: String?
    /// A file with the key of a private swarm.
    var swarmKeyFile: String?
    /// `nil` where neither the option nor a home folder says.
    var stateFolder: String?
    /// Bytes a second.
    var downloadLimit: Int?
    /// Bytes a second.
    var uploadLimit: Int?
    /// The address that others are told to use; `nil` for what they see.
    var announceIP: String?
    /// `SHOAL_LOCAL_LIMITS=on`: limits per address hold on loopback too.
    var localLimits = false
}
