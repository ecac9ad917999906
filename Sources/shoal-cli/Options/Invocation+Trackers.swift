import Primitives
import Shoal
import TrackerProtocol

/// What has to do with a tracker, whichever end of it.
extension Invocation {
    enum TrackerTask: Hashable, Sendable {
        case run(TrackerRun)
        case ask(TrackerQuestion)
        case users(UserTask)
        /// How many take part in a torrent (40 hexadecimal or 32 base32 digits), as trackers of any kind say.
        case scrape(String, trackers: [String], stateFolder: String?)
    }

    /// `shoal tracker run`
    struct TrackerRun: Hashable, Sendable {
        /// `ADDR:PORT`, or `:PORT` for every address of both families.
        var listen = ":6969"
        /// `sqlite:PATH` or `postgres://...`; `nil` for `tracker.sqlite` in the state folder.
        var database: String?
        var needsAccounts = false
        var interval: Duration = .seconds(1800)
        var minInterval: Duration = .seconds(900)
        /// Where the text protocol of chunk folders listens.
        var chunks: String?
        var allowList: String?
        var denyList: String?
        /// Where clients reach it, when that is not where it listens.
        var ownURL: TrackerURL?
        /// Proxies in front, on other machines.
        var proxies: [IPAddress] = []
        var trace: String?
        var stateFolder: String?
        /// `SHOAL_LOCAL_LIMITS=on`: limits per address hold on loopback too.
        var localLimits = false
    }

    struct TrackerQuestion: Hashable, Sendable {
        enum Kind: Hashable, Sendable {
            case list
            case file(String)
            case peers
            case console
        }

        var kind: Kind
        /// As it was given, checked.
        var tracker: String
        var stateFolder: String?
    }

    /// `shoal tracker user`
    struct UserTask: Hashable, Sendable {
        enum Kind: Hashable, Sendable {
            case list
            case add(String, isAdmin: Bool)
            case remove(String)
            case password(String)
            case admin(String)
        }

        var kind: Kind
        /// `nil` for `tracker.sqlite` in the state folder.
        var database: String?
        var passwordFile: String?
        var stateFolder: String?
    }

    /// `shoal user`
    struct AccountTask: Hashable, Sendable {
        enum Kind: Hashable, Sendable {
            case register(String)
            case login(String)
            case logout
        }

        var kind: Kind
        var tracker: String
        var passwordFile: String?
        /// The password may go over clear HTTP to anywhere.
        var isInsecure = false
        var stateFolder: String?
    }

    /// `shoal console`
    struct PeerConsole: Hashable, Sendable {
        var tracker: String
        /// `nil` for the name of the folder.
        var id: String?
        var folder = "."
        var passwordFile: String?
        var isInsecure = false
        var network: Network
    }

    enum ChunksTask: Hashable, Sendable {
        case run(ChunksRun)
        case cut(file: String, folder: String, chunkByteCount: Int?)
        case join(folder: String, output: String?)
    }

    /// `shoal chunks run`
    struct ChunksRun: Hashable, Sendable {
        var folder: String
        var tracker: String
        /// `ADDR:PORT` or `:PORT`.
        var listen = ":0"
        /// `nil` for the name of the folder.
        var name: String?
        var set: String?
        var trace: String?
        /// `nil` for what the tracker sees.
        var announceIP: String?
    }
}
