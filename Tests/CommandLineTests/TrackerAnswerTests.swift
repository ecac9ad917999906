import Primitives
import Shoal
import Testing
import TrackerAPI

@testable import shoal

@Suite("What a tracker answers")
struct TrackerAnswerTests {
    private let seeder = "192.0.2.1:6881"
    private let leecher = "[2001:db8::1]:51413"

    private func entry(_ name: String) throws -> CatalogueEntry {
        let infoHash = try #require(InfoHash(hex: String(repeating: "5a", count: 20)))
        var entry = CatalogueEntry(
            name: name,
            infoHash: infoHash,
            size: 3 << 20,
            pieceLength: 1 << 20,
            pieces: 3,
            owner: "anna",
            created: 0
        )
        (entry.seeders, entry.leechers, entry.downloaded) = (1, 12, 345)
        return entry
    }

    private func peer(_ address: String, isSeeder: Bool, file: String?) throws -> AnnouncedPeer {
        AnnouncedPeer(
            endpoint: try #require(Endpoint(address)),
            client: "Transmission 3.00",
            isSeeder: isSeeder,
            infoHash: try entry("f").infoHash,
            file: file,
            silentSeconds: 16
        )
    }

    private func answer(json: Bool = false) -> (ConsoleDouble, TrackerAnswers<ConsoleDouble>) {
        let console = ConsoleDouble()
        return (console, TrackerAnswers(json: json, isQuiet: false, console: console))
    }

    @Test("files stand in a table whose numbers line up, and no line ends in spaces")
    func files() throws {
        let (console, answer) = answer()
        try answer.files([try entry("a"), try entry("longer name"), try entry("\u{202e}txt\u{1b}[2J")])
        let lines = console.output.split(separator: "\n").map(String.init)
        #expect(lines[0] == "NAME            SIZE  SEEDERS  LEECHERS  DOWNLOADED  OWNER")
        #expect(lines[2] == "longer name  3.0 MiB        1        12         345  anna")
        // What a stranger called a file moves no cursor.
        #expect(!console.output.contains("\u{1b}") && !console.output.contains("\u{202e}"))
        #expect(lines.allSatisfy { $0.last != " " })
    }

    @Test("nothing to list is a remark, and no data")
    func nothing() throws {
        let (console, answer) = answer()
        try answer.files([])
        try answer.peers([])
        #expect(console.output == "")
        #expect(console.errors == "no file is registered at this tracker\nno peer announces to this tracker\n")
    }

    @Test("a file is shown with its peers, and runs of pieces that the same peers hold")
    func file() throws {
        let (console, answer) = answer()
        let (one, two) = (try #require(Endpoint(seeder)), try #require(Endpoint(leecher)))
        let holders = PieceHolderList(pieces: 5, holders: [[one, two], [one, two], [one]])
        try answer.file(
            try entry("f"),
            [try peer(seeder, isSeeder: true, file: "f"), try peer(leecher, isSeeder: false, file: "f")],
            holders
        )
        #expect(console.output.contains("size       3.0 MiB in 3 pieces of 1.0 MiB\n"))
        #expect(console.output.contains("swarm      1 seeder, 12 leechers, downloaded 345 times\n"))
        #expect(console.output.contains("192.0.2.1:6881       seeder   Transmission 3.00    16 s\n"))
        #expect(console.output.contains("0-1           2  192.0.2.1:6881 [2001:db8::1]:51413\n"))
        #expect(console.output.contains("2             1  192.0.2.1:6881\n"))
        #expect(console.output.hasSuffix("and 2 more pieces\n"))
    }

    @Test("programs get an object a line")
    func objects() throws {
        let (console, answer) = answer(json: true)
        let one = try #require(Endpoint(seeder))
        try answer.file(
            try entry("f"),
            [try peer(seeder, isSeeder: true, file: nil)],
            PieceHolderList(pieces: 1, holders: [[one]])
        )
        let hash = String(repeating: "5a", count: 20)
        #expect(
            console.output == """
                {"event":"file","name":"f","info_hash":"\(hash)","size":3145728,"piece_length":1048576,"pieces":3,\
                "owner":"anna","created":0,"seeders":1,"leechers":12,"downloaded":345}
                {"event":"peer","address":"192.0.2.1:6881","client":"Transmission 3.00","kind":"seeder",\
                "info_hash":"\(hash)","silent_s":16}
                {"event":"pieces","first":0,"last":0,"holders":["192.0.2.1:6881"]}

                """
        )
    }
}
