import Cryptography
import Metainfo
import Primitives
import TestSupport
import Testing
import TrackerAPI
import TrackerProtocol
import TrackerServer
import TrackerStore

/// A tracker on a database of its own, and people who ask it.
final class AccountStage: Sendable {
    let database: TestDatabase
    let node: TrackerNode
    private let url: TrackerURL
    private let folder = try? TemporaryFolder()

    init(_ kind: DatabaseKind, needsAccounts: Bool = true, on database: TestDatabase? = nil) async throws {
        let database = try database ?? TestDatabase(kind)
        self.database = database
        var configuration = TrackerConfiguration()
        configuration.listening = .at(Endpoint(.loopbackV4, 0))
        configuration.database = database.url
        configuration.needsAccounts = needsAccounts
        node = TrackerNode(configuration)
        try await node.start()
        let endpoint = try #require(await node.endpoints.first)
        url = try #require(TrackerURL("http://\(endpoint)"))
    }

    /// Somebody with a state folder of their own.
    func person(_ name: String = "somebody") throws -> TrackerClient {
        try TrackerClient(url, stateFolder: folder?.path(name))
    }

    /// Why an announce with a passkey is refused; `nil` where it is not.
    func refusal(of passkey: String) async -> TrackerFailure? {
        await node.withCore { core -> TrackerFailure? in
            do throws(TrackerFailure) {
                try core.admission.admit(Array("/announce/\(passkey)".utf8).span.bytes, at: core.now)
                return nil
            } catch {
                return error
            }
        } ?? nil
    }

    /// Looks every few milliseconds; what a node learns from its database it learns within seconds.
    func wait(until condition: @escaping @Sendable (AccountStage) async throws -> Bool) async throws {
        try await withDeadline {
            while try await !condition(self) { try await Task.sleep(for: .milliseconds(20)) }
        }
    }

    static let torrent: [UInt8] = torrent(of: "f")

    static func torrent(of name: String) -> [UInt8] {
        let pieces = [UInt8](repeating: 7, count: 60)
        let info = "d6:lengthi40000e4:name\(name.utf8.count):\(name)12:piece lengthi16384e6:pieces60:"
        return Array("d4:info\(info)".utf8) + pieces + Array("ee".utf8)
    }
}

/// The kind of a refusal; `nil` where nothing was refused.
func kind<Value: Sendable>(
    _ body: () async throws(TrackerClientError) -> Value
) async -> TrackerClientError.Kind? {
    do throws(TrackerClientError) {
        _ = try await body()
        return nil
    } catch {
        return error.kind
    }
}

@Suite("Accounts at a tracker", .timeLimit(.minutes(1)))
struct AccountTests {
    private let anna = Credentials(user: "anna", password: "correct horse")
    private let wrong = Credentials(user: "anna", password: "correct horsf")

    @Test("who registers may announce until they log out", arguments: DatabaseKind.all)
    func life(_ kind: DatabaseKind) async throws {
        let stage = try await AccountStage(kind)
        let person = try stage.person()

        #expect(await stage.refusal(of: String(repeating: "0", count: 40)) == .unknownPasskey)
        let first = try await person.register(anna)
        #expect(await stage.refusal(of: first.passkey) == nil)
        #expect(await stage.refusal(of: first.passkey.uppercased()) == nil)
        let second = try await stage.person("elsewhere").login(anna)
        #expect(second.passkey != first.passkey)
        #expect(try await person.logout())
        #expect(await stage.refusal(of: first.passkey) == .unknownPasskey)
        #expect(await stage.refusal(of: second.passkey) == nil)
        #expect(try await person.logout() == false)
        await stage.node.stop()
    }

    @Test("a wrong password, an unknown name and a taken one are refused", arguments: DatabaseKind.all)
    func refusals(_ database: DatabaseKind) async throws {
        let stage = try await AccountStage(database)
        let person = try stage.person()
        _ = try await person.register(anna)

        #expect(await kind { () async throws(TrackerClientError) in try await person.register(anna) } == .refused)
        #expect(await kind { () async throws(TrackerClientError) in try await person.login(wrong) } == .login)
        let nobody = Credentials(user: "nobody", password: "correct horse")
        #expect(await kind { () async throws(TrackerClientError) in try await person.login(nobody) } == .login)
        for (user, password) in [("ab", "12345678"), ("a b c", "12345678"), ("otto", "1234567"), ("'; --", "12345678")]
        {
            let credentials = Credentials(user: user, password: password)
            #expect(
                await kind { () async throws(TrackerClientError) in try await person.register(credentials) } == .badData
            )
        }
        await stage.node.stop()
    }

    @Test("the sixth wrong password in a minute is not looked at, and says when to come again (R4, N50)")
    func guessing() async throws {
        let stage = try await AccountStage(.sqlite)
        let person = try stage.person()
        _ = try await person.register(anna)
        for _ in 0..<5 {
            #expect(await kind { () async throws(TrackerClientError) in try await person.login(wrong) } == .login)
        }
        do throws(TrackerClientError) {
            _ = try await person.login(anna)
            Issue.record("the sixth was looked at")
        } catch {
            #expect(error.kind == .refused)
            #expect(error.sentence.contains("too many attempts") && error.sentence.contains("try again in "))
        }
        await stage.node.stop()
    }

    @Test("fifty wrong logins at once stall no announce, and five are hashed at most (R4, N50)")
    func storm() async throws {
        let stage = try await AccountStage(.sqlite)
        let person = try stage.person()
        let passkey = try await person.register(anna).passkey
        let wrong = wrong
        let outcomes = await withTaskGroup(of: TrackerClientError.Kind?.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    await kind { () async throws(TrackerClientError) in try await person.login(wrong) }
                }
            }
            // Each answer comes from the loop that the logins keep busy.
            for _ in 0..<200 { #expect(await stage.refusal(of: passkey) == nil) }
            return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
        #expect(outcomes[.login, default: 0] <= 5)
        #expect(outcomes[.login, default: 0] + outcomes[.refused, default: 0] == 50)
        await stage.node.stop()
    }

    @Test("another node on the same database knows a passkey within seconds, and its end", arguments: DatabaseKind.all)
    func twoNodes(_ kind: DatabaseKind) async throws {
        let one = try await AccountStage(kind)
        let two = try await AccountStage(kind, on: one.database)
        let person = try one.person()
        let passkey = try await person.register(anna).passkey
        try await two.wait { await $0.refusal(of: passkey) == nil }
        #expect(try await person.logout())
        try await two.wait { await $0.refusal(of: passkey) != nil }
        await one.node.stop()
        await two.node.stop()
    }

    @Test("accounts, passkeys and files outlive the tracker", arguments: DatabaseKind.all)
    func restart(_ kind: DatabaseKind) async throws {
        let first = try await AccountStage(kind)
        let person = try first.person()
        let passkey = try await person.register(anna).passkey
        _ = try await person.publish("f", torrent: AccountStage.torrent)
        await first.node.stop()

        let second = try await AccountStage(kind, on: first.database)
        #expect(await second.refusal(of: passkey) == nil)
        let again = try second.person()
        _ = try await again.login(anna)
        #expect(try await again.files().map(\.name) == ["f"])
        #expect(try await again.file("f").torrent == AccountStage.torrent)
        await second.node.stop()
    }

    @Test("a hash of another cost is made anew at the next login (R3)")
    func renewal() async throws {
        let stage = try await AccountStage(.sqlite)
        let store = try TrackerStore(StoreURL(stage.database.url))
        // The reference implementation's hash of "password", at a 256th of the memory.
        let old = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
        #expect(try store.addAccount(Account(name: "otto", password: old, isAdmin: false, created: 0)))
        let person = try stage.person()
        _ = try await person.login(Credentials(user: "otto", password: "password"))
        try await stage.wait { _ in try store.account(named: "otto")?.password != old }
        let renewed = try #require(try store.account(named: "otto")?.password)
        #expect(!PasswordHash.isOutdated(renewed))
        _ = try await person.login(Credentials(user: "otto", password: "password"))
        await stage.node.stop()
    }

    @Test("administrators list the accounts, others are told that they may not")
    func users() async throws {
        let stage = try await AccountStage(.sqlite)
        let person = try stage.person()
        #expect(await kind { () async throws(TrackerClientError) in try await person.users() } == .login)
        _ = try await person.register(anna)
        #expect(await kind { () async throws(TrackerClientError) in try await person.users() } == .refused)
        #expect(try TrackerStore(StoreURL(stage.database.url)).setAdmin(true, of: "anna"))
        #expect(try await person.users().map(\.user) == ["anna"])
        await stage.node.stop()
    }

    @Test("a tracker without accounts says so")
    func without() async throws {
        let stage = try await AccountStage(.sqlite, needsAccounts: false)
        let person = try stage.person()
        #expect(await kind { () async throws(TrackerClientError) in try await person.register(anna) } == .notFound)
        #expect(await kind { () async throws(TrackerClientError) in try await person.login(anna) } == .notFound)
        await stage.node.stop()
    }
}

@Suite("The catalogue of a tracker", .timeLimit(.minutes(1)))
struct CatalogueTests {
    private func credentials(_ user: String) -> Credentials { Credentials(user: user, password: "12345678") }

    @Test("a file is listed with its swarm, found, and removed by its owner", arguments: DatabaseKind.all)
    func life(_ database: DatabaseKind) async throws {
        let stage = try await AccountStage(database, needsAccounts: false)
        let person = try stage.person()
        let names = ["a b", "ä😀", "100%", "'; DROP TABLE shoal_files; --", "\"x\"&after=y?#"]
        for name in names {
            let entry = try await person.publish(name, torrent: AccountStage.torrent)
            #expect(entry.name == name && entry.size == 40000 && entry.pieces == 3 && entry.pieceLength == 16384)
        }
        #expect(try await Set(person.files().map(\.name)) == Set(names))
        #expect(try await person.file("ä😀").entry.owner == "127.0.0.1")

        let infoHash = try Torrent(parsing: AccountStage.torrent).infoHash
        await stage.node.withCore { core in
            var request = AnnounceRequest(infoHash: infoHash, peerID: PeerID(.zero), port: 7000)
            request.left = 0
            var reply = AnnounceReply()
            try? core.registry.announce(request, from: .loopbackV4, at: core.now, into: &reply)
        }
        let entry = try await person.file("100%").entry
        #expect(entry.seeders == 1 && entry.leechers == 0)

        for name in names { try await person.withdraw(name) }
        #expect(try await person.files() == [])
        #expect(await kind { () async throws(TrackerClientError) in try await person.file("100%") } == .notFound)
        #expect(await kind { () async throws(TrackerClientError) in try await person.withdraw("100%") } == .notFound)
        await stage.node.stop()
    }

    @Test("a name belongs to the account that registered it; administrators may take and remove any")
    func owners() async throws {
        let stage = try await AccountStage(.sqlite)
        let (anna, otto) = (try stage.person("anna"), try stage.person("otto"))
        #expect(
            await kind { () async throws(TrackerClientError) in
                try await anna.publish("f", torrent: AccountStage.torrent)
            } == .login
        )
        #expect(await kind { () async throws(TrackerClientError) in try await anna.files() } == .login)
        _ = try await anna.register(credentials("anna"))
        _ = try await otto.register(credentials("otto"))

        #expect(try await anna.publish("f", torrent: AccountStage.torrent).owner == "anna")
        #expect(try await anna.publish("f", torrent: AccountStage.torrent(of: "g")).owner == "anna")
        #expect(
            await kind { () async throws(TrackerClientError) in
                try await otto.publish("f", torrent: AccountStage.torrent)
            } == .refused
        )
        #expect(await kind { () async throws(TrackerClientError) in try await otto.withdraw("f") } == .refused)
        #expect(try TrackerStore(StoreURL(stage.database.url)).setAdmin(true, of: "otto"))
        #expect(try await otto.publish("f", torrent: AccountStage.torrent).owner == "otto")
        #expect(await kind { () async throws(TrackerClientError) in try await anna.withdraw("f") } == .refused)
        try await otto.withdraw("f")
        await stage.node.stop()
    }

    @Test("without accounts a name that nobody shares any more is free, but not at once", arguments: DatabaseKind.all)
    func abandoned(_ database: DatabaseKind) async throws {
        let stage = try await AccountStage(database, needsAccounts: false)
        let person = try stage.person()
        let store = try TrackerStore(StoreURL(stage.database.url))
        let today = try await person.publish("mine", torrent: AccountStage.torrent).created
        for (name, age) in [("old", 601), ("new", 590)] as [(String, Int64)] {
            let file = CatalogueFile(
                name: name,
                infoHash: try Torrent(parsing: AccountStage.torrent(of: name)).infoHash,
                size: 1,
                pieceLength: 16384,
                pieces: 1,
                owner: .address("192.0.2.1"),
                created: today - age
            )
            #expect(try store.placeFile(file, torrent: [1], replacing: nil, limits: CatalogueLimits()) == .added)
        }
        #expect(try await person.publish("old", torrent: AccountStage.torrent).owner == "127.0.0.1")
        #expect(
            await kind { () async throws(TrackerClientError) in
                try await person.publish("new", torrent: AccountStage.torrent)
            } == .refused
        )
        await stage.node.stop()
    }

    @Test("a name with peers is kept for its owner")
    func held() async throws {
        let stage = try await AccountStage(.sqlite, needsAccounts: false)
        let person = try stage.person()
        let infoHash = try Torrent(parsing: AccountStage.torrent).infoHash
        let file = CatalogueFile(
            name: "f",
            infoHash: infoHash,
            size: 1,
            pieceLength: 16384,
            pieces: 1,
            owner: .address("192.0.2.1"),
            created: 0
        )
        let store = try TrackerStore(StoreURL(stage.database.url))
        #expect(try store.placeFile(file, torrent: [1], replacing: nil, limits: CatalogueLimits()) == .added)
        await stage.node.withCore { core in
            var reply = AnnounceReply()
            let request = AnnounceRequest(infoHash: infoHash, peerID: PeerID(.zero), port: 7000)
            try? core.registry.announce(request, from: .loopbackV4, at: core.now, into: &reply)
        }
        #expect(
            await kind { () async throws(TrackerClientError) in
                try await person.publish("f", torrent: AccountStage.torrent)
            } == .refused
        )
        await stage.node.stop()
    }

    @Test("what is no torrent, and what is no name, is refused")
    func malformed() async throws {
        let stage = try await AccountStage(.sqlite, needsAccounts: false)
        let person = try stage.person()
        for torrent in [
            [], Array("d4:infod4:name1:fee".utf8), Array("hello".utf8), Array(AccountStage.torrent.dropLast()),
        ] {
            #expect(
                await kind { () async throws(TrackerClientError) in
                    try await person.publish("f", torrent: torrent)
                } == .badData
            )
        }
        for name in [".", "..", "a/b", "a\nb", "a\u{0}b", String(repeating: "x", count: 256)] {
            #expect(
                await kind { () async throws(TrackerClientError) in
                    try await person.publish(name, torrent: AccountStage.torrent)
                } == .badData
            )
        }
        #expect(
            await kind { () async throws(TrackerClientError) in
                try await person.publish("f", torrent: [UInt8](repeating: 0, count: 10 << 20 + 1))
            } != nil
        )
        #expect(try await person.files() == [])
        await stage.node.stop()
    }

    @Test("a torrent of a mebibyte goes in and comes out as it was")
    func large() async throws {
        let stage = try await AccountStage(.sqlite, needsAccounts: false)
        let person = try stage.person()
        let count = 60_000
        let info = "d6:lengthi\(count * 16384)e4:name1:f12:piece lengthi16384e6:pieces\(count * 20):"
        let hashes = (0..<count * 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let torrent = Array("d4:info\(info)".utf8) + hashes + Array("ee".utf8)
        #expect(try await person.publish("f", torrent: torrent).pieces == Int64(count))
        #expect(try await person.file("f").torrent == torrent)
        await stage.node.stop()
    }

    @Test("many files come in pages")
    func pages() async throws {
        let stage = try await AccountStage(.sqlite, needsAccounts: false)
        let person = try stage.person()
        for number in 0..<7 { _ = try await person.publish("f\(number)", torrent: AccountStage.torrent) }
        for page in [1, 3, 7, 8] {
            #expect(try await person.files(page: page).map(\.name) == (0..<7).map { "f\($0)" })
        }
        await stage.node.stop()
    }
}
