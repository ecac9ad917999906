/// The long name of an option, without its dashes.
enum OptionName: String, CaseIterable, Hashable, Sendable {
    case output
    case torrent
    case saveTorrent = "save-torrent"
    case name
    case pieceLength = "piece-length"
    case update
    case file
    case key
    case salt
    case sequence = "seq"
    case compareAndSwap = "cas"
    case raw
    case isPrivate = "private"
    case replace
    case only
    case sequential
    case stdout
    case seed
    case every
    case peer
    case secure
    case trust
    case swarmKey = "swarm-key"
    case limitDown = "limit-down"
    case limitUp = "limit-up"
    case timeout
    case tracker
    case any
    case announceIP = "announce-ip"
    case database = "db"
    case accounts
    case interval
    case minInterval = "min-interval"
    case chunks
    case allowList = "allow-list"
    case denyList = "deny-list"
    case proxy
    case ownURL = "url"
    case id
    case folder = "dir"
    case set
    case passwordFile = "password-file"
    case insecure
    case admin
    case trace
    case listen
    case bootstrap
    case bootstrapFile = "bootstrap-file"
    case noDHT = "no-dht"
    case noLAN = "no-lan"
    case noPortMapping = "no-port-mapping"
    case state
    case json
    case quiet
    case verbose
    case color
    case help
}

/// A row of the table of options; parsing, help, completions and the man page all read it.
struct OptionEntry: Sendable {
    /// What follows the option; completions offer what fits.
    enum Argument: Hashable, Sendable {
        case none
        case path(String)
        case folder(String)
        case text(String)
        case choice([String])

        /// As a usage line shows it; `nil` for a flag.
        var placeholder: String? {
            switch self {
            case .none: nil
            case .path(let name), .folder(let name), .text(let name): name
            case .choice(let words): words.joined(separator: "|")
            }
        }
    }

    let name: OptionName
    var short: Character?
    let argument: Argument
    var isRepeatable = false
    let verbs: [Verb]
    let meaning: String

    /// `--limit-up`
    var spelling: String { "--" + name.rawValue }

    /// `-o, --output PATH`
    var synopsis: String {
        (short.map { "-\($0), " } ?? "") + spelling + (argument.placeholder.map { " \($0)" } ?? "")
    }

    /// `SHOAL_LIMIT_UP`; `nil` for `--help`, which makes no sense for all time.
    var environmentVariable: String? {
        name == .help
            ? nil : "SHOAL_" + name.rawValue.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }
}
