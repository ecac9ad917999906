import Cryptography
import Primitives
import Testing

// The macros of Swift Testing take no spans.

extension X25519.PrivateKey {
    init?(_ bytes: [UInt8]) { self.init(bytes.span.bytes) }

    func shared(with point: [UInt8]) -> [UInt8]? {
        guard let key = X25519.PublicKey(point.span.bytes), var memory = ChangingSecret(byteCount: 64),
            agree(with: key, into: &memory, at: 32)
        else { return nil }
        return memory.bytes.extracting(last: 32).copied
    }
}

@Suite("X25519")
struct X25519Tests {
    @Test(
        "multiplies as RFC 7748, section 5.2, does",
        arguments: [
            (
                "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
            ),
            (
                "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"
            ),
        ]
    )
    func multiplies(scalar: String, point: String, product: String) throws {
        let key = try #require(X25519.PrivateKey(hex(scalar)))
        #expect(key.shared(with: hex(point)) == hex(product))
    }

    @Test("goes on multiplying as RFC 7748 does, a thousand times")
    func iterated() throws {
        let nine = [9] + [UInt8](repeating: 0, count: 31)
        var (scalar, point) = (nine, nine)
        for round in 1...1000 {
            let key = try #require(X25519.PrivateKey(scalar))
            (scalar, point) = (try #require(key.shared(with: point)), scalar)
            if round == 1 {
                #expect(scalar == hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"))
            }
        }
        #expect(scalar == hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"))
    }

    @Test("lets Alice and Bob of RFC 7748, section 6.1, agree")
    func agreement() throws {
        let alice = try #require(
            X25519.PrivateKey(hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))
        )
        let bob = try #require(
            X25519.PrivateKey(hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))
        )
        #expect(alice.publicKey.hex == "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
        #expect(bob.publicKey.hex == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
        let secret = hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
        #expect(alice.shared(with: bob.publicKey.bytes) == secret)
        #expect(bob.shared(with: alice.publicKey.bytes) == secret)
    }

    /// 0, 1, the two points of order 8, and p - 1, p, p + 1: these seven, with and without the bit that is ignored.
    static let pointsOfSmallOrder =
        [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ]

    @Test("agrees on nothing with a point of small order (N25)", arguments: pointsOfSmallOrder, [0, 0x80] as [UInt8])
    func smallOrder(point: String, ignored: UInt8) throws {
        var point = hex(point)
        try #require(point.count == 32)
        point[31] |= ignored
        let key = try #require(X25519.PrivateKey(Array(0x40..<0x60)))
        #expect(key.shared(with: point) == nil)
        // The points beside them are as good as any.
        point[0] ^= 0x10
        #expect(key.shared(with: point) != nil)
    }

    @Test("makes other keys each time, and none of another length")
    func keys() throws {
        let first = try #require(X25519.PrivateKey.random())
        let second = try #require(X25519.PrivateKey.random())
        #expect(first.publicKey != second.publicKey)
        #expect(first.shared(with: second.publicKey.bytes) == second.shared(with: first.publicKey.bytes))
        #expect(X25519.PrivateKey([UInt8](repeating: 1, count: 31)) == nil)
        #expect(X25519.PrivateKey([UInt8](repeating: 1, count: 33)) == nil)
        #expect(X25519.PublicKey([UInt8](repeating: 1, count: 31).span.bytes) == nil)
    }
}

@Suite("Comparison in constant time")
struct ConstantTimeTests {
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        ConstantTime.areEqual(left.span.bytes, right.span.bytes)
    }

    @Test("finds a difference in each bit of each byte", arguments: 0..<32)
    func differences(index: Int) {
        let bytes: [UInt8] = Array(0x60..<0x80)
        #expect(ConstantTimeTests.areEqual(bytes, Array(0x60..<0x80)))
        for bit in 0..<8 {
            var other = bytes
            other[index] ^= 1 << UInt8(bit)
            #expect(!ConstantTimeTests.areEqual(bytes, other))
        }
    }

    @Test("finds a difference in length, and none between nothing and nothing")
    func lengths() {
        #expect(!ConstantTimeTests.areEqual([1, 2, 3], [1, 2]))
        #expect(!ConstantTimeTests.areEqual([], [0]))
        #expect(ConstantTimeTests.areEqual([], []))
    }
}
