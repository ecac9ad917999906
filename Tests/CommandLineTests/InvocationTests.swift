@testable import shoal
import Shoal
import Testing

let someHash = "0123456789abcdef0123456789abcdef01234567"
let someKey = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/// Reads a command line, with variables and files that the test names.
func read(
    _ arguments: [String],
    environment: [String: String] = [:],
    files: Set<String> = []
) throws(ShoalError) -> Invocation {
    try InvocationReader.read(arguments, environment: { environment[$0] }, exists: { files.contains($0) })
}

/// What `read` refuses, or `nil` when it understood.
func refusal(
    _ arguments: [String],
    environment: [String: String] = [:],
    files: Set<String> = []
) -> ShoalError? {
    do {
        _ = try read(arguments, environment: environment, files: files)
        return nil
    } catch {
        return error
    }
}

let long65 = String(repeating: "x", count: 65)

extension Invocation {
    var fetch: Fetch? { if case .fetch(let fetch) = command { fetch } else { nil } }
    var share: Share? { if case .share(let share) = command { share } else { nil } }
}

@Suite("Reading a command line")
struct InvocationTests {
    @Test("share understands its options")
    func share() throws {
        let invocation = try read([
            "share", "a", "--name", "n", "--piece-length=1M", "--private", "b", "--save-torrent", "n.torrent",
            "--limit-up", "2M", "--peer", "192.0.2.7:1", "--peer=[::1]:2",
        ])
        var request = ShareRequest(paths: ["a", "b"])
        request.name = "n"
        request.pieceLength = 1 << 20
        request.isPrivate = true
        request.peers = ["192.0.2.7:1", "[::1]:2"]
        var network = Network()
        network.uploadLimit = 2 << 20
        #expect(invocation.share == .init(request: request, saveTorrent: "n.torrent", network: network))
        #expect(invocation.console == ConsoleOptions())
    }

    @Test("fetch understands its options")
    func fetch() throws {
        let invocation = try read([
            "fetch", someHash, "-o", "out/", "--only", "*.txt", "--only", "b*", "--sequential", "--seed", "--timeout",
            "1.5", "--limit-down", "1G", "--listen", "127.0.0.1:0", "--bootstrap", "node.example:6881", "--no-lan",
            "--state", "/s", "--secure", "off", "-qv", "--color=never",
        ])
        var options = FetchOptions()
        options.output = "out/"
        options.only = ["*.txt", "b*"]
        options.sequential = true
        var network = Network()
        network.listen = .endpoint("127.0.0.1:0")
        network.bootstrap = .nodes(["node.example:6881"])
        network.usesLAN = false
        network.stateFolder = "/s"
        network.secure = .off
        network.downloadLimit = 1 << 30
        #expect(
            invocation.fetch
                == .init(
                    target: .infoHash(someHash),
                    options: options,
                    keepsSharing: true,
                    timeout: .milliseconds(1500),
                    network: network
                )
        )
        #expect(invocation.console == ConsoleOptions(isQuiet: true, isVerbose: true, color: .never))
    }

    @Test(
        "the smaller verbs",
        arguments: [
            (["dht", "ping", "127.0.0.1:9"], .dht(.init(kind: .ping("127.0.0.1:9"), network: Network()))),
            (
                ["dht", "find", someHash, "--timeout=3s"],
                .dht(.init(kind: .find(someHash), timeout: .seconds(3), network: Network()))
            ),
            (["dht", "get-peers", someHash], .dht(.init(kind: .peers(someHash), network: Network()))),
            (["dht", "table"], .dht(.init(kind: .table, network: Network()))),
            (["dht", "stats"], .dht(.init(kind: .stats, network: Network()))),
            (["dht", "have", someHash], .dht(.init(kind: .have(someHash), network: Network()))),
            (["dht", "scrape", someHash], .dht(.init(kind: .scrape(someHash), network: Network()))),
            (["dht", "sample"], .dht(.init(kind: .sample(nil), network: Network()))),
            (["dht", "sample", someHash], .dht(.init(kind: .sample(someHash), network: Network()))),
            (["dht", "put", "hello"], .dht(.init(kind: .put(.text("hello"), nil), network: Network()))),
            (
                ["dht", "put", "--file=-", "--key", "k", "--salt", "s", "--seq=7", "--cas", "6"],
                .dht(
                    .init(
                        kind: .put(.file("-"), .init(keyFile: "k", salt: "s", sequence: 7, replacing: 6)),
                        network: Network()
                    )
                )
            ),
            (
                ["dht", "get", someHash, "--salt=s", "--raw"],
                .dht(.init(kind: .get(someHash, salt: "s", raw: true), network: Network()))
            ),
            (
                ["dht", "get", someKey],
                .dht(.init(kind: .get(someKey, salt: "", raw: false), network: Network()))
            ),
            (["torrent", "create", "a", "-of"], .torrent(.create(ShareRequest(paths: ["a"]), output: "f"))),
            (["torrent", "show", "f"], .torrent(.show("f"))),
            (["torrent", "magnet", "f"], .torrent(.magnet("f"))),
            (["torrent", "verify", "f"], .torrent(.verify(torrent: "f", data: "."))),
            (["torrent", "verify", "f", "d"], .torrent(.verify(torrent: "f", data: "d"))),
            (["node"], .node(Network())),
            (["completions", "zsh"], .completions(.zsh)),
            (["man"], .man), (["version"], .version), (["--version"], .version),
            (["help"], .help(.program)), (["-h"], .help(.program)), (["--help"], .help(.program)),
            (["help", "dht"], .help(.family("dht"))), (["dht", "--help"], .help(.family("dht"))),
            (["help", "dht", "find"], .help(.verb(.dhtFind))), (["dht", "find", "-h"], .help(.verb(.dhtFind))),
            (["fetch", "--seed", "--help"], .help(.verb(.fetch))),
        ] as [([String], Invocation.Command)]
    )
    func verbs(arguments: [String], command: Invocation.Command) throws {
        #expect(try read(arguments).command == command)
    }

    @Test("share --update names the key file and the salt")
    func update() throws {
        let share = try #require(try read(["share", "x", "--update", "k", "--salt", "blog"]).share)
        #expect(share.update == .init(keyFile: "k", salt: "blog"))
        #expect(try read(["share", "x"]).share?.update == nil)
    }

    @Test("options may stand before the verb, and -- ends them")
    func order() throws {
        #expect(try read(["--json", "--state", "fetch", "node"]).console.json)
        #expect(try read(["share", "--", "--json", "-q"]).share?.request.paths == ["--json", "-q"])
        #expect(try read(["share", "-"]).share?.request.paths == ["-"])
        #expect(refusal(["--", "share", "x"])?.code == .usage)
    }

    @Test("the last of several values counts")
    func last() throws {
        #expect(try read(["fetch", someHash, "-oa", "--output=b"]).fetch?.options.output == "b")
    }

    @Test(
        "wrong usage is named, with the word that was probably meant",
        arguments: [
            (["fetch", "--ouput", "x", "y"], "fetch has no option --ouput; did you mean --output?"),
            (["fetch", "-x"], "fetch has no option -x"),
            (["--jsno", "node"], "there is no option --jsno; did you mean --json?"),
            (["fecth", "x"], "there is no verb 'fecth'; did you mean fetch?"),
            (["frobnicate"], "there is no verb 'frobnicate'; shoal share PATH shares"),
            (["dht", "pnig"], "dht has no verb 'pnig'; did you mean ping?"),
            (["dht"], "dht needs one of: ping, find, get-peers, have, scrape, put, get, sample, table, stats"),
            (["fetch"], "fetch needs WHAT; usage: shoal fetch [OPTION...] WHAT"),
            (["fetch", "a", "b"], "fetch takes WHAT, but 2 arguments were given; usage: shoal fetch"),
            (["node", "x"], "node takes no argument, but 'x' was given"),
            (["share", "--seed", "x"], "--seed does not go with share; it belongs to: fetch"),
            (["fetch", "--output"], "--output needs a value: --output=PATH"),
            (["fetch", "--output", "--json", "x"], "--output needs a value"),
            (["fetch", "x", "-o"], "-o needs a value"),
            (["node", "--json=1"], "--json takes no value"),
            (["share", ""], "an argument is empty"),
            (["share", "x", "--name="], "--name is empty"),
            (["share", "a", "b", "--torrent", "t"], "--torrent goes with one PATH"),
            (["share", "a", "--name", "n", "--torrent", "t"], "--name makes a new torrent"),
            (["fetch", someHash, "--stdout", "--json"], "--stdout and --json both write to standard output"),
            (["fetch", someHash, "--limit-up", "0"], "--limit-up: 0 would stop everything"),
            (["fetch", someHash, "--limit-up", "fast"], "--limit-up: 'fast' is not bytes a second"),
            (["fetch", someHash, "--timeout", "0"], "--timeout: '0' is not a number of seconds above 0"),
            (["fetch", someHash, "--peer", "host"], "--peer: 'host' is not HOST:PORT"),
            (["share", "x", "--piece-length", "3M"], "--piece-length: '3M' is not a power of two"),
            (["share", "x", "--piece-length", "8K"], "--piece-length: '8K' is not a power of two from 16K"),
            (["node", "--listen", "host:1"], "--listen: 'host:1' is not ADDR:PORT with a numeric address"),
            (["node", "--listen", "6881"], "--listen: '6881' is not ADDR:PORT"),
            (["node", "--bootstrap", "host:0"], "--bootstrap: 'host:0' is not HOST:PORT"),
            (["dht", "ping", "x"], "NODE: 'x' is not HOST:PORT"),
            (["dht", "put"], "put needs VALUE or --file FILE"),
            (["dht", "put", "v", "--file", "f"], "put takes VALUE or --file FILE, not both"),
            (["dht", "put", "v", "--salt", "s"], "--salt is for a value that is signed"),
            (["dht", "put", "v", "--seq", "1"], "--seq is for a value that is signed"),
            (["dht", "put", "v", "--key", "k", "--seq", "-1"], "--seq: '-1' is not a whole number"),
            (["dht", "put", "v", "--key", "k", "--cas", "9223372036854775808"], "--cas: '9223372036854775808' is not"),
            (["dht", "put", "v", "--key", "k", "--salt", long65], "--salt: a salt has at most 64 bytes"),
            (["dht", "get", "abc"], "NAME: 'abc' is neither a target (40 hexadecimal digits) nor a public key (64)"),
            (["dht", "get", someHash, "--raw", "--json"], "--raw and --json both write to standard output"),
            (["dht", "scrape", "x"], "INFOHASH: 'x' is neither 40 hexadecimal nor 32 base32 digits"),
            (["dht", "have", "x"], "INFOHASH: 'x' is neither"),
            (["dht", "sample", "x"], "ID: 'x' is neither"),
            (["share", "x", "--salt", "s"], "--salt goes with --update KEYFILE"),
            (["share", "x", "--update", "k", "--private"], "--update publishes in the DHT, where a private torrent"),
            (["share", "x", "--update", "k", "--no-dht"], "--update publishes in the DHT, which --no-dht leaves out"),
            (["fetch", someHash, "--every", "0"], "--every: '0' is not a number of seconds above 0"),
            (["dht", "get-peers", "x"], "INFOHASH: 'x' is neither 40 hexadecimal nor 32 base32 digits"),
            (["completions", "bsh"], "completions must be one of bash, zsh, fish, not 'bsh'; did you mean bash?"),
            (["node", "--color", "red"], "--color must be one of auto, always, never, not 'red'"),
            (["help", "fecth"], "there is no verb 'fecth'; did you mean fetch?"),
        ]
    )
    func wrongUsage(arguments: [String], beginning: String) throws {
        let error = try #require(refusal(arguments))
        #expect(error.code == .usage)
        #expect(error.message.hasPrefix(beginning), "\(error.message)")
    }

    @Test(
        "addresses to listen on",
        arguments: [
            (":0", ":0"), (":9090", ":9090"), ("0.0.0.0:1", "0.0.0.0:1"), ("127.0.0.1:6881", "127.0.0.1:6881"),
            ("localhost:1", "127.0.0.1:1"), ("[::1]:80", "[::1]:80"),
        ]
    )
    func listen(text: String, endpoint: String) throws {
        guard case .node(let network) = try read(["node", "--listen", text]).command else {
            Issue.record("not a node")
            return
        }
        #expect(network.listen == .endpoint(endpoint))
    }
}

@Suite("The environment")
struct EnvironmentTests {
    @Test("every option but --help has a variable, and the command line wins over it")
    func variables() throws {
        let environment = [
            "SHOAL_OUTPUT": "env", "SHOAL_PEER": "192.0.2.1:1,192.0.2.2:2", "SHOAL_JSON": "on", "SHOAL_NO_DHT": "1",
            "SHOAL_LIMIT_DOWN": "1K", "SHOAL_SEED": "no", "SHOAL_TIMEOUT": "", "SHOAL_PIECE_LENGTH": "3",
        ]
        let fetch = try #require(try read(["fetch", someHash], environment: environment).fetch)
        #expect(fetch.options.output == "env")
        #expect(fetch.options.peers == ["192.0.2.1:1", "192.0.2.2:2"])
        #expect(!fetch.network.usesDHT && fetch.network.downloadLimit == 1024)
        #expect(!fetch.keepsSharing && fetch.timeout == nil)
        let other = try read(
            ["fetch", someHash, "-o", "mine", "--peer", "192.0.2.3:3", "--limit-down", "2K"],
            environment: environment
        )
        #expect(other.fetch?.options.output == "mine")
        #expect(other.fetch?.options.peers == ["192.0.2.3:3"])
        #expect(other.fetch?.network.downloadLimit == 2048 && other.console.json)
    }

    @Test("a bad value names the variable")
    func blame() {
        #expect(
            refusal(["node"], environment: ["SHOAL_NO_DHT": "maybe"])?.message
                == "SHOAL_NO_DHT must be on or off, not 'maybe'"
        )
        #expect(refusal(["node"], environment: ["SHOAL_LISTEN": "x"])?.message.hasPrefix("SHOAL_LISTEN: 'x'") == true)
    }

    @Test("a bootstrap file on the command line wins over nodes in the environment")
    func bootstrap() throws {
        func source(_ arguments: [String], _ environment: [String: String]) throws -> Network.Bootstrap? {
            guard case .node(let network) = try read(["node"] + arguments, environment: environment).command else {
                return nil
            }
            return network.bootstrap
        }
        let environment = ["SHOAL_BOOTSTRAP": "a:1,b:2", "SHOAL_BOOTSTRAP_FILE": "g"]
        #expect(try source([], [:]) == .installed)
        #expect(try source([], environment) == .nodes(["a:1", "b:2"]))
        #expect(try source(["--bootstrap-file", "f"], environment) == .file("f"))
        #expect(try source(["--bootstrap-file", "f", "--bootstrap", "c:3"], environment) == .nodes(["c:3"]))
    }

    @Test(
        "the state folder follows XDG",
        arguments: [
            (["HOME": "/h"], "/h/.local/state/shoal"), (["HOME": "/h", "XDG_STATE_HOME": "/x"], "/x/shoal"),
            (["HOME": "/h", "XDG_STATE_HOME": "relative"], "/h/.local/state/shoal"), ([:], nil),
            (["HOME": "/h", "SHOAL_STATE": "/s"], "/s"),
        ] as [([String: String], String?)]
    )
    func state(environment: [String: String], folder: String?) throws {
        #expect(try read(["node"], environment: environment).command == .node(Network(stateFolder: folder)))
    }

    @Test("NO_COLOR means never, unless --color says otherwise")
    func color() throws {
        #expect(try read(["node"], environment: ["NO_COLOR": "1"]).console.color == .never)
        #expect(try read(["node"], environment: ["NO_COLOR": ""]).console.color == .auto)
        #expect(try read(["node", "--color", "always"], environment: ["NO_COLOR": "1"]).console.color == .always)
    }

    @Test("limits on loopback are a matter of the environment alone")
    func localLimits() throws {
        #expect(
            try read(["node"], environment: ["SHOAL_LOCAL_LIMITS": "on"]).command == .node(Network(localLimits: true))
        )
    }
}

@Suite("What to fetch")
struct FetchTargetTests {
    @Test(
        "links, hashes and files are told apart",
        arguments: [
            ("magnet:?xt=urn:btih:\(someHash)", .magnet("magnet:?xt=urn:btih:\(someHash)")),
            ("MAGNET:?XT=urn:btih:\(someHash)", .magnet("MAGNET:?XT=urn:btih:\(someHash)")),
            (
                "magnet:?xs=urn:btpk:\(someKey)&s=6e", .published("magnet:?xs=urn:btpk:\(someKey)&s=6e")
            ),
            (someHash, .infoHash(someHash)),
            ("AAAABBBBCCCCDDDDEEEEFFFFGGGG2345", .infoHash("AAAABBBBCCCCDDDDEEEEFFFFGGGG2345")),
            ("a.torrent", .file("a.torrent")), ("./name@host:1", .file("./name@host:1")),
            ("https://example.org/a.torrent", .url("https://example.org/a.torrent")),
            ("f.bin@tracker.example:6969", .named("f.bin", tracker: "http://tracker.example:6969")),
            ("a@b@[::1]:6969", .named("a@b", tracker: "http://[::1]:6969")),
            ("f@https://tracker.example", .named("f", tracker: "https://tracker.example")),
        ] as [(String, FetchTarget)]
    )
    func kinds(text: String, target: FetchTarget) throws {
        #expect(try FetchTarget(text) { ["a.torrent", "./name@host:1"].contains($0) } == target)
    }

    @Test(
        "everything else is refused with what to do",
        arguments: [
            ("f.bin@udp://tracker.example:6969", .notFound, "there is no file 'f.bin@udp:"),
            ("f.bin@tracker.example", .usage, "'f.bin@tracker.example' is no magnet link"),
            ("@tracker.example:6969", .usage, "'@tracker.example:6969' is no magnet link"),
            (
                String(someHash.dropLast()), .usage,
                "'\(someHash.dropLast())' has 39 hexadecimal digits; an info-hash has 40"
            ),
            ("missing.torrent", .notFound, "there is no file 'missing.torrent'"),
            ("/no/such", .notFound, "there is no file '/no/such'"),
            ("magnet:?dn=x", .usage, "the magnet link names no torrent"),
            ("magnet:", .usage, "not a magnet link"),
            ("magnet:?xt=urn:btih:x", .usage, ""),
            ("zzz", .usage, "'zzz' is no magnet link, no info-hash"),
        ] as [(String, ShoalError.Code, String)]
    )
    func refused(text: String, code: ShoalError.Code, beginning: String) throws {
        let error = try #require(refusal(["fetch", text]))
        #expect(error.code == code)
        #expect(error.message.hasPrefix(beginning), "\(error.message)")
    }
}
