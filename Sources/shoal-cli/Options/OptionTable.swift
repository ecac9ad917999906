extension OptionEntry {
    /// Every option, in the order in which help lists them.
    static let all: [OptionEntry] =
        fileEntries + itemEntries + identityEntries + transferEntries + trackerEntries + networkEntries + generalEntries

    /// The options that go with a verb.
    static func entries(for verb: Verb) -> [OptionEntry] { all.filter { $0.verbs.contains(verb) } }

    private static let transfers: [Verb] = [.share, .fetch]
    private static let questions: [Verb] = [
        .dhtPing, .dhtFind, .dhtGetPeers, .dhtHave, .dhtScrape, .dhtPut, .dhtGet, .dhtSample, .dhtTable, .dhtStats,
    ]
    private static let network: [Verb] = transfers + [.node, .console] + questions
    /// What asks a tracker as anybody may.
    private static let trackerQuestions: [Verb] = [.trackerList, .trackerFile, .trackerPeers, .trackerConsole]
    private static let accounts: [Verb] = [.userRegister, .userLogin, .userLogout]
    private static let makers: [Verb] = [.share, .torrentCreate]

    private static let fileEntries: [OptionEntry] = [
        OptionEntry(
            name: .output,
            short: "o",
            argument: .path("PATH"),
            verbs: [.fetch, .torrentCreate, .chunksExport],
            meaning: """
                where files go (default: the current folder); for a single file, a path that is no existing folder \
                and does not end in / is the file's name
                """
        ),
        OptionEntry(
            name: .torrent,
            argument: .path("FILE"),
            verbs: [.share],
            meaning: "PATH holds the data of this .torrent: check it and share it; nothing is made anew"
        ),
        OptionEntry(
            name: .saveTorrent,
            argument: .path("FILE"),
            verbs: [.share],
            meaning: "write the .torrent as well"
        ),
        OptionEntry(
            name: .name,
            argument: .text("NAME"),
            verbs: makers + [.chunksRun],
            meaning: "name of the torrent; chunks: what this client is called (default: the name of the folder)"
        ),
        OptionEntry(
            name: .pieceLength,
            argument: .text("SIZE"),
            verbs: makers + [.chunksImport],
            meaning: "bytes in a piece or chunk, a power of two from 16K to 256M (default: by size)"
        ),
        OptionEntry(
            name: .isPrivate,
            argument: .none,
            verbs: makers,
            meaning: "private torrent (BEP 27): never in the DHT"
        ),
    ]

    private static let itemEntries: [OptionEntry] = [
        OptionEntry(
            name: .update,
            argument: .path("KEYFILE"),
            verbs: [.share],
            meaning: """
                publish this as the newest version of what the key publishes (BEP 46), and print the link that follows \
                it; the file is made when it is missing
                """
        ),
        OptionEntry(
            name: .file,
            argument: .path("FILE"),
            verbs: [.dhtPut],
            meaning: "store the bytes of this file; - for standard input"
        ),
        OptionEntry(
            name: .key,
            argument: .path("KEYFILE"),
            verbs: [.dhtPut],
            meaning: "sign with the key in this file (64 or 128 hexadecimal digits); it is made when it is missing"
        ),
        OptionEntry(
            name: .salt,
            argument: .text("TEXT"),
            verbs: [.share, .dhtPut, .dhtGet],
            meaning: "tells what one key publishes apart, at most 64 bytes"
        ),
        OptionEntry(
            name: .sequence,
            argument: .text("N"),
            verbs: [.dhtPut],
            meaning: "number of the version (default: the next one)"
        ),
        OptionEntry(
            name: .compareAndSwap,
            argument: .text("N"),
            verbs: [.dhtPut],
            meaning: "store only where version N is"
        ),
        OptionEntry(
            name: .raw,
            argument: .none,
            verbs: [.dhtGet],
            meaning: "write the value's bytes to standard output, and nothing else"
        ),
    ]

    private static let identityEntries: [OptionEntry] = [
        OptionEntry(
            name: .replace,
            argument: .none,
            verbs: [.idNew],
            meaning: "put the key that is there aside, as identity.key.TIME in the same folder, and make another"
        )
    ]

    private static let transferEntries: [OptionEntry] = [
        OptionEntry(
            name: .only,
            argument: .text("GLOB"),
            isRepeatable: true,
            verbs: [.fetch],
            meaning: "only the files whose path matches; repeatable"
        ),
        OptionEntry(name: .sequential, argument: .none, verbs: [.fetch], meaning: "fetch the pieces in order"),
        OptionEntry(
            name: .stdout,
            argument: .none,
            verbs: [.fetch],
            meaning: "write the (single) file to standard output, in order"
        ),
        OptionEntry(name: .seed, argument: .none, verbs: [.fetch], meaning: "go on sharing when done, until Ctrl-C"),
        OptionEntry(
            name: .every,
            argument: .text("SECONDS"),
            verbs: [.fetch],
            meaning: "with --seed and a publisher's link: how often to look for a newer version (default: 600)"
        ),
        OptionEntry(
            name: .peer,
            argument: .text("[sp1-KEY@]HOST:PORT"),
            isRepeatable: true,
            verbs: transfers,
            meaning: "try this peer directly, at once; with a key (shoal id show) it must prove to have it; repeatable"
        ),
        OptionEntry(
            name: .secure,
            argument: .choice(["prefer", "require", "off"]),
            verbs: transfers,
            meaning: """
                prefer (the default): secure sessions with every peer that can, plain ones with other clients; require: \
                refuse plain in both directions; off: plain only, for measurements
                """
        ),
        OptionEntry(
            name: .trust,
            argument: .path("FILE"),
            verbs: transfers,
            meaning: "only peers with one of the keys in this file, one sp1- key a line; secure sessions only"
        ),
        OptionEntry(
            name: .swarmKey,
            argument: .path("FILE"),
            verbs: transfers,
            meaning: "private swarm: only peers with the same key file (shoal id swarm-key new); secure sessions only"
        ),
        OptionEntry(
            name: .limitDown,
            argument: .text("RATE"),
            verbs: transfers,
            meaning: "receive at most this many bytes a second; suffixes K M G"
        ),
        OptionEntry(
            name: .limitUp,
            argument: .text("RATE"),
            verbs: transfers,
            meaning: "send at most this many bytes a second; suffixes K M G"
        ),
        OptionEntry(
            name: .timeout,
            argument: .text("SECONDS"),
            verbs: [.fetch] + questions,
            meaning: "give up when nothing moved for so long (default: never; dht: 10)"
        ),
    ]

    private static let trackerEntries: [OptionEntry] = [
        OptionEntry(
            name: .tracker,
            argument: .text("URL"),
            isRepeatable: true,
            verbs: transfers + trackerQuestions + accounts + [.trackerScrape, .console, .chunksRun],
            meaning: """
                http, https or udp; http://HOST:PORT is enough; share and fetch announce to it (repeatable), the others \
                ask it
                """
        ),
        OptionEntry(
            name: .any,
            argument: .none,
            verbs: [.fetch],
            meaning: "whatever the tracker's catalogue has; a person is asked when there are several files"
        ),
        OptionEntry(
            name: .announceIP,
            argument: .text("IP|auto"),
            verbs: transfers + [.chunksRun],
            meaning: "the address that others should use (default: auto, what others and the router see of us)"
        ),
        OptionEntry(
            name: .database,
            argument: .text("URL"),
            verbs: [.trackerRun, .trackerUser],
            meaning: """
                sqlite:PATH (default: tracker.sqlite in the state folder) or postgres://USER@HOST/DB; several tracker \
                nodes may share one PostgreSQL database
                """
        ),
        OptionEntry(
            name: .accounts,
            argument: .none,
            verbs: [.trackerRun],
            meaning: "serve only who has an account and announces with its passkey"
        ),
        OptionEntry(
            name: .interval,
            argument: .text("SECONDS"),
            verbs: [.trackerRun],
            meaning: "how often peers announce (default: 1800); who is silent for twice as long is forgotten"
        ),
        OptionEntry(
            name: .minInterval,
            argument: .text("SECONDS"),
            verbs: [.trackerRun],
            meaning: "how often peers may announce (default: 900)"
        ),
        OptionEntry(
            name: .chunks,
            argument: .text("ADDR:PORT"),
            verbs: [.trackerRun],
            meaning: "speak the text protocol of chunk folders on this port as well, like :5100"
        ),
        OptionEntry(
            name: .allowList,
            argument: .path("FILE"),
            verbs: [.trackerRun],
            meaning: "serve only these info-hashes, one a line; read again when the file changes, and on SIGHUP"
        ),
        OptionEntry(
            name: .denyList,
            argument: .path("FILE"),
            verbs: [.trackerRun],
            meaning: "never serve these info-hashes, one a line; read again when the file changes, and on SIGHUP"
        ),
        OptionEntry(
            name: .ownURL,
            argument: .text("URL"),
            verbs: [.trackerRun],
            meaning: """
                where clients reach this tracker, for its page and for other nodes on its database, like \
                https://tracker.example (default: the address that it listens on)
                """
        ),
        OptionEntry(
            name: .proxy,
            argument: .text("ADDR"),
            isRepeatable: true,
            verbs: [.trackerRun],
            meaning: """
                a proxy in front, which says in X-Forwarded-For whose request it hands on; one on this machine need not be \
                named; repeatable
                """
        ),
        OptionEntry(
            name: .id,
            argument: .text("ID"),
            verbs: [.console],
            meaning: "what this peer is called (default: the name of the folder)"
        ),
        OptionEntry(
            name: .folder,
            argument: .folder("DIR"),
            verbs: [.console],
            meaning: "where files come from and go to (default: the current folder)"
        ),
        OptionEntry(
            name: .set,
            argument: .text("NAME"),
            verbs: [.chunksRun],
            meaning: "which set of chunks of the tracker (default: the one of its text protocol)"
        ),
        OptionEntry(
            name: .passwordFile,
            argument: .path("FILE"),
            verbs: accounts + [.console, .trackerUser],
            meaning: "the first line is the password; else SHOAL_PASSWORD, else a question"
        ),
        OptionEntry(
            name: .insecure,
            argument: .none,
            verbs: accounts + [.console],
            meaning: "send the password in the clear (http) to an address that is neither this machine nor private"
        ),
        OptionEntry(
            name: .admin,
            argument: .none,
            verbs: [.trackerUser],
            meaning: "with add: an account that may do everything"
        ),
        OptionEntry(
            name: .trace,
            argument: .path("FILE"),
            verbs: [.trackerRun, .chunksRun],
            meaning: "write one line a message to this file"
        ),
    ]

    private static let networkEntries: [OptionEntry] = [
        OptionEntry(
            name: .listen,
            argument: .text("ADDR:PORT"),
            verbs: network + [.trackerRun, .chunksRun],
            meaning: "TCP and UDP port; :0 picks one (default: 6881, then the next free one; a tracker's is 6969)"
        ),
        OptionEntry(
            name: .bootstrap,
            argument: .text("HOST:PORT"),
            isRepeatable: true,
            verbs: network,
            meaning: "join through this node; repeatable; replaces the file"
        ),
        OptionEntry(
            name: .bootstrapFile,
            argument: .path("FILE"),
            verbs: network,
            meaning:
                "join through the nodes of this file, one host:port a line (default: bootstrap-nodes.txt as installed)"
        ),
        OptionEntry(
            name: .noDHT,
            argument: .none,
            verbs: transfers + [.node, .console],
            meaning: "leave the distributed hash table out"
        ),
        OptionEntry(
            name: .noLAN,
            argument: .none,
            verbs: network,
            meaning: "leave discovery in the local network out (this version has none)"
        ),
        OptionEntry(
            name: .noPortMapping,
            argument: .none,
            verbs: transfers + [.node, .console],
            meaning: "do not ask the router to hand the port through (UPnP, NAT-PMP)"
        ),
    ]

    private static let generalEntries: [OptionEntry] = [
        OptionEntry(
            name: .state,
            argument: .folder("DIR"),
            verbs: Verb.allCases,
            meaning: "state folder (default: $XDG_STATE_HOME/shoal, else ~/.local/state/shoal)"
        ),
        OptionEntry(
            name: .json,
            argument: .none,
            verbs: Verb.allCases,
            meaning: "one JSON object a line on standard output"
        ),
        OptionEntry(name: .quiet, short: "q", argument: .none, verbs: Verb.allCases, meaning: "errors only"),
        OptionEntry(
            name: .verbose,
            short: "v",
            argument: .none,
            verbs: Verb.allCases,
            meaning: "say more: peers that come and go, the node's address"
        ),
        OptionEntry(
            name: .color,
            argument: .choice(["auto", "always", "never"]),
            verbs: Verb.allCases,
            meaning: "colours (default: auto; NO_COLOR is honoured)"
        ),
        OptionEntry(name: .help, short: "h", argument: .none, verbs: Verb.allCases, meaning: "explain and exit"),
    ]
}
