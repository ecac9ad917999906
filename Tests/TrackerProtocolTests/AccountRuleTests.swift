import Cryptography
import Primitives
import Testing
import TrackerProtocol

@Suite("Names, passwords and passkeys")
struct AccountRuleTests {
    @Test("a passkey is 20 random bytes, and what is kept of it is their hash")
    func making() throws {
        let (passkey, digest) = try #require(Passkeys.make())
        let bytes = try #require(Hex.decode(passkey))
        #expect(bytes.count == 20)
        #expect(SHA256.hash(bytes.span.bytes) == digest)
        #expect(Passkeys.digest(of: Array(passkey.utf8).span.bytes) == digest)
        #expect(Passkeys.make()?.passkey != passkey)
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
