import Primitives
import TestSupport
import Testing
import TrackerStore

@Suite("Accounts in the database")
struct AccountTests {
    private let anna = Account(name: "anna", password: "$argon2id$a", isAdmin: false, created: 1000)

    @Test("an account is there for another node, and a name is given once", arguments: Database.all)
    func adding(_ kind: Database) throws {
        let database = try TestDatabase(kind)
        let (one, two) = (try database.open(), try database.open())

        #expect(try one.account(named: "anna") == nil)
        #expect(try one.addAccount(anna))
        #expect(try two.addAccount(Account(name: "anna", password: "other", isAdmin: true, created: 1)) == false)
        #expect(try two.account(named: "anna") == anna)
        #expect(try two.account(named: "Anna") == nil)
        #expect(try two.accountCount() == 1)
    }

    @Test("accounts come in pages, in the order of their bytes", arguments: Database.all)
    func paging(_ kind: Database) throws {
        let store = try TestDatabase(kind).open()
        for name in ["b", "B", "_", "a1", "a"] {
            #expect(try store.addAccount(Account(name: name, password: "x", isAdmin: false, created: 0)))
        }

        #expect(try store.accounts(limit: 3).map(\.name) == ["B", "_", "a"])
        #expect(try store.accounts(after: "a", limit: 3).map(\.name) == ["a1", "b"])
    }

    @Test("a new password revokes the passkeys, a new cost of the same password does not", arguments: Database.all)
    func passwords(_ kind: Database) throws {
        let store = try TestDatabase(kind).open()
        let key = PasskeyRecord(hash: number(1), account: "anna", expires: 9000)
        #expect(try store.addAccount(anna))
        #expect(try store.addPasskey(key, now: 0, most: 16))

        try store.renewHash(of: "anna", from: "$argon2id$a", to: "$argon2id$b")
        #expect(try store.account(named: "anna")?.password == "$argon2id$b")
        try store.renewHash(of: "anna", from: "$argon2id$a", to: "$argon2id$c")
        #expect(try store.account(named: "anna")?.password == "$argon2id$b")
        #expect(try store.passkeys(after: -1, limit: 10).passkeys.map(\.isRevoked) == [false])

        #expect(try store.setPassword("$argon2id$d", of: "anna", now: 10))
        #expect(try store.setPassword("$argon2id$d", of: "otto", now: 10) == false)
        #expect(try store.passkeys(after: -1, limit: 10).passkeys.map(\.isRevoked) == [true])
    }

    @Test("an account is made an administrator, and removed with its passkeys", arguments: Database.all)
    func removing(_ kind: Database) throws {
        let store = try TestDatabase(kind).open()
        #expect(try store.addAccount(anna))
        #expect(try store.addPasskey(PasskeyRecord(hash: number(1), account: "anna", expires: 9), now: 0, most: 16))

        #expect(try store.setAdmin(true, of: "anna"))
        #expect(try store.account(named: "anna")?.isAdmin == true)
        #expect(try store.removeAccount(named: "anna", now: 5))
        #expect(try store.removeAccount(named: "anna", now: 5) == false)
        #expect(try store.passkeys(after: -1, limit: 10).passkeys.map(\.isRevoked) == [true])
        // A password was looked at while the account went away.
        #expect(
            try store.addPasskey(PasskeyRecord(hash: number(2), account: "anna", expires: 9), now: 0, most: 16) == false
        )
    }
}

func number(_ value: UInt64) -> UInt256 { UInt256(first: value, second: 0, third: 0, fourth: value) }
