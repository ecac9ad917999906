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

@Suite("Checksums and keyed digests")
struct DigestTests {
    static func crc32c(_ bytes: [UInt8]) -> UInt32 { CRC32C.hash(bytes.span.bytes) }
    static func blake2b(_ bytes: [UInt8], for purpose: StaticString) -> UInt160? {
        BLAKE2b.hash160(bytes.span.bytes, for: purpose)
    }

    @Test("CRC-32C gives the check value of its definition and those of RFC 3720, B.4")
    func crc32cVectors() {
        #expect(DigestTests.crc32c(Array("123456789".utf8)) == 0xe306_9283)
        #expect(DigestTests.crc32c([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(DigestTests.crc32c([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(DigestTests.crc32c(Array(0..<32)) == 0x46dd_794e)
        #expect(DigestTests.crc32c([]) == 0)
    }

    @Test("CRC-32C of a number is that of its bytes in network order")
    func crc32cOfNumbers() {
        #expect(CRC32C.hash(0x0102_0304 as UInt32) == DigestTests.crc32c([1, 2, 3, 4]))
        #expect(CRC32C.hash(0x0102_0304_0506_0708 as UInt64) == DigestTests.crc32c([1, 2, 3, 4, 5, 6, 7, 8]))
    }

    @Test("BLAKE2b with a key gives the digest of secure-peer.md, and another for each purpose and length")
    func blake2bVectors() {
        let key = hex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8")
        let digest = DigestTests.blake2b(key, for: "SecPeer v1 nodeid")
        #expect(digest?.bytes == hex("48e8d374ec7d668a448801eff7cb38dc938c5b05"))
        #expect(DigestTests.blake2b(key, for: "SecPeer v1 peerid") != digest)
        let longer = BLAKE2b.hash256(key.span.bytes, for: "SecPeer v1 nodeid")?.bytes.prefix(20)
        #expect(longer.map(Array.init) != digest?.bytes)
    }

    @Test("BLAKE2b without a key gives the digest of RFC 7693, appendix A")
    func blake2bOfRFC() {
        let digest = BLAKE2b.hash(Array("abc".utf8).span.bytes, for: "", byteCount: 64)
        #expect(
            Hex.encode(digest)
                == "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                + "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
        )
    }
}
