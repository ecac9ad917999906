import Cryptography
import Primitives
import TestSupport
import Testing

@Suite("What sealing leaves in memory")
struct LeftoverTests {
    /// 32 random bytes, which were nowhere before.
    static func key() throws -> ChangingSecret {
        guard var key = ChangingSecret(byteCount: 32) else { throw ChangingSecret.NoMemory() }
        repeat { #expect(X25519.generate(in: &key, at: 0) != nil) } while !Leftovers.canFind(key.bytes)
        return key
    }

    @Test("nothing of a key, when a text was sealed with it and opened", arguments: [200, 49_191])
    func keys(length: Int) throws {
        guard var cipher = ChaCha20Poly1305() else { throw ChangingSecret.NoMemory() }
        let key = try LeftoverTests.key()
        let text = [UInt8](repeating: 7, count: length)
        var sealed = [UInt8](repeating: 0, count: length + 16)
        var span = sealed.mutableSpan
        var room = span.mutableBytes
        let isSealed = cipher.seal(with: key, 0..<32, nonce: 1, into: &room, 0..<length + 16) {
            $0.append(text.span.bytes)
        }
        let isOpen = cipher.open(with: key, 0..<32, nonce: 1, in: &room, 0..<length + 16)
        let isLeft = Leftovers.has(key.bytes)
        #expect(isSealed && isOpen && isLeft == false)
        // It would have been found.
        let copy = key.bytes.copied
        let isFound = Leftovers.has(key.bytes)
        #expect(isFound == true)
        withExtendedLifetime(copy) {}
    }
}
