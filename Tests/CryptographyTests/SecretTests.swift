import Cryptography
import Primitives
import Testing

@Suite("Secrets in locked memory")
struct SecretTests {
    /// A copy: a span of an optional secret would outlive it.
    static func copy(_ secret: Secret?) -> [UInt8]? {
        guard let secret else { return nil }
        return secret.bytes.copied
    }

    private enum Refusal: Error { case halfway }

    @Test("hold what was written, and zeros elsewhere")
    func holds() {
        let secret = Secret(byteCount: 40) { $0.storeBytes(of: 7, toByteOffset: 3, as: UInt8.self) }
        #expect(SecretTests.copy(secret) == [0, 0, 0, 7] + [UInt8](repeating: 0, count: 36))
    }

    @Test("come from random bytes, other ones each time")
    func random() throws {
        let first = try #require(SecretTests.copy(.random(byteCount: 32)))
        let second = try #require(SecretTests.copy(.random(byteCount: 32)))
        #expect(first.count == 32)
        #expect(first != second)
    }

    @Test("are not made when writing them fails, or of no bytes")
    func fails() {
        #expect(throws: Refusal.halfway) {
            _ = try Secret(byteCount: 32) { (_: inout MutableRawSpan) throws(Refusal) in throw .halfway }
        }
        let empty = Secret([UInt8]().span.bytes)
        #expect(empty == nil)
    }
}
