import Cryptography
import Primitives
import Testing
import TrackerProtocol

@Suite("Passkeys")
struct PasskeyBookTests {
    private func account(_ passkey: String, in book: PasskeyBook, at now: Int64 = 0) -> String? {
        book.account(of: Array(passkey.utf8).span.bytes, at: now)
    }

    @Test("a passkey is let in until it expires or is revoked")
    func life() throws {
        let (passkey, hash) = try #require(PasskeyBook.make())
        var book = PasskeyBook()
        book.apply([PasskeyBook.Entry(hash: hash, account: "anna", expires: 100, isRevoked: false)])

        #expect(account(passkey, in: book, at: 99) == "anna")
        #expect(account(passkey.uppercased(), in: book, at: 99) == "anna")
        #expect(account(passkey, in: book, at: 100) == nil)
        book.apply([PasskeyBook.Entry(hash: hash, account: "anna", expires: 100, isRevoked: true)])
        #expect(account(passkey, in: book, at: 99) == nil)
        #expect(book.count == 0)
    }

    @Test("what is no passkey opens nothing")
    func malformed() throws {
        let (passkey, hash) = try #require(PasskeyBook.make())
        var book = PasskeyBook()
        book.apply([PasskeyBook.Entry(hash: hash, account: "anna", expires: 100, isRevoked: false)])
        for text in ["", String(passkey.dropLast()), passkey + "0", String(passkey.dropLast()) + "g"] {
            #expect(account(text, in: book) == nil)
        }
        // The hash itself is what a thief of the database has.
        #expect(account(Hex.encode(hash.bytes), in: book) == nil)
        #expect(account(String(Hex.encode(hash.bytes).prefix(40)), in: book) == nil)
    }

    @Test("a passkey is the hash of its bytes, 20 random ones")
    func making() throws {
        let (passkey, hash) = try #require(PasskeyBook.make())
        let bytes = try #require(Hex.decode(passkey))
        #expect(bytes.count == 20)
        #expect(SHA256.hash(bytes.span.bytes) == hash)
        #expect(PasskeyBook.make()?.passkey != passkey)
    }

    @Test(
        "names of accounts and files",
        arguments: [
            ("anna", true, true), ("a.b_c-D9", true, true), ("ab", false, true), ("", false, false),
            (String(repeating: "a", count: 64), true, true), (String(repeating: "a", count: 65), false, true),
            (String(repeating: "a", count: 256), false, false), ("änn", false, true), ("a b c", false, true),
            ("a/b", false, false), ("..", false, false), (".", false, false), ("a\u{0}b", false, false),
            ("a\nb", false, false), ("a\u{85}b", false, false), ("'; --", false, true),
        ]
    )
    func names(name: String, isAccount: Bool, isFile: Bool) {
        #expect(AccountRules.isName(name) == isAccount)
        #expect(AccountRules.isFileName(name) == isFile)
    }

    @Test("passwords have 8 to 1024 bytes", arguments: [(7, false), (8, true), (1024, true), (1025, false)])
    func passwords(count: Int, isTaken: Bool) {
        #expect(AccountRules.isPassword(String(repeating: "x", count: count)) == isTaken)
    }
}
