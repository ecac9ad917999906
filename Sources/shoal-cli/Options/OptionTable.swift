extension OptionEntry {
    /// Every option, in the order in which help lists them.
    static let all: [OptionEntry] =
        fileEntries + itemEntries + identityEntries + transferEntries + networkEntries + generalEntries

    /// The options that go with a verb.
    static func entries(for verb: Verb) -> [OptionEntry] { all.filter { $0.verbs.contains(verb) } }

    private static let transfers: [Verb] = [.share, .fetch]
    private static let questions: [Verb] = [
        .dhtPing, .dhtFind, .dhtGetPeers, .dhtHave, .dhtScrape, .dhtPut, .dhtGet, .dhtSample, .dhtTable, .dhtStats,
    ]
    private static let network: [Verb] = transfers + [.node] + questions
    private static let makers: [Verb] = [.share, .torrentCreate]

    private static let fileEntries: [OptionEntry] = [
        OptionEntry(
            name: .output,
            short: "o",
            argument: .path("PATH"),
            verbs: [.fetch, .torrentCreate],
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
        OptionEntry(name: .name, argument: .text("NAME"), verbs: makers, meaning: "name of the torrent"),
        OptionEntry(
            name: .pieceLength,
            argument: .text("SIZE"),
            verbs: makers,
            meaning: "bytes in a piece, a power of two from 16K to 256M (default: by size)"
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

    private static let networkEntries: [OptionEntry] = [
        OptionEntry(
            name: .listen,
            argument: .text("ADDR:PORT"),
            verbs: network,
            meaning: "TCP and UDP port; :0 picks one (default: 6881, then the next free one)"
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
            verbs: transfers + [.node],
            meaning: "leave the distributed hash table out"
        ),
        OptionEntry(
            name: .noLAN,
            argument: .none,
            verbs: network,
            meaning: "leave discovery in the local network out (this version has none)"
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
