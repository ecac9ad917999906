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

    /// The reference implementation's `vectors_sip64`: key 00 01 … 0f, input 00 01 … of that many bytes.
    static let sipHashVectors: [(byteCount: Int, hash: UInt64)] = [
        (0, 0x726f_db47_dd0e_0e31), (1, 0x74f8_39c5_93dc_67fd), (7, 0xab02_00f5_8b01_d137),
        (8, 0x93f5_f579_9a93_2462), (9, 0x9e00_82df_0ba9_e4b0), (15, 0xa129_ca61_49be_45e5),
        (16, 0x3f2a_cc7f_57c2_9bdb), (63, 0x958a_324c_eb06_4572),
    ]

    @Test("SipHash gives the digests of its authors", arguments: sipHashVectors)
    func sipHash(byteCount: Int, hash: UInt64) {
        let sipHash = SipHash(key: (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908))
        #expect(sipHash.hash((0..<UInt8(byteCount)).map { $0 }) == hash)
    }

    @Test("SipHash of words is that of their bytes", arguments: [1, 2, 3] as [UInt64])
    func sipHashOfWords(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let sipHash = SipHash(using: &random)
        let words = (0..<5).map { _ in random.next() }
        func hash(words count: Int) -> UInt64 {
            sipHash.hash(
                words.prefix(count).flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
            )
        }
        #expect(sipHash.hash(words[0]) == hash(words: 1))
        #expect(sipHash.hash(words[0], words[1]) == hash(words: 2))
        #expect(sipHash.hash(words[0], words[1], words[2], words[3], words[4]) == hash(words: 5))
    }

    @Test("SipHash depends on key and input")
    func sipHashDependence() {
        var random = SeededRandom(seed: 7)
        let first = SipHash(using: &random)
        let second = SipHash(using: &random)
        #expect(first.hash([1, 2, 3]) == first.hash([1, 2, 3]))
        #expect(first.hash([1, 2, 3]) != first.hash([1, 2, 4]))
        #expect(first.hash([1, 2, 3]) != second.hash([1, 2, 3]))
    }
}
