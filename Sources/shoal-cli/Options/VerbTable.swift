extension VerbEntry {
    /// Every verb, in the order in which help lists them.
    static let all: [VerbEntry] =
        mainEntries + trackerEntries + accountEntries + roleEntries + dhtEntries + torrentEntries + identityEntries
        + aboutEntries

    static func entry(for verb: Verb) -> VerbEntry? { all.first { $0.verb == verb } }

    private static let mainEntries: [VerbEntry] = [
        VerbEntry(
            verb: .share,
            arguments: "PATH...",
            argumentCount: 1...10_000,
            argumentKind: .files,
            summary: "share files and folders; prints the link, stays until Ctrl-C",
            details: """
                Hashes the files, announces them in the distributed hash table and serves them to everybody who asks, \
                until Ctrl-C. Several paths become one torrent. Prints the magnet link and the exact command that \
                fetches it; into a pipe, the magnet link alone.
                """,
            examples: [
                Example(command: "shoal share holiday.mp4", meaning: "share one file"),
                Example(command: "shoal share photos/ --limit-up 2M", meaning: "share a folder at 2 MiB/s at most"),
                Example(
                    command: "shoal share site/ --update site.key",
                    meaning: "publish the newest version of a folder"
                ),
            ]
        ),
        VerbEntry(
            verb: .fetch,
            arguments: "WHAT",
            argumentCount: 0...1,
            argumentKind: .torrentFile,
            summary: "fetch by link, info-hash, .torrent or NAME@TRACKER; checks every byte",
            details: """
                WHAT is a magnet link, an info-hash (40 hexadecimal or 32 base32 digits), a .torrent file or its http(s) \
                URL, or NAME@TRACKER for a file of a tracker's catalogue; with --any and --tracker it is whatever the \
                tracker has. A link with xs=urn:btpk: names a publisher, whose newest version is looked up first \
                (BEP 46). Finds peers, fetches from all of them at once, verifies every piece and exits. What is already there is \
                verified and not fetched again; an interrupted fetch continues when the same command is run again.
                """,
            examples: [
                Example(
                    command: "shoal fetch 'magnet:?xt=urn:btih:...' -o ~/Downloads",
                    meaning: "fetch into a folder"
                ),
                Example(
                    command: "shoal fetch 0123456789abcdef0123456789abcdef01234567",
                    meaning: "the info-hash alone is enough"
                ),
                Example(
                    command: "shoal fetch holiday.mp4@tracker.example:6969",
                    meaning: "by name, from a tracker's catalogue"
                ),
                Example(
                    command: "shoal fetch album.torrent --only '*.flac' --seed",
                    meaning: "some of the files, then go on sharing"
                ),
            ]
        ),
        VerbEntry(
            verb: .node,
            arguments: "",
            argumentCount: 0...0,
            argumentKind: .none,
            summary: "join the network and serve the DHT until Ctrl-C",
            details: """
                Joins the distributed hash table through the bootstrap nodes and the nodes remembered from last \
                time, and answers the queries of others. A network of its own needs one such node to begin with.
                """,
            examples: [
                Example(command: "shoal node --listen :6881", meaning: "be a node that others can join through")
            ]
        ),
    ]

    private static let dhtEntries: [VerbEntry] = [
        VerbEntry(
            verb: .dhtPing,
            arguments: "HOST:PORT",
            argumentCount: 1...1,
            argumentKind: .text,
            summary: "ask whether a node answers",
            details: "Sends one ping (BEP 5) and prints the node's ID and the time that the answer took."
        ),
        VerbEntry(
            verb: .dhtFind,
            arguments: "ID",
            argumentCount: 1...1,
            argumentKind: .text,
            summary: "find the nodes closest to an ID",
            details: "Looks up the nodes closest to ID, 40 hexadecimal or 32 base32 digits, and prints them."
        ),
        VerbEntry(
            verb: .dhtGetPeers,
            arguments: "INFOHASH",
            argumentCount: 1...1,
            argumentKind: .text,
            summary: "find who holds an info-hash",
            details: "Looks up INFOHASH, 40 hexadecimal or 32 base32 digits, and prints the peers that are announced."
        ),
        VerbEntry(
            verb: .dhtHave,
            arguments: "INFOHASH",
            argumentCount: 1...1,
            argumentKind: .text,
            summary: "ask who holds which pieces",
            details: """
                Looks up the signed records of who holds which pieces of INFOHASH, which nodes of shoal keep, and prints \
                of each the key, the address, the pieces, the age, and whether it is verified or why not. Then asks the \
                peers themselves (50 at most): a handshake, and no data; what they say is nobody's signed word. Prints \
                the estimate of seeds and peers beside it (BEP 33).
                """
        ),
        VerbEntry(
            verb: .dhtScrape,
            arguments: "INFOHASH",
            argumentCount: 1...1,
            argumentKind: .text,
            summary: "count seeds and peers",
            details:
                "Estimates how many addresses share and fetch INFOHASH, from the filters that the nodes keep (BEP 33)."
        ),
        VerbEntry(
            verb: .dhtPut,
            arguments: "[VALUE]",
            argumentCount: 0...1,
            argumentKind: .text,
            summary: "store a small value",
            details: """
                Stores up to 1000 bytes in the distributed hash table (BEP 44) and prints the name that finds them: \
                without --key their hash, and nobody can change them; with --key the public key, and its owner can \
                publish new versions. The network forgets a value after two hours unless it is stored again.
                """,
            examples: [
                Example(command: "shoal dht put hello", meaning: "store a text; prints its target"),
                Example(command: "shoal dht put --file card --key my.key", meaning: "sign and publish a new version"),
            ]
        ),
        VerbEntry(
            verb: .dhtGet,
            arguments: "NAME",
            argumentCount: 1...1,
            argumentKind: .text,
            summary: "find a small value",
            details: """
                Finds a value of BEP 44 by NAME, a target (40 hexadecimal digits) or a public key (64), checks its hash \
                or its signature, and prints it: text as text, anything else in hexadecimal digits.
                """
        ),
        VerbEntry(
            verb: .dhtSample,
            arguments: "[ID]",
            argumentCount: 0...1,
            argumentKind: .text,
            summary: "see what some nodes hold",
            details: """
                Asks the nodes closest to ID (default: a random one) for a sample of the info-hashes that they hold peers \
                for (BEP 51), and prints them node by node.
                """
        ),
        VerbEntry(
            verb: .dhtTable,
            arguments: "",
            argumentCount: 0...0,
            argumentKind: .none,
            summary: "join, and print the routing table",
            details: "Joins the distributed hash table and prints the buckets and the nodes of the routing tables."
        ),
        VerbEntry(
            verb: .dhtStats,
            arguments: "",
            argumentCount: 0...0,
            argumentKind: .none,
            summary: "join, and print what the node saw",
            details: """
                Joins the distributed hash table and prints round trips, traffic, the estimated size of the network and \
                what the node stores, for IPv4 and IPv6.
                """
        ),
    ]

    private static let torrentEntries: [VerbEntry] = [
        VerbEntry(
            verb: .torrentCreate,
            arguments: "PATH...",
            argumentCount: 1...10_000,
            argumentKind: .files,
            summary: "make a .torrent file",
            details: "Hashes files and folders into one .torrent file. Touches no network."
        ),
        VerbEntry(
            verb: .torrentShow,
            arguments: "FILE",
            argumentCount: 1...1,
            argumentKind: .torrentFile,
            summary: "print what a .torrent file holds",
            details: "Prints name, info-hash, sizes and files of a .torrent file. Touches no network."
        ),
        VerbEntry(
            verb: .torrentMagnet,
            arguments: "FILE",
            argumentCount: 1...1,
            argumentKind: .torrentFile,
            summary: "print the magnet link of a .torrent file",
            details: "Prints the magnet link of a .torrent file. Touches no network."
        ),
        VerbEntry(
            verb: .torrentVerify,
            arguments: "FILE [PATH]",
            argumentCount: 1...2,
            argumentKind: .torrentFile,
            summary: "check data against a .torrent file",
            details: """
                Hashes the data at PATH (default: the current folder) and compares every piece with the .torrent \
                file. Exit code 5 when a piece is missing or wrong.
                """
        ),
    ]

    private static let identityEntries: [VerbEntry] = [
        VerbEntry(
            verb: .idShow,
            arguments: "",
            argumentCount: 0...0,
            argumentKind: .none,
            summary: "print this node's public key",
            details: """
                Prints the public key that nodes of this state folder are known by, its file, when it was made and \
                the node ID; into a pipe, the key alone. Touches no network and changes nothing; a node may be \
                running. Exit code 7 where there is no key yet. shoal id alone does the same.
                """
        ),
        VerbEntry(
            verb: .idNew,
            arguments: "",
            argumentCount: 0...0,
            argumentKind: .none,
            summary: "make this node's key",
            details: """
                Makes the key that a node would make when it first starts, and prints the public key. Where there is \
                one it is exit code 6, unless --replace puts that aside: for a key that others may have read. \
                Refused while a node goes by the key.
                """,
            examples: [
                Example(command: "shoal id new --replace", meaning: "go by another key from now on")
            ]
        ),
        VerbEntry(
            verb: .idQR,
            arguments: "",
            argumentCount: 0...0,
            argumentKind: .none,
            summary: "show the public key as a QR code",
            details: """
                Draws the public key as a QR code, for a camera to read. In colours of its own on a terminal; \
                elsewhere, and with --color never, in blocks that are meant for a dark ground. With --json the key \
                is text.
                """
        ),
        VerbEntry(
            verb: .idSwarmKey,
            arguments: "new FILE",
            argumentCount: 2...2,
            argumentKind: .newFile,
            summary: "make the key of a private swarm",
            details: """
                Makes the key of a private swarm: 32 random bytes in a new FILE that only its owner can read; a FILE \
                that is there is never written over. Every member needs a copy, handed on in secret. Whoever has it can \
                share and fetch with --swarm-key FILE; nobody else gets a byte.
                """,
            examples: [
                Example(command: "shoal id swarm-key new family.key", meaning: "once, for all members"),
                Example(command: "shoal share photos/ --swarm-key family.key", meaning: "share with the members only"),
            ]
        ),
    ]

    private static let aboutEntries: [VerbEntry] = [
        VerbEntry(
            verb: .completions,
            arguments: "bash|zsh|fish",
            argumentCount: 1...1,
            argumentKind: .shell,
            summary: "print a completion script",
            details: "Prints the completion script for a shell.",
            examples: [
                Example(command: "source <(shoal completions bash)", meaning: "complete in this bash"),
                Example(
                    command: "shoal completions fish > ~/.config/fish/completions/shoal.fish",
                    meaning: "complete in every fish"
                ),
            ]
        ),
        VerbEntry(
            verb: .man,
            arguments: "",
            argumentCount: 0...0,
            argumentKind: .none,
            summary: "print the manual page",
            details: "Prints the manual page in roff.",
            examples: [Example(command: "shoal man | man -l -", meaning: "read the manual")]
        ),
        VerbEntry(
            verb: .version,
            arguments: "",
            argumentCount: 0...0,
            argumentKind: .none,
            summary: "print the version",
            details: "Prints the name and version of the program."
        ),
        VerbEntry(
            verb: .help,
            arguments: "[VERB]",
            argumentCount: 0...2,
            argumentKind: .verb,
            summary: "explain the program or one verb",
            details: "Explains the program, or one verb with all its options."
        ),
    ]
}
