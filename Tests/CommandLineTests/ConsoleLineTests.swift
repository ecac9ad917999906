import Shoal
import Testing

@testable import shoal

@Suite("Lines at a console")
struct ConsoleLineTests {
    @Test(
        "the documented lines are told apart; the rest of a line is a file name, spaces and all",
        arguments: [
            ("torrent -mode send film one.txt", ConsoleLine.torrent(mode: "send", rest: "film one.txt")),
            ("  torrent   -mode   download\ta  b  ", .torrent(mode: "download", rest: "a  b")),
            ("torrent --mode scrape f", .torrent(mode: "scrape", rest: "f")),
            ("torrent -mode EXIT", .torrent(mode: "exit", rest: "")), ("torrent -mode", .torrent(mode: "", rest: "")),
            ("Register  File", .words("register  file")), ("3", .words("3")),
            ("torrent send f", .words("torrent send f")),
            ("", .empty), (" \t ", .empty),
        ]
    )
    func reading(text: String, line: ConsoleLine) {
        #expect(ConsoleLine(text) == line)
    }

    @Test("a file name is one name, and leads nowhere else")
    func names() {
        #expect(["a", "film one.txt", "...", "ü", "-rf"].allSatisfy(FileName.isPlain))
        let others = ["", ".", "..", "a/b", "/a", "a\u{0}b", "a\nb", "\u{7f}", String(repeating: "x", count: 256)]
        #expect(!others.contains(where: FileName.isPlain))
    }

    @Test("a tracker's console answers what it does not know with what it does, and a pipe is told by the exit code")
    func unknown() async throws {
        let pipe = ConsoleDouble(input: [
            "torrent -mode nonsense", "", "torrent -mode list", "exit", "torrent -mode list",
        ])
        var asked = 0
        let tracker = TrackerConsole(console: pipe, options: ConsoleOptions()) { () async throws(ShoalError) in
            asked += 1
            throw ShoalError(.network, "nobody is there")
        }
        let ended = try await tracker.run()
        #expect(ended.isExit)
        #expect(ended.code == 2)
        #expect(asked == 1)
        #expect(pipe.errors.contains("say one of: torrent -mode list | torrent -mode fileinfo FILE"))
        #expect(pipe.errors.contains("nobody is there"))
        let person = ConsoleDouble(input: ["frobnicate"], isInputTerminal: true)
        let second = TrackerConsole(console: person, options: ConsoleOptions(), client: tracker.client)
        let left = try await second.run()
        #expect(!left.isExit)
        #expect(left.code == 0)
    }
}
