import Glibc
import Shoal
import Testing
@testable import shoal

@Suite("The program")
struct ProgramTests {
    @Test("version, for people and for scripts")
    func version() async {
        let console = ConsoleDouble()
        #expect(await Program.run(["version"], on: console) == 0)
        #expect(await Program.run(["version", "--json"], on: console) == 0)
        #expect(console.output == "shoal 0.1.0\n" + #"{"event":"version","name":"shoal","version":"0.1.0"}"# + "\n")
        #expect(console.errors == "")
    }

    @Test("a wrong command line ends with 2, says why on standard error and, for scripts, on standard output")
    func wrongUsage() async {
        let console = ConsoleDouble()
        #expect(await Program.run(["fetch", "--json"], on: console) == 2)
        #expect(
            console.errors
                == "shoal: fetch needs WHAT; usage: shoal fetch [OPTION...] WHAT\nshoal help fetch explains\n"
        )
        #expect(
            console.output
                == #"{"event":"error","code":"usage","exit":2,"message":"fetch needs WHAT; usage: shoal fetch [OPTION...] WHAT"}"#
                + "\n"
        )
    }

    @Test("nothing asked for: the first screen on standard error, and 2")
    func nothing() async {
        let console = ConsoleDouble()
        #expect(await Program.run([], on: console) == 2)
        #expect(console.errors == Help.text(for: .program) && console.output == "")
    }

    @Test("an escape sequence in an argument does not come back")
    func escape() async {
        let console = ConsoleDouble()
        #expect(await Program.run(["\u{1B}[2J"], on: console) == 2)
        #expect(!console.errors.contains("\u{1B}"))
    }

    @Test(
        "wrong usage says where help is",
        arguments: [
            (["fetch", "--timeout"], "shoal help fetch explains"), (["dht", "x"], "shoal help dht explains"),
            (["x"], "shoal --help explains"), (["--json", "dht", "find"], "shoal help dht find explains"),
        ]
    )
    func helpHint(arguments: [String], hint: String) async {
        let console = ConsoleDouble()
        #expect(await Program.run(arguments, on: console) == 2)
        #expect(console.errors.hasSuffix("\n\(hint)\n"))
    }

    @Test("errors are red on a terminal, unless NO_COLOR is set")
    func colour() async {
        let colour = ConsoleDouble(terminals: [.standardError], variables: ["TERM": "xterm"])
        let plain = ConsoleDouble(terminals: [.standardError], variables: ["TERM": "xterm", "NO_COLOR": "1"])
        #expect(await Program.run(["fetch"], on: colour) == 2)
        #expect(await Program.run(["fetch"], on: plain) == 2)
        #expect(colour.errors.hasPrefix("\u{1B}[31mshoal:\u{1B}[0m fetch needs"))
        #expect(plain.errors.hasPrefix("shoal: fetch needs"))
    }

    @Test(
        "how progress looks follows the terminal, the options and the environment",
        arguments: [
            ([.standardError], "xterm", .auto, false, true, true),
            ([.standardError], "dumb", .auto, false, false, false),
            ([], "xterm", .auto, false, false, false), ([.standardOutput], "xterm", .auto, false, false, false),
            ([.standardError], "xterm", .never, false, true, false), ([], "xterm", .always, false, false, true),
            ([.standardError], "xterm", .auto, true, false, true),
        ] as [(Set<shoal.OutputStream>, String, ConsoleOptions.Color, Bool, Bool, Bool)]
    )
    func style(
        terminals: Set<shoal.OutputStream>,
        term: String,
        color: ConsoleOptions.Color,
        json: Bool,
        isLive: Bool,
        usesColor: Bool
    ) {
        let console = ConsoleDouble(terminals: terminals, variables: ["TERM": term])
        let style = console.style(for: ConsoleOptions(json: json, color: color))
        #expect(style == Display.Style(isLive: isLive, usesColor: usesColor))
    }

    @Test("every failure has the exit code of the contract")
    func exitCodes() {
        let codes = Dictionary(uniqueKeysWithValues: ShoalError.Code.allCases.map { ($0.rawValue, $0.exitCode) })
        #expect(
            codes == [
                "failed": 1, "usage": 2, "no_peers": 3, "timed_out": 3, "network": 4, "bad_data": 5, "files": 6,
                "not_found": 7, "login_refused": 8,
            ]
        )
    }

    @Test("the source of a fetch is read from its file")
    func source() throws {
        let console = ConsoleDouble(files: ["f": [1, 2]])
        #expect(try FetchTarget.file("f").source(on: console) == .torrent([1, 2]))
        #expect(try FetchTarget.infoHash(someHash).source(on: console) == .infoHash(someHash))
        #expect(throws: ShoalError.self) { try FetchTarget.file("g").source(on: console) }
    }
}

@Suite("The real console")
struct SystemConsoleTests {
    private let console = SystemConsole()

    @Test("reads a file up to its limit, and says why not")
    func reading() throws {
        let path = "/tmp/shoal-console-\(getpid())"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        defer { unlink(path) }
        let bytes = [UInt8](repeating: 7, count: 70_000)
        #expect(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
        close(descriptor)

        #expect(console.exists(path) && !console.exists(path + "-not"))
        #expect(try console.contents(of: path, limit: 70_000) == bytes)
        #expect(throws: ShoalError(.badData, "'\(path)' is larger than 68.4 KiB; nothing of its kind is")) {
            try console.contents(of: path, limit: 69_999)
        }
        #expect(throws: ShoalError(.notFound, "there is no file '\(path)-not'")) {
            try console.contents(of: path + "-not", limit: 1)
        }
        #expect(throws: ShoalError(.files, "cannot read '/tmp': Is a directory")) {
            try console.contents(of: "/tmp", limit: 1)
        }
    }

    @Test("saves a .torrent over another, and over nothing else")
    func saving() throws {
        let path = "/tmp/shoal-save-\(getpid())"
        defer { unlink(path) }
        try console.save(Array("d1:ai1ee".utf8), at: path)
        try console.save(Array("d1:ai2ee".utf8), at: path)
        #expect(try console.contents(of: path, limit: 10) == Array("d1:ai2ee".utf8))
        #expect(throws: ShoalError(.files, "cannot write '\(path)/x': Not a directory")) {
            try console.save([], at: path + "/x")
        }
        #expect(throws: ShoalError(.files, "cannot write '/tmp': Is a directory")) { try console.save([], at: "/tmp") }
        let descriptor = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)
        #expect(Glibc.write(descriptor, "data", 4) == 4)
        close(descriptor)
        #expect(throws: ShoalError(.files, "'\(path)' exists and is no .torrent; choose another name")) {
            try console.save(Array("d1:ai2ee".utf8), at: path)
        }
        #expect(try console.contents(of: path, limit: 10) == Array("data".utf8))
    }

    @Test("knows its environment and where the program is")
    func surroundings() {
        #expect(console.environment("PATH")?.isEmpty == false)
        #expect(console.environment("SHOAL_NO_SUCH_VARIABLE") == nil)
        #expect(console.programFolder?.hasPrefix("/") == true)
        #expect(console.columns > 0)
    }
}
