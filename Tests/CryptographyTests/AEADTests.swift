import Cryptography
import Primitives
import Testing

extension ChangingSecret {
    /// Memory with some bytes in it, which are no secret.
    static func holding(_ bytes: [UInt8]) throws -> ChangingSecret {
        guard var secret = ChangingSecret(byteCount: bytes.count) else { throw NoMemory() }
        secret.copy(bytes.span.bytes, at: 0)
        return secret
    }

    struct NoMemory: Error {}
}

/// A key in its place, and the cipher. A class, because the macros of Swift Testing copy what they show.
private final class Box {
    let keys: ChangingSecret
    var cipher: ChaCha20Poly1305

    init(key: [UInt8]) throws {
        let keys = try ChangingSecret.holding(key)
        guard let cipher = ChaCha20Poly1305() else { throw ChangingSecret.NoMemory() }
        self.cipher = cipher
        self.keys = keys
    }

    func seal(_ parts: [[UInt8]], nonce: UInt64, _ authenticated: [UInt8] = [], room count: Int? = nil) -> [UInt8]? {
        let length = count ?? parts.reduce(ChaCha20Poly1305.tagByteCount) { $0 + $1.count }
        // Two bytes before and one behind, which nobody may touch.
        var output = [UInt8](repeating: 0xee, count: length + 3)
        var span = output.mutableSpan
        var room = span.mutableBytes
        let isSealed = cipher.seal(
            with: keys,
            0..<32,
            nonce: nonce,
            authenticating: authenticated.span.bytes,
            into: &room,
            2..<length + 2
        ) { text in
            for part in parts { text.append(part.span.bytes) }
        }
        guard output[0] == 0xee, output[1] == 0xee, output[length + 2] == 0xee else { return nil }
        return isSealed ? Array(output[2..<length + 2]) : nil
    }

    func open(_ sealed: [UInt8], nonce: UInt64, _ authenticated: [UInt8] = []) -> [UInt8]? {
        var text = [0xee] + sealed + [0xee]
        var span = text.mutableSpan
        var room = span.mutableBytes
        let range = 1..<sealed.count + 1
        guard
            cipher.open(
                with: keys,
                0..<32,
                nonce: nonce,
                authenticating: authenticated.span.bytes,
                in: &room,
                range
            )
        else { return nil }
        guard text.first == 0xee, text.last == 0xee else { return nil }
        return text[range].dropLast(ChaCha20Poly1305.tagByteCount)
    }
}

@Suite("ChaCha20-Poly1305")
struct ChaCha20Poly1305Tests {
    /// RFC 8439, appendix A.5, whose nonce begins with zeros, as all of ours do.
    static let key = hex("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0")
    static let text = Array(
        ("Internet-Drafts are draft documents valid for a maximum of six months and may be updated, replaced, or obsoleted "
            + "by other documents at any time. It is inappropriate to use Internet-Drafts as reference material or to cite "
            + "them other than as /\u{201c}work in progress./\u{201d}").utf8
    )
    static let nonce: UInt64 = 0x0807_0605_0403_0201
    static let authenticated = hex("f33388860000000000004e91")

    @Test("seals and opens as RFC 8439, appendix A.5, does")
    func vector() throws {
        let box = try Box(key: ChaCha20Poly1305Tests.key)
        let sealed = try #require(
            box.seal([Self.text], nonce: Self.nonce, Self.authenticated)
        )
        #expect(Self.text.count == 265)
        #expect(Hex.encode(Array(sealed.prefix(16))) == "64a0861575861af460f062c79be643bd")
        #expect(Hex.encode(sealed.suffix(16)) == "eead9d67890cbb22392336fea1851f38")
        #expect(box.open(sealed, nonce: Self.nonce, Self.authenticated) == Self.text)
    }

    @Test("gathers: where the parts end makes no difference", arguments: [1, 2, 63, 64, 65, 127, 255, 256, 257, 1000])
    func parts(length: Int) throws {
        var random = SeededRandom(seed: 9)
        let text = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }
        var parts: [[UInt8]] = [[]]
        for start in stride(from: 0, to: text.count, by: length) {
            parts.append(Array(text[start..<min(start + length, text.count)]))
        }
        let box = try Box(key: Self.key)
        let whole = try #require(box.seal([text], nonce: 5))
        #expect(box.seal(parts, nonce: 5) == whole)
        #expect(box.open(whole, nonce: 5) == text)
    }

    @Test("opens nothing that differs in a bit, a nonce, what it goes with, or its length")
    func differences() throws {
        let box = try Box(key: Self.key)
        let sealed = try #require(box.seal([[1, 2, 3]], nonce: 7, [9]))
        #expect(box.open(sealed, nonce: 7, [9]) == [1, 2, 3])
        for bit in 0..<sealed.count * 8 {
            var other = sealed
            other[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(box.open(other, nonce: 7, [9]) == nil)
        }
        #expect(box.open(sealed, nonce: 8, [9]) == nil)
        #expect(box.open(sealed, nonce: 7 + 1 << 32, [9]) == nil)
        #expect(box.open(sealed, nonce: 7, [8]) == nil)
        #expect(box.open(sealed, nonce: 7) == nil)
        #expect(box.open(sealed.dropLast(), nonce: 7, [9]) == nil)
        #expect(box.open(sealed + [0], nonce: 7, [9]) == nil)
        #expect(box.open([], nonce: 7, [9]) == nil)
        #expect(box.open(sealed, nonce: 7, [9]) == [1, 2, 3])
    }

    @Test("seals nothing where more or less is gathered than there is room for", arguments: [-1, 1, -3])
    func room(difference: Int) throws {
        let box = try Box(key: Self.key)
        #expect(box.seal([[1, 2], [3]], nonce: 1, room: 19 + difference) == nil)
        #expect(box.seal([[1, 2], [3]], nonce: 1, room: 19) != nil)
        #expect(box.seal([[1]], nonce: 1, room: 15) == nil)
    }

    @Test("takes no key that leaves its memory")
    func keys() throws {
        let bytes = [UInt8](repeating: 1, count: 40)
        let keys = try ChangingSecret.holding(bytes)
        guard var cipher = ChaCha20Poly1305() else { throw ChangingSecret.NoMemory() }
        for (range, isGood) in [(0..<32, true), (8..<40, true), (9..<41, false), (-1..<31, false), (0..<31, false)] {
            var output = [UInt8](repeating: 0, count: 16)
            var span = output.mutableSpan
            var room = span.mutableBytes
            let isSealed = cipher.seal(with: keys, range, nonce: 0, into: &room, 0..<16) { _ in }
            #expect(isSealed == isGood)
        }
    }
}

@Suite("Derivation of keys")
struct HKDFTests {
    /// RFC 5869, appendix A.3: no salt, which is one of zeros, and no `info`.
    @Test("is that of RFC 5869, appendix A.3")
    func vector() throws {
        var keys = try ChangingSecret.holding([UInt8](repeating: 0, count: 74) + [UInt8](repeating: 0x0b, count: 22))
        HKDF.advance(&keys, keyCount: 2, with: 74..<96)
        let text = Hex.encode(keys.bytes.copied)
        #expect(text.hasPrefix("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"))
        #expect(text.hasSuffix(String(repeating: "0", count: 20) + String(repeating: "0b", count: 22)))
    }
}

@Suite("SHA-256")
struct SHA256Tests {
    @Test(
        "gives the digests of FIPS 180-4, wherever a text is cut",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ]
    )
    func vectors(text: String, digest: String) {
        let bytes = Array(text.utf8)
        #expect(Hex.encode(SHA256.hash(bytes.span.bytes).bytes) == digest)
        for cut in 0...bytes.count {
            let rest = Array(bytes.dropFirst(cut))
            #expect(Hex.encode(SHA256.hash(Array(bytes.prefix(cut)), rest.span.bytes).bytes) == digest)
        }
    }
}
