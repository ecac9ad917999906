import Cryptography
import Glibc
import Primitives
import Testing

@Suite("What computing with keys leaves on the stack")
struct StackTests {
    /// What a signature by the seed 60 to 7f over the message below passes through, by arithmetic of Python: whoever
    /// has one of the first three and the signature has the key.
    static let passed = [
        "nonce": hex("4f93d814b44bafa07acbda8183e9953e1e7f28acfd5214bdadf250b0cd14ba09"),
        "challenge times scalar": hex("b08d43cb58df846cda676a0e4c7d1a625aafcc02fc5a2efbe837d8e55b921900"),
        "scalar": hex("d837bddf3a71712960db96d3a4bdc43ea7d7ebb89680c0d374d27733cfe9bc4c"),
        // Public, and the one that the stack holds where nobody wipes it (libsodium 1.0.18): it shows that we look.
        "sum": hex("ff201ce00c2b340d55334590cf66b0a0782ef5aef9ad42b8962a299629a7d309"),
    ]

    /// The bytes of the stack below this function's frame: what was called before has written there.
    @inline(never)
    static func leftovers(of secrets: [String: [UInt8]]) -> [String] {
        var here: UInt8 = 0
        return withUnsafePointer(to: &here) { here in
            // A page is left out at the near end, for this function itself uses that.
            let start = UnsafeRawPointer(here) - (96 << 10)
            return secrets.compactMap { name, secret in
                // Two thirds of one: neither a word by chance, nor one that is only partly overwritten.
                (0..<95 << 10).contains { memcmp(start + $0, secret, 20) == 0 } ? name : nil
            }
        }
    }

    @Test("nothing of a signature's numbers, when it is made")
    func signature() throws {
        let key = try #require(Ed25519.SigningKey(seed: Array(0x60..<0x80)))
        #expect(StackTests.leftovers(of: StackTests.passed) == [])
        let signature = key.signature(of: Array("what is left on the stack".utf8))
        let leftovers = StackTests.leftovers(of: StackTests.passed)
        #expect(leftovers == [])
        #expect(
            signature?.hex
                == "b03f4c63106bb84343dffa8a4a25c91b53bde13f945a93bbd70320e15fd3bfd0"
                + "ff201ce00c2b340d55334590cf66b0a0782ef5aef9ad42b8962a299629a7d309"
        )
    }

    @Test("nothing of a private key or of what was agreed on, when that was put away")
    func agreement() throws {
        let secret = hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
        let other = hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
        // As it is used: clamped (RFC 7748, section 5).
        var clamped = secret
        clamped[0] &= 0xf8
        clamped[31] = clamped[31] & 0x7f | 0x40
        let agreed = hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
        let key = try #require(X25519.PrivateKey(secret))
        let point = X25519.PublicKey(other.span.bytes)
        guard var memory = ChangingSecret(byteCount: 32) else { throw ChangingSecret.NoMemory() }
        let isUseful = point.map { key.agree(with: $0, into: &memory, at: 0) }
        let leftovers = StackTests.leftovers(of: ["key": secret, "clamped": clamped, "agreed": agreed])
        #expect(leftovers == [])
        #expect(isUseful == true)
    }
}
