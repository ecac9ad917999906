import Cryptography
import Primitives
import Testing

/// The bytes of a hexadecimal literal.
func hex(_ text: String) -> [UInt8] { Hex.decode(text) ?? [] }

// The macros of Swift Testing take no spans.

extension Ed25519.SigningKey {
    init?(seed: [UInt8]) { self.init(seed: seed.span.bytes) }
    init?(expanded: [UInt8]) { self.init(expanded: expanded.span.bytes) }
    func signature(of message: [UInt8]) -> Ed25519.Signature? { signature(of: message.span.bytes) }
}

extension Ed25519.PublicKey {
    init?(_ bytes: [UInt8]) { self.init(bytes.span.bytes) }
    func made(_ signature: Ed25519.Signature, of message: [UInt8]) -> Bool {
        Ed25519.verify(signature, of: message.span.bytes, by: self)
    }
}

extension Ed25519.Signature {
    init?(_ bytes: [UInt8]) { self.init(bytes.span.bytes) }
}

@Suite("Ed25519")
struct Ed25519Tests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let seed: String
        let key: String
        let message: String
        let signature: String
        var testDescription: String { "message of \(message.utf8.count / 2) bytes" }
    }

    /// RFC 8032, 7.1, TEST 1 to 3.
    static let vectors = [
        Vector(
            seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            key: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            message: "",
            signature: "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
                + "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
        Vector(
            seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            key: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            message: "72",
            signature: "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
        Vector(
            seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            key: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            message: "af82",
            signature: "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ]

    @Test("signs and verifies as RFC 8032 does", arguments: vectors)
    func rfc8032(vector: Vector) throws {
        let signingKey = try #require(Ed25519.SigningKey(seed: hex(vector.seed)))
        let message = hex(vector.message)
        #expect(signingKey.publicKey.hex == vector.key)
        let signature = try #require(signingKey.signature(of: message))
        #expect(signature.hex == vector.signature)
        #expect(signingKey.publicKey.made(signature, of: message))
    }

    static let bep44Key = "77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548"
    static let bep44Expanded =
        "e06d3183d14159228433ed599221b80bd0a5ce8352e4bdf0262f76786ef1c74d"
        + "b7e7a9fea2c0eb269d61e3b38e450a22e754941ac78479d6c54e1faf6037881d"

    @Test(
        "signs with the expanded key of BEP 44 as its vectors do, without and with salt",
        arguments: [
            (
                "3:seqi1e1:v12:Hello World!",
                "305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff"
                    + "1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01"
            ),
            (
                "4:salt6:foobar3:seqi1e1:v12:Hello World!",
                "6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17d"
                    + "df9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08"
            ),
        ]
    )
    func bep44(buffer: String, expected: String) throws {
        let signingKey = try #require(Ed25519.SigningKey(expanded: hex(Ed25519Tests.bep44Expanded)))
        let message = Array(buffer.utf8)
        #expect(signingKey.publicKey.hex == Ed25519Tests.bep44Key)
        let signature = try #require(signingKey.signature(of: message))
        #expect(signature.hex == expected)
        #expect(signingKey.publicKey.made(signature, of: message))
    }

    @Test("signs an availability record as secure-peer.md, section 2, says")
    func availabilityRecord() throws {
        let signingKey = try #require(Ed25519.SigningKey(seed: Array(0..<32)))
        let salt = Array("sp1h".utf8) + hex("0123456789abcdef0123456789abcdef01234567")
        let value =
            Array("d1:ci100000e1:e6:".utf8) + hex("7c1f4b151ae1")
            + Array("1:fi3e1:h1:\u{1}1:ni100000e1:pi6881e1:ti3600e1:ui1e1:vi1ee".utf8)
        let message = Array("4:salt24:".utf8) + salt + Array("3:seqi1700000000000e1:v".utf8) + value
        #expect(signingKey.publicKey.hex == "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8")
        #expect(
            signingKey.signature(of: message)?.hex
                == "dc2d384a908da3974fcf6b2c6ed377188e1ba748d340eea1be9df8ac119b26f5"
                + "f6c1323ee674ee80fcf757fb85bc7fecde6deb0684c79a5e582383a3650bd40c"
        )
    }

    @Test("refuses a signature when a bit of it, of the message or of the key differs", arguments: 0..<8)
    func flipped(bit: Int) throws {
        let signingKey = try #require(Ed25519.SigningKey(seed: Array(0..<32)))
        let message = Array("availability".utf8)
        let signature = try #require(signingKey.signature(of: message))
        func flip(_ bytes: [UInt8], _ index: Int) -> [UInt8] {
            var bytes = bytes
            bytes[index % bytes.count] ^= 1 << UInt8(bit)
            return bytes
        }
        for index in 0..<64 {
            let other = try #require(Ed25519.Signature(flip(signature.bytes, index)))
            #expect(!signingKey.publicKey.made(other, of: message))
            #expect(!signingKey.publicKey.made(signature, of: flip(message, index)))
            let key = try #require(Ed25519.PublicKey(flip(signingKey.publicKey.bytes, index)))
            #expect(!key.made(signature, of: message))
        }
    }

    @Test("refuses a scalar that has the group's order added, and keys of small order")
    func malleable() throws {
        let signingKey = try #require(Ed25519.SigningKey(seed: Array(0..<32)))
        let signature = try #require(signingKey.signature(of: [1]))
        let order = Array(hex("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed").reversed())
        var carry: UInt16 = 0
        let shifted: [UInt8] = zip(signature.scalar.bytes, order).map { left, right in
            carry = carry >> 8 + UInt16(left) + UInt16(right)
            return UInt8(truncatingIfNeeded: carry)
        }
        let other = try #require(Ed25519.Signature(signature.point.bytes + shifted))
        #expect(!signingKey.publicKey.made(other, of: [1]))

        // The neutral element "signs" every message with itself as the point and zero as the scalar.
        let neutral = try #require(Ed25519.PublicKey([1] + [UInt8](repeating: 0, count: 31)))
        let zero = UInt256(first: 0, second: 0, third: 0, fourth: 0)
        let forged = Ed25519.Signature(point: neutral.value, scalar: zero)
        #expect(!neutral.made(forged, of: [1]))
    }

    @Test("takes no seed of another length, no expanded key of another length, and no key that is no point")
    func malformed() {
        #expect(Ed25519.SigningKey(seed: [UInt8](repeating: 1, count: 31)) == nil)
        #expect(Ed25519.SigningKey(seed: [UInt8](repeating: 1, count: 64)) == nil)
        #expect(Ed25519.SigningKey(expanded: [UInt8](repeating: 1, count: 63)) == nil)
        #expect(Ed25519.SigningKey(expanded: [UInt8](repeating: 0, count: 64)) == nil)
        #expect(Ed25519.PublicKey([UInt8](repeating: 1, count: 31)) == nil)
        #expect(Ed25519.Signature([UInt8](repeating: 1, count: 63)) == nil)
    }
}
