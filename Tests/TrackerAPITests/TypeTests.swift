import JSON
import Primitives
import TestSupport
import Testing
import TrackerAPI
import TrackerProtocol

@Suite("What the API sends")
struct TypeTests {
    private func again(_ json: JSONValue) throws -> JSONValue { try JSONReader.read(JSONWriter.bytes(json)) }

    @Test("entries, peers, holders and users arrive as they were sent")
    func roundTrips() throws {
        let infoHash = try #require(InfoHash(hex: String(repeating: "5a", count: 20)))
        var entry = CatalogueEntry(
            name: "a \"b\"",
            infoHash: infoHash,
            size: 1 << 40,
            pieceLength: 1 << 20,
            pieces: 3,
            owner: "anna",
            created: 5
        )
        (entry.seeders, entry.leechers, entry.downloaded) = (1, 2, 3)
        #expect(CatalogueEntry(try again(.object(entry.json))) == entry)

        let endpoint = try #require(Endpoint("[2001:db8::1]:6881"))
        var peer = AnnouncedPeer(
            endpoint: endpoint,
            client: "x",
            isSeeder: true,
            infoHash: infoHash,
            file: "f",
            silentSeconds: 16
        )
        #expect(AnnouncedPeer(try again(.object(peer.json))) == peer)
        peer.file = nil
        peer.isSeeder = false
        #expect(AnnouncedPeer(try again(.object(peer.json))) == peer)

        let holders = PieceHolderList(pieces: 3, holders: [[endpoint], [], [endpoint]])
        #expect(PieceHolderList(try again(holders.json)) == holders)
        let user = UserEntry(user: "anna", isAdmin: true, created: 7)
        #expect(UserEntry(try again(.object(user.json))) == user)
    }

    @Test("a passkey that could not stand in a path is none")
    func passkeys() throws {
        let digits = String(repeating: "0f", count: 20)
        #expect(PasskeyGrant(["passkey": .string(digits), "expires": 1], user: "anna")?.user == "anna")
        for text in ["", digits + "0", digits.dropLast() + "/", digits.dropLast() + "\n"] {
            #expect(PasskeyGrant(["passkey": .string(String(text)), "expires": 1], user: "anna") == nil)
        }
    }

    @Test("printing what has a secret prints none (R13)")
    func printing() {
        let credentials = Credentials(user: "anna", password: "hushhush")
        let grant = PasskeyGrant(user: "anna", passkey: "feed", expires: 1)
        let printed = "\(credentials) \(grant) " + String(reflecting: credentials) + String(reflecting: [grant])
        #expect(!printed.contains("hush") && !printed.contains("feed"))
    }
}

@Suite("Passkeys in the state folder")
struct PasskeyFileTests {
    private let one = "http://Tracker.example:6969"

    private func grant(_ digit: Character, expires: Int64 = 100) -> PasskeyGrant {
        PasskeyGrant(user: "anna", passkey: String(repeating: digit, count: 40), expires: expires)
    }

    @Test("a passkey is kept per tracker, whichever way that is asked")
    func keeping() throws {
        let folder = try TemporaryFolder()
        let file = PasskeyFile(folder: folder.path("state/shoal"))
        let (tracker, udp) = (try #require(TrackerURL(one)), try #require(TrackerURL("udp://tracker.example:6969")))
        let other = try #require(TrackerURL("http://tracker.example:7000"))

        #expect(file.grant(for: tracker, at: 0) == nil)
        #expect(file.keep(grant("a"), for: tracker))
        #expect(file.keep(grant("b"), for: other))
        #expect(file.keep(grant("c"), for: tracker))
        #expect(file.grant(for: udp, at: 99) == grant("c"))
        #expect(file.grant(for: udp, at: 100) == nil)
        #expect(file.passkeys(at: 99)["tracker.example:6969"] == grant("c").passkey)
        #expect(file.passkeys(at: 100) == [:])
        #expect(file.forget(tracker) == true)
        #expect(file.forget(tracker) == false)
        #expect(file.grant(for: other, at: 0) == grant("b"))
        #expect(file.passkeys(at: 0).keys.sorted() == ["tracker.example:7000"])
    }

    @Test("nobody else can read the file")
    func mode() throws {
        let folder = try TemporaryFolder()
        let tracker = try #require(TrackerURL(one))
        #expect(PasskeyFile(folder: folder.root).keep(grant("a"), for: tracker))
        #expect(folder.mode(of: "tracker.passkeys") == 0o600)
    }

    @Test("lines that are none of ours are passed over")
    func damage() throws {
        let folder = try TemporaryFolder()
        let key = grant("a").passkey
        let text = "x\n\ntracker.example:6969 anna \(key) x\ntracker.example:6969 anna /../x 100\n\u{0}\n"
        try folder.write(Array(text.utf8), to: "tracker.passkeys")
        let tracker = try #require(TrackerURL(one))
        #expect(PasskeyFile(folder: folder.root).grant(for: tracker, at: 0) == nil)
    }
}
