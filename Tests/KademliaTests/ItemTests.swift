import Bencode
import Cryptography
import Kademlia
import Primitives
import Testing

@Suite("Items (BEP 44)")
struct ItemTests {
    static let value = wire("12:Hello World!")

    /// The private key of BEP 44's vectors, which is an expanded one.
    static func key() throws -> Ed25519.SigningKey {
        let expanded = try #require(
            Hex.decode(
                "e06d3183d14159228433ed599221b80bd0a5ce8352e4bdf0262f76786ef1c74d"
                    + "b7e7a9fea2c0eb269d61e3b38e450a22e754941ac78479d6c54e1faf6037881d"
            )
        )
        let key = Ed25519.SigningKey(expanded: expanded.span.bytes)
        return try #require(key)
    }

    @Test(
        "a mutable item has the target and the signature of the published vectors",
        arguments: [
            (
                "", "4a533d47ec9c7d95b1ad75f576cffc641853b750",
                "305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff"
                    + "1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01"
            ),
            (
                "foobar", "411eba73b6f087ca51a3795d9c8c938d365e32c1",
                "6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17d"
                    + "df9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08"
            ),
        ]
    )
    func mutableVectors(salt: String, target: String, signature: String) throws {
        let item = try Item(signing: ItemTests.value, salt: wire(salt), sequence: 1, with: try ItemTests.key())
        let seal = try #require(item.seal)
        #expect(item.target.hex == target)
        #expect(seal.signature.hex == signature)
        let again = try Item(
            verifying: ItemTests.value,
            key: seal.key,
            salt: wire(salt),
            sequence: 1,
            signature: seal.signature
        )
        #expect(again == item)
    }

    @Test("an immutable item has the target of the published vector")
    func immutableVector() throws {
        #expect(try Item(immutable: ItemTests.value).target.hex == "e5f96f6f38320f0f33959cb4d3d656452117aadb")
    }

    @Test(
        "the target is the hash of key and salt, as in BEP 46's vectors",
        arguments: [
            ("", "cc3f9d90b572172053626f9980ce261a850d050b"), ("n", "59ee7c2cb9b4f7eb1986ee2d18fd2fdb8a56554f"),
        ]
    )
    func targets(salt: String, target: String) throws {
        let bytes = try #require(Hex.decode("8543d3e6115f0f98c944077a4493dcd543e49c739fd998550a1f614ab36ed63e"))
        let key = Ed25519.PublicKey(bytes.span.bytes)
        #expect(key.map { Item.target(of: $0, salt: wire(salt)).hex } == target)
    }

    @Test("a signature over anything else is refused")
    func foreignSignatures() throws {
        let item = try Item(signing: ItemTests.value, salt: wire("foobar"), sequence: 1, with: try ItemTests.key())
        let seal = try #require(item.seal)
        let others: [(value: String, salt: String, sequence: Int64)] = [
            ("12:Hello World?", "foobar", 1), ("12:Hello World!", "foobaz", 1), ("12:Hello World!", "", 1),
            ("12:Hello World!", "foobar", 2),
        ]
        for other in others {
            #expect(throws: ItemError.invalidSignature) {
                try Item(
                    verifying: wire(other.value),
                    key: seal.key,
                    salt: wire(other.salt),
                    sequence: other.sequence,
                    signature: seal.signature
                )
            }
        }
    }

    @Test(
        "a value is one bencoded value in its one form (N6, P4)",
        arguments: [
            ("", BencodeError.Kind.truncated, 0),
            ("5:hell", .stringPastEnd(length: 5), 0),
            ("i03e", .malformedInteger, 0),
            ("i1ei2e", .trailingBytes, 3),
            ("d1:b0:1:a0:e", .keyOutOfOrder, 6),
            ("d1:a0:1:a0:e", .keyOutOfOrder, 6),
            ("ld1:b0:1:a0:ee", .keyOutOfOrder, 7),
            ("lllllllll", .deeperThan(8), 8),
        ]
    )
    func malformed(value: String, kind: BencodeError.Kind, offset: Int) {
        #expect(throws: ItemError.malformedValue(BencodeError(kind, at: offset))) {
            try Item(immutable: wire(value))
        }
    }

    @Test("a value has at most 1000 bytes, a salt 64, a sequence number is not negative (N13)")
    func limits() throws {
        let key = try ItemTests.key()
        let longest = wire("996:" + String(repeating: "x", count: 996))
        let tooLong = wire("997:" + String(repeating: "x", count: 997))
        let salt = [UInt8](repeating: 1, count: 64)
        #expect(throws: Never.self) { try Item(signing: longest, salt: salt, sequence: .max, with: key) }
        #expect(throws: ItemError.valueTooLong) { try Item(immutable: tooLong) }
        #expect(throws: ItemError.saltTooLong) { try Item(signing: longest, salt: salt + [1], sequence: 0, with: key) }
        #expect(throws: ItemError.negativeSequence) { try Item(signing: longest, sequence: -1, with: key) }
    }

    @Test("a later version is newer, an equal one and an earlier one are not")
    func versions() throws {
        let key = try ItemTests.key()
        let versions = try (0...2).map { try Item(signing: ItemTests.value, sequence: $0, with: key) }
        #expect(versions.map { $0.isNewer(than: versions[1]) } == [false, false, true])
        #expect(versions[0].isNewer(than: nil))
    }
}
