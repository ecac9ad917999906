/// What the program can be asked to do: the word or two that a command line begins with.
enum Verb: String, CaseIterable, Hashable, Sendable {
    case share
    case fetch
    case node
    case trackerRun = "tracker run"
    case trackerList = "tracker list"
    case trackerFile = "tracker file"
    case trackerPeers = "tracker peers"
    case trackerScrape = "tracker scrape"
    case trackerUser = "tracker user"
    case trackerConsole = "tracker console"
    case userRegister = "user register"
    case userLogin = "user login"
    case userLogout = "user logout"
    case console
    case chunksRun = "chunks run"
    case chunksImport = "chunks import"
    case chunksExport = "chunks export"
    case dhtPing = "dht ping"
    case dhtFind = "dht find"
    case dhtGetPeers = "dht get-peers"
    case dhtHave = "dht have"
    case dhtScrape = "dht scrape"
    case dhtPut = "dht put"
    case dhtGet = "dht get"
    case dhtSample = "dht sample"
    case dhtTable = "dht table"
    case dhtStats = "dht stats"
    case torrentCreate = "torrent create"
    case torrentShow = "torrent show"
    case torrentMagnet = "torrent magnet"
    case torrentVerify = "torrent verify"
    case idShow = "id show"
    case idNew = "id new"
    case idQR = "id qr"
    case idSwarmKey = "id swarm-key"
    case completions
    case man
    case version
    case help

    /// One word, or two for a verb of a family.
    var words: [String] { rawValue.split(separator: " ").map(String.init) }

    /// The first words that need a second one: `tracker`, `dht`, `id` and the like.
    static let families: [String] = allCases.reduce(into: []) { families, verb in
        if verb.words.count == 2, let family = verb.words.first, !families.contains(family) {
            families.append(family)
        }
    }

    /// What a family's word means alone; the others need a second one.
    static func usual(of family: String) -> Verb? {
        switch family {
        case "tracker": .trackerRun
        case "id": .idShow
        default: nil
        }
    }

    /// The verbs of a family, in the order of the table.
    static func members(of family: String) -> [Verb] {
        allCases.filter { $0.words.count == 2 && $0.words.first == family }
    }
}

/// A row of the table of verbs; parsing, help, completions and the man page all read it.
struct VerbEntry: Sendable {
    /// What may stand in the place of an argument, for completions.
    enum ArgumentKind: Hashable, Sendable {
        case none
        case files
        case torrentFile
        case shell
        case verb
        case folder
        case text
        /// The word `new`, and a file behind it.
        case newFile
    }

    let verb: Verb
    /// As a usage line shows them: `PATH...`.
    let arguments: String
    let argumentCount: ClosedRange<Int>
    let argumentKind: ArgumentKind
    /// Half a sentence, for lists.
    let summary: String
    /// Whole sentences, for the verb's own help and the man page.
    let details: String
    /// Command lines that work as they stand, each with what it does.
    var examples: [Example] = []

    struct Example: Sendable {
        let command: String
        let meaning: String
    }

    /// `shoal fetch [OPTION...] WHAT`
    var usage: String { "shoal \(verb.rawValue) [OPTION...]" + (arguments.isEmpty ? "" : " \(arguments)") }
}
