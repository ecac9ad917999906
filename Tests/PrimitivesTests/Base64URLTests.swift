import Testing

@testable import Primitives

@Suite("Base64 of URLs")
struct Base64URLTests {
    @Test(
        "the vectors of RFC 4648, section 10, without padding",
        arguments: [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("foobar", "Zm9vYmFy")]
    )
    func vectors(plain: String, coded: String) {
        #expect(Base64URL.encode(Array(plain.utf8)) == coded)
        #expect(Base64URL.decode(coded.utf8) == Array(plain.utf8))
    }

    @Test("all bytes, with the two characters that URLs need otherwise")
    func allBytes() {
        let bytes = (0...255).map { UInt8($0) }
        #expect(Base64URL.encode([0xfb, 0xff]) == "-_8")
        #expect(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes)
    }

    @Test("what no bytes are written as", arguments: ["Z", "Zg=", "Zh", "Zm9v+g", "a b", "Zm9vYg=="])
    func refused(text: String) {
        #expect(Base64URL.decode(text.utf8) == nil)
    }
}
