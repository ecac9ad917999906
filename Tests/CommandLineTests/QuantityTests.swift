@testable import shoal
import Shoal
import Testing

@Suite("Numbers on a command line")
struct QuantityTests {
    @Test(
        "sizes",
        arguments: [
            ("0", 0), ("1", 1), ("1b", 1), ("16K", 16_384), ("16kib", 16_384), ("16KB", 16_384), ("1.5M", 1_572_864),
            ("2g", 2 << 30), ("0.5K", 512),
        ]
    )
    func sizes(text: String, bytes: Int) {
        #expect(Quantity.byteCount(text) == bytes)
    }

    @Test(
        "what is no size is refused",
        arguments: [
            "", "K", "-1", "+1", "1e5", "0x10", "nan", "inf", ".5", "5.", "1.2.3", "1 K", "1T", "1MM", "١",
            "99999999999999999999999", "9999999999G",
        ]
    )
    func noSizes(text: String) {
        #expect(Quantity.byteCount(text) == nil)
    }

    @Test("times", arguments: [("1", 1000), ("0.25", 250), ("90s", 90_000), ("0", 0)])
    func times(text: String, milliseconds: Int) {
        #expect(Quantity.seconds(text) == .milliseconds(milliseconds))
    }

    @Test("what is no time is refused", arguments: ["", "s", "-1", "1m", "1e3", "99999999999"])
    func noTimes(text: String) {
        #expect(Quantity.seconds(text) == nil)
    }

    @Test(
        "edits are counted",
        arguments: [
            ("fetch", "fetch", 0), ("fecth", "fetch", 1), ("seed", "sent", 2), ("", "abc", 3), ("abc", "", 3),
            ("ouput", "output", 1), ("kitten", "sitting", 3),
        ]
    )
    func edits(first: String, second: String, distance: Int) {
        #expect(Suggestion.editDistance(first, second) == distance)
    }

    @Test("a word far from all is not guessed at")
    func noSuggestion() {
        #expect(Suggestion.nearest(to: "--xyzzy", among: ["--json", "--seed"]) == nil)
        #expect(Suggestion.nearest(to: String(repeating: "x", count: 1_000_000), among: ["--json"]) == nil)
    }
}

@Suite("Bootstrap files")
struct BootstrapListTests {
    @Test("one node a line; comments, empty lines, spaces and repetitions do not count")
    func parse() throws {
        let text = "# ours\n\nnode.example:6881\r\n  127.0.0.1:1  # second\n[::1]:2\nnode.example:6881\n"
        #expect(
            try BootstrapList.parse(text, name: "f") == ["node.example:6881", "127.0.0.1:1", "[::1]:2"]
        )
        #expect(try BootstrapList.parse("", name: "f") == [])
    }

    @Test("an error names file and line")
    func line() {
        #expect(throws: ShoalError(.usage, "f, line 3: 'no port' is not host:port")) {
            try BootstrapList.parse("a:1\n# b\nno port\n", name: "f")
        }
        let long = (0...BootstrapList.entryLimit).map { "h\($0):1" }.joined(separator: "\n")
        #expect(throws: ShoalError(.usage, "f, line 1001: more than 1000 nodes")) {
            try BootstrapList.parse(long, name: "f")
        }
    }

    @Test("the nodes come from the option, the named file, or the file beside the program")
    func sources() throws {
        let files = ["mine": Array("a:1".utf8), "/repo/bootstrap-nodes.txt": Array("b:2".utf8)]
        let console = ConsoleDouble(files: files, programFolder: "/repo/.build/x86_64/release")
        func nodes(_ network: Network) throws -> [String] { try network.configuration(on: console).bootstrap }
        #expect(try nodes(Network(bootstrap: .nodes(["c:3"]))) == ["c:3"])
        #expect(try nodes(Network(bootstrap: .file("mine"))) == ["a:1"])
        #expect(try nodes(Network()) == ["b:2"])
        #expect(try nodes(Network(bootstrap: .file("missing"), usesDHT: false)) == [])
        #expect(throws: ShoalError(.notFound, "there is no file 'missing'")) {
            try nodes(Network(bootstrap: .file("missing")))
        }
    }

    @Test("a planted file further up is not read")
    func planted() {
        #expect(
            Network.installedFiles(programFolder: "/tmp/x/bin")
                == ["/tmp/x/bin/bootstrap-nodes.txt", "/tmp/x/bin/../share/shoal/bootstrap-nodes.txt"]
        )
    }

    @Test("the list that ships names the public routers")
    func shipped() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let bytes = try SystemConsole().contents(of: "/\(root)/bootstrap-nodes.txt", limit: BootstrapList.fileLimit)
        #expect(
            try BootstrapList.parse(String(decoding: bytes, as: UTF8.self), name: "bootstrap-nodes.txt") == [
                "router.bittorrent.com:6881", "dht.transmissionbt.com:6881", "router.utorrent.com:6881",
                "dht.libtorrent.org:25401",
            ]
        )
    }
}
