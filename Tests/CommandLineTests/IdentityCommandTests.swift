import Shoal
import TestSupport
import Testing
@testable import shoal

@Suite("shoal id")
struct IdentityCommandTests {
    let folder: TemporaryFolder
    var state: String { folder.path("state") }

    init() throws { folder = try TemporaryFolder() }

    /// Runs a command on a terminal or into a pipe.
    func run(_ words: [String], terminal: Bool = false, columns: Int = 80) async -> (
        code: Int32, console: ConsoleDouble
    ) {
        let console = ConsoleDouble(
            terminals: terminal ? [.standardOutput, .standardError] : [],
            variables: ["TERM": "xterm"],
            columns: columns
        )
        return (await Program.run(["id"] + words + ["--state", state], on: console), console)
    }

    @Test("shows no key where there is none, and makes none")
    func none() async {
        for words in [["show"], ["qr"], []] {
            let (code, console) = await run(words)
            #expect(code == 7)
            #expect(console.errors.contains("shoal id new"))
            #expect(console.output == "" && !folder.exists("state"))
        }
    }

    @Test("makes a key, shows it alone to a script, and all about it to a person")
    func shown() async throws {
        let made = await run(["new"])
        #expect(made.code == 0)
        let key = made.console.output.trimmingSuffix("\n")
        #expect(key.hasPrefix("sp1-") && key.count == 59)
        #expect(made.console.errors.contains("made a new key in '\(state)/identity.key'"))
        #expect(await run(["show"]).console.output == key + "\n")
        #expect(await run([]).console.output == key + "\n")

        let lines = await run(["show"], terminal: true).console.output.split(separator: "\n")
        let identity = try NodeIdentity(stateFolder: state)
        #expect(identity.key == key)
        #expect(
            lines == [
                "key   \(key)", "file  \(state)/identity.key", "made  \(DateText.utc(identity.created))",
                "node  \(identity.nodeID), until others tell a running node its address",
            ]
        )
    }

    @Test("says all of that in JSON, too, with whatever verb")
    func json() async throws {
        let made = await run(["new", "--json"]).console.output
        let identity = try NodeIdentity(stateFolder: state)
        let object =
            #"{"event":"identity","key":"\#(identity.key)","node_id":"\#(identity.nodeID)","#
            + #""file":"\#(state)/identity.key","created":\#(identity.created)}"# + "\n"
        #expect(made == object)
        #expect(await run(["show", "--json"]).console.output == object)
        #expect(await run(["qr", "--json"], terminal: true, columns: 20).console.output == object)
    }

    @Test("makes no second key, unless the first is put aside")
    func replaced() async throws {
        let first = await run(["new"]).console.output
        let refused = await run(["new"])
        #expect(refused.code == 6)
        #expect(refused.console.output == "" && refused.console.errors.contains("--replace"))
        #expect(await run(["show"]).console.output == first)

        let second = await run(["new", "--replace", "--json"]).console.output
        let aside = try #require(second.split(separator: "\"").last { $0.hasPrefix(state + "/identity.key.") })
        #expect(folder.exists("state" + aside.dropFirst(state.count)))
        #expect(await run(["show"]).console.output != first)
    }

    @Test("leaves the key of a node that runs alone, and shows it")
    func running() async throws {
        var configuration = Configuration()
        configuration.listen = .endpoint("127.0.0.1:0")
        configuration.bootstrap = []
        configuration.stateFolder = state
        let node = Node(configuration)
        try await node.start()
        let listening = try #require(await node.events.first { _ in true })
        guard case .listening(let who) = listening else { throw ShoalError(.failed, "no listening event") }
        #expect(who.keyOrigin == .kept)

        #expect(await run(["show"]).console.output == who.key + "\n")
        let refused = await run(["new", "--replace"])
        #expect(refused.code == 6 && refused.console.errors.contains("stop it first"))
        #expect(await run(["show"]).console.output == who.key + "\n")

        let second = Node(configuration)
        try await second.start()
        guard case .listening(let other) = await second.events.first(where: { _ in true }) else {
            throw ShoalError(.failed, "no listening event")
        }
        #expect(other.keyOrigin == .folderInUse && other.key != who.key)
        await second.stop()
        await node.stop()
        #expect(await run(["new", "--replace"]).code == 0)
    }

    @Test("draws the code only where its lines do not wrap, and says under it what it holds")
    func drawn() async {
        let key = await run(["new"]).console.output
        let code = QRCode(key.trimmingSuffix("\n"))
        let terminal = await run(["qr"], terminal: true, columns: 41)
        #expect(terminal.console.output == code.map { $0.lines(usesColor: true).joined(separator: "\n") + "\n" })
        #expect(terminal.console.errors == key)
        #expect(
            await run(["qr"]).console.output == code.map { $0.lines(usesColor: false).joined(separator: "\n") + "\n" }
        )
        #expect(await run(["qr", "--color", "always"]).console.output == terminal.console.output)
        let narrow = await run(["qr"], terminal: true, columns: 40)
        #expect(narrow.code == 1 && narrow.console.output == "" && narrow.console.errors.contains("41 columns"))
    }

    @Test("is wrong usage with an argument, with another verb, or with an option of others")
    func usage() async {
        for words in [
            ["show", "x"], ["frobnicate"], ["x"], ["show", "--replace"], ["qr", "x"], ["new", "--listen", ":0"],
        ] {
            #expect(await run(words).code == 2, "\(words)")
        }
        let homeless = ConsoleDouble()
        #expect(await Program.run(["id", "show"], on: homeless) == 2)
        #expect(homeless.errors.contains("--state"))
    }

    @Test("explains itself: the family where help is asked for, and one verb")
    func help() async {
        #expect(await run(["--help"]).console.output.contains("shoal id VERB"))
        #expect(await run(["new", "--help"]).console.output.contains("--replace"))
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}

@Suite("Dates")
struct DateTextTests {
    @Test(
        "are of UTC",
        arguments: [
            (0, "1970-01-01 00:00:00 UTC"), (1_795_292_130, "2026-11-21 20:15:30 UTC"),
            (951_827_696, "2000-02-29 12:34:56 UTC"),
        ]
    )
    func utc(seconds: Int64, text: String) {
        #expect(DateText.utc(seconds) == text)
    }
}
