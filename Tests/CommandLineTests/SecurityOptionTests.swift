import Glibc
import Shoal
import TestSupport
import Testing

@testable import shoal

private let plainPeer = "192.0.2.7:6881"
private let pinnedPeer = "\(nodeKey)@node.example:6881"

@Suite("Whom to talk to")
struct SecurityOptionTests {
    private func configuration(
        _ arguments: [String],
        environment: [String: String] = [:],
        files: [String: String] = [:]
    ) throws -> Configuration {
        let console = ConsoleDouble(files: files.mapValues { Array($0.utf8) })
        let invocation = try read(arguments, environment: environment)
        let network = try #require(invocation.fetch?.network ?? invocation.share?.network)
        return try network.configuration(on: console)
    }

    @Test("secure sessions are preferred unless the person says otherwise, on share as on fetch")
    func policy() throws {
        for start in [["fetch", someHash], ["share", "x"]] {
            #expect(try configuration(start).sessions.secure == .prefer)
            for policy in Configuration.SecurePolicy.allCases {
                #expect(try configuration(start + ["--secure", policy.rawValue]).sessions.secure == policy)
                #expect(
                    try configuration(start, environment: ["SHOAL_SECURE": policy.rawValue]).sessions.secure == policy
                )
            }
        }
    }

    @Test("peers with a key and without one are passed on as they were given")
    func peers() throws {
        let fetch = try read(["fetch", someHash, "--peer", plainPeer, "--peer", pinnedPeer]).fetch
        #expect(fetch?.options.peers == [plainPeer, pinnedPeer])
        let share = try read(["share", "x"], environment: ["SHOAL_PEER": "\(pinnedPeer),\(plainPeer)"]).share
        #expect(share?.request.peers == [pinnedPeer, plainPeer])
        // A host may have any name.
        #expect(try read(["fetch", someHash, "--peer", "sp1-x.example:1"]).fetch?.options.peers == ["sp1-x.example:1"])
    }

    @Test("a trust list and the file of a swarm's key")
    func files() throws {
        let files = ["friends": "# mine\n\(nodeKey) # desk\r\n\n"]
        let trusting = try configuration(["fetch", someHash, "--trust", "friends"], files: files).sessions
        #expect(trusting.trustedKeys == [nodeKey] && trusting.swarmKeyFile == nil && trusting.secure == .prefer)
        let swarm = try configuration(["share", "x", "--swarm-key=family.key", "--secure=require"]).sessions
        #expect(swarm.trustedKeys == nil && swarm.swarmKeyFile == "family.key" && swarm.secure == .require)
        #expect(throws: ShoalError(.notFound, "there is no file 'enemies'")) {
            try configuration(["fetch", someHash], environment: ["SHOAL_TRUST": "enemies"])
        }
    }

    @Test(
        "wrong values are wrong usage, and the message says what to do",
        arguments: [
            (["--secure", "of"], "--secure must be one of prefer, require, off, not 'of'; did you mean off?"),
            (
                ["--peer", "sp1-abc@192.0.2.1:5"],
                "--peer: the key 'sp1-abc' has 3 characters behind sp1-, not 55; copy what shoal id show prints there"
            ),
            (["--peer", "me@192.0.2.1:5"], "--peer: the key 'me' does not begin with sp1-"),
            (["--peer", "@192.0.2.1:5"], "--peer: the key '' does not begin with sp1-"),
            (
                ["--peer", "sp1-boqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4j2ja@192.0.2.1:5"],
                "--peer: the key 'sp1-boqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4j2ja' has a slip in it"
            ),
            (["--peer", "\(nodeKey)@192.0.2.1"], "--peer: '192.0.2.1' is not HOST:PORT"),
            (["--peer", "\(nodeKey)@a@b:1"], "--peer: 'a@b:1' is not HOST:PORT"),
            (["--trust="], "--trust is empty"), (["--swarm-key="], "--swarm-key is empty"),
            (
                ["--secure=off", "--trust", "f"],
                "--secure off leaves only plain sessions, which cannot prove a key, and --trust needs secure ones"
            ),
            (
                ["--secure=off", "--swarm-key", "f"],
                "--secure off leaves only plain sessions, which cannot prove a key, and --swarm-key needs secure ones"
            ),
            (
                ["--secure=off", "--peer", plainPeer, "--peer", pinnedPeer],
                "--secure off leaves only plain sessions, which cannot prove a key, and the key of --peer needs secure"
            ),
        ]
    )
    func wrongUsage(options: [String], beginning: String) throws {
        for start in [["fetch", someHash], ["share", "x"]] {
            let error = try #require(refusal(start + options))
            #expect(error.code == .usage)
            #expect(error.message.hasPrefix(beginning), "\(error.message)")
        }
    }

    @Test("plain peers go with --secure off, and nothing of this with a verb that has no sessions")
    func combinations() {
        #expect(refusal(["fetch", someHash, "--secure=off", "--peer", plainPeer]) == nil)
        for option in ["--secure=require", "--trust=f", "--swarm-key=f"] {
            #expect(refusal(["node", option])?.code == .usage)
            #expect(refusal(["dht", "stats", option])?.code == .usage)
        }
        #expect(refusal(["node"], environment: ["SHOAL_SECURE": "nonsense"]) == nil)
    }
}

@Suite("Without secure sessions")
struct InsecureTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("--secure off says at the start that it is for measurements, to a person and in JSON, and nothing else does")
    func warning() async {
        let words = ["fetch", someHash, "--no-dht", "--listen", "127.0.0.1:0", "--timeout", "0.1", "--state"]
        for (options, isWarned) in [(["--secure", "off"], true), (["--secure", "require"], false), ([], false)] {
            let person = ConsoleDouble(variables: ["TERM": "xterm"])
            #expect(await Program.run(words + [folder.path("state")] + options, on: person) == 3)
            #expect(person.errors.hasPrefix("--secure off: sessions are plain") == isWarned)
            let script = ConsoleDouble()
            #expect(await Program.run(words + [folder.path("state"), "--json"] + options, on: script) == 3)
            #expect(script.output.hasPrefix(#"{"event":"notice","message":"--secure off: "#) == isWarned)
        }
    }
}

@Suite("Trust lists")
struct TrustListTests {
    private static let otherKey = "sp1-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

    private func refusal(_ text: String) -> ShoalError? {
        do throws(ShoalError) {
            _ = try TrustList.parse(text, name: "friends")
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "one key a line, each once; comments, empty lines, any line ends",
        arguments: [
            nodeKey, "\n\n\(nodeKey)\n", "  \(nodeKey)\t# desk", "#\n\(nodeKey)\r\n\(nodeKey)#again",
            "# a\r\(nodeKey)\r",
        ]
    )
    func keys(text: String) throws {
        #expect(try TrustList.parse(text, name: "friends") == [nodeKey])
    }

    @Test(
        "a malformed line is named by its number",
        arguments: [
            ("\(nodeKey)\n\nsp1-x\n", "friends, line 3: 'sp1-x' has 1 characters behind sp1-, not 55; one key a line"),
            ("# a\n\(nodeKey) \(nodeKey)", "friends, line 2: '\(nodeKey) \(nodeKey)' has 115 characters behind sp1-"),
            (nodeKey.uppercased(), "friends, line 1: '\(nodeKey.uppercased())' does not begin with sp1-"),
            (otherKey, "friends, line 1: '\(otherKey)' has a slip in it"), ("\u{FEFF}\(nodeKey)", "friends, line 1: '"),
            ("\u{0}", "friends, line 1: '"),
        ]
    )
    func malformed(text: String, beginning: String) throws {
        let error = try #require(refusal(text))
        #expect(error.code == .usage)
        #expect(error.message.hasPrefix(beginning), "\(error.message)")
    }

    @Test("an empty list would refuse everybody, and is refused", arguments: ["", "\n", "# nobody\n  \n"])
    func empty(text: String) {
        #expect(refusal(text)?.code == .usage)
        #expect(refusal(text)?.message.hasPrefix("friends holds no key, so every peer would be refused") == true)
    }

    @Test("ten thousand lines, and no more")
    func limit() throws {
        let lines = String(repeating: "#\n", count: TrustList.lineLimit - 1)
        #expect(try TrustList.parse(lines + nodeKey, name: "friends") == [nodeKey])
        #expect(
            refusal(lines + nodeKey + "\n#")?.message.hasPrefix("friends, line 10001: a trust list has at most") == true
        )
    }
}

@Suite("shoal id swarm-key")
struct SwarmKeyCommandTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func run(_ words: [String]) async -> (code: Int32, console: ConsoleDouble) {
        let console = ConsoleDouble(variables: ["TERM": "xterm"])
        return (await Program.run(["id", "swarm-key"] + words, on: console), console)
    }

    @Test("makes a key of 32 bytes that only its owner can read, and says what to do with it")
    func made() async throws {
        let path = folder.path("family.key")
        let (code, console) = await run(["new", path])
        #expect(code == 0 && console.output == "")
        #expect(console.errors.hasPrefix("made a new swarm key in '\(path)'; give a copy to each member, in secret"))
        var status = stat()
        try #require(stat(path, &status) == 0)
        #expect(status.st_size == 32 && status.st_mode & 0o7777 == 0o600)
    }

    @Test("with --json an object, with -q nothing")
    func quiet() async {
        let path = folder.path("a")
        #expect(
            await run(["new", path, "--json"]).console.output == #"{"event":"swarm_key","file":"\#(path)"}"# + "\n"
        )
        let console = await run(["new", folder.path("b"), "-q"]).console
        #expect(console.output == "" && console.errors == "")
    }

    @Test("never writes over a file, and fails where there is no folder")
    func refused() async throws {
        try folder.write([1, 2, 3], to: "taken")
        let taken = await run(["new", folder.path("taken")])
        #expect(taken.code == 6 && taken.console.errors.contains("a key is never written over"))
        #expect(
            try #require(
                fopen(folder.path("taken"), "r").map { file in
                    defer { fclose(file) }
                    return fgetc(file)
                }
            ) == 1
        )
        #expect(await run(["new", folder.path("no/folder")]).code == 6)
    }

    @Test("is wrong usage without `new FILE`")
    func usage() async {
        for words in [
            [], ["new"], ["show", "f"], ["new", "f", "g"], ["f", "new"], ["new", ""], ["new", "f", "--replace"],
        ] {
            #expect(await run(words).code == 2, "\(words)")
        }
        let (_, console) = await run(["nwe", "f"])
        #expect(console.errors.contains("id swarm-key has no verb 'nwe'; did you mean new? (it has: new FILE)"))
    }
}
