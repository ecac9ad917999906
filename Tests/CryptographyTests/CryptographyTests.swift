import Cryptography
import Primitives
import Testing

@Suite("Hashes")
struct HashTests {
    @Test("SHA-1 gives the digests of FIPS 180")
    func sha1() {
        #expect(SHA1.hash([]).hex == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        #expect(SHA1.hash(Array("abc".utf8)).hex == "a9993e364706816aba3e25717850c26c9cd0d89d")
        var sha1 = SHA1()
        sha1.update(Array("a".utf8).span.bytes)
        sha1.update(Array("bc".utf8).span.bytes)
        #expect(sha1.finish().hex == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(sha1.finish().hex == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
    }

    @Test("SipHash depends on key and input")
    func sipHash() {
        var random = SeededRandom(seed: 7)
        let first = SipHash(using: &random)
        let second = SipHash(using: &random)
        #expect(first.hash([1, 2, 3]) == first.hash([1, 2, 3]))
        #expect(first.hash([1, 2, 3]) != first.hash([1, 2, 4]))
        #expect(first.hash([1, 2, 3]) != second.hash([1, 2, 3]))
    }
}
