import Cryptography
import Testing

@Suite("Passwords")
struct PasswordTests {
    private func isCorrect(_ password: String, _ hash: String) -> Bool {
        PasswordHash.isCorrect(Array(password.utf8).span.bytes, for: hash)
    }

    private func make(_ password: String) -> String? { PasswordHash.make(Array(password.utf8).span.bytes) }

    @Test("a hash fits its password alone, and is another each time")
    func making() throws {
        let made = make("correct horse")
        let hash = try #require(made)
        #expect(hash.hasPrefix("$argon2id$v=19$m=65536,t=2,p=1$"))
        #expect(isCorrect("correct horse", hash))
        #expect(!isCorrect("correct horsf", hash))
        #expect(!isCorrect("", hash))
        #expect(make("correct horse") != hash)
        #expect(!PasswordHash.isOutdated(hash))
    }

    @Test(
        "the vectors of the reference implementation fit (phc-winner-argon2, test.c)",
        arguments: [
            ("m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", false),
            ("m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg", true),
            ("m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", true),
        ]
    )
    func vectors(text: String, isOutdated: Bool) {
        let hash = "$argon2id$v=19$" + text
        #expect(isCorrect("password", hash))
        #expect(!isCorrect("passwort", hash))
        #expect(PasswordHash.isOutdated(hash) == isOutdated)
    }

    @Test(
        "what is no hash fits nothing",
        arguments: ["", "x", "$argon2id$", String(repeating: "$", count: 4000), "a\0b"]
    )
    func malformed(hash: String) {
        #expect(!isCorrect("", hash))
        #expect(!isCorrect("x", hash))
        #expect(PasswordHash.isOutdated(hash))
    }

    @Test("the hash of nobody costs what any costs, and no empty password fits")
    func nobody() {
        #expect(!PasswordHash.isOutdated(PasswordHash.ofNobody))
        #expect(!isCorrect("", PasswordHash.ofNobody))
    }
}
