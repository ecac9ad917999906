import Primitives
import TestSupport
import Testing
import TrackerStore

@Suite("Passkeys in the database")
struct PasskeyTests {
    private func store(_ kind: Database) throws -> TrackerStore {
        let store = try TestDatabase(kind).open()
        #expect(try store.addAccount(Account(name: "anna", password: "x", isAdmin: false, created: 0)))
        return store
    }

    private func key(_ value: UInt64) -> PasskeyRecord {
        PasskeyRecord(hash: number(value), account: "anna", expires: 5000)
    }

    @Test("a node reads what changed since its last look, and nothing twice", arguments: Database.all)
    func changes(_ kind: Database) throws {
        let store = try store(kind)
        #expect(try store.addPasskey(key(1), now: 10, most: 16))
        #expect(try store.addPasskey(key(2), now: 11, most: 16))

        let first = try store.passkeys(after: -1, limit: 10)
        #expect(first.passkeys == [key(1), key(2)])
        let second = try store.passkeys(after: first.change, limit: 10)
        #expect(second.passkeys == [])
        #expect(second.change == first.change)

        #expect(try store.revokePasskey(number(1), now: 100))
        #expect(try store.revokePasskey(number(1), now: 100) == false)
        let third = try store.passkeys(after: second.change, limit: 10)
        let revoked = PasskeyRecord(hash: number(1), account: "anna", expires: 700, isRevoked: true)
        #expect(third.passkeys == [revoked])
        #expect(try store.passkeys(after: third.change, limit: 10).passkeys == [])
    }

    @Test("the seventeenth passkey revokes the oldest", arguments: Database.all)
    func most(_ kind: Database) throws {
        let store = try store(kind)
        for value in 1...18 { #expect(try store.addPasskey(key(UInt64(value)), now: Int64(value), most: 16)) }

        let all = try store.passkeys(after: -1, limit: 100).passkeys
        #expect(Set(all.filter(\.isRevoked).map(\.hash)) == [number(1), number(2)])
        #expect(all.count == 18)
    }

    @Test("pages end between changes, never within one", arguments: Database.all)
    func pages(_ kind: Database) throws {
        let store = try store(kind)
        for value in 1...5 { #expect(try store.addPasskey(key(UInt64(value)), now: 0, most: 16)) }
        // All five in one change.
        #expect(try store.setPassword("y", of: "anna", now: 0))
        #expect(try store.addPasskey(key(6), now: 0, most: 16))

        let first = try store.passkeys(after: -1, limit: 2)
        #expect(first.passkeys.count == 5)
        let second = try store.passkeys(after: first.change, limit: 2)
        #expect(second.passkeys.map(\.hash) == [number(6)])
    }

    @Test("revoked passkeys are forgotten once all have heard of it", arguments: Database.all)
    func forgetting(_ kind: Database) throws {
        let store = try store(kind)
        #expect(try store.addPasskey(key(1), now: 0, most: 16))
        #expect(try store.addPasskey(key(2), now: 0, most: 16))
        #expect(try store.revokePasskey(number(1), now: 100))

        try store.forgetPasskeys(now: 700)
        #expect(try store.passkeys(after: -1, limit: 9).passkeys.count == 2)
        try store.forgetPasskeys(now: 701)
        #expect(try store.passkeys(after: -1, limit: 9).passkeys.map(\.hash) == [number(2)])
        try store.forgetPasskeys(now: 5001)
        #expect(try store.passkeys(after: -1, limit: 9).passkeys == [])
    }
}
