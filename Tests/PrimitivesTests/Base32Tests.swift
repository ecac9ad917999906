import Primitives
import Testing

@Suite("Base 32 (RFC 4648)")
struct Base32Tests {
    @Test(
        "is read and written as the RFC prints it, but for the padding; read in either case, written in lower",
        arguments: [
            ("", ""), ("MY", "f"), ("MZXQ", "fo"), ("mzxw6", "foo"), ("MZXW6YQ", "foob"), ("MZXW6YTB", "fooba"),
            ("MZXW6YTBOI", "foobar"),
        ]
    )
    func vectors(text: String, bytes: String) {
        #expect(Base32.decode(text) == Array(bytes.utf8))
        #expect(Base32.encode(Array(bytes.utf8)) == text.lowercased())
    }

    @Test("survives the way there and back for any bytes", arguments: 0..<40)
    func roundTrip(count: Int) {
        var random = SeededRandom(seed: UInt64(count))
        let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        #expect(Base32.decode(Base32.encode(bytes)) == bytes)
    }

    @Test(
        "is refused with an impossible length, with spare bits set, or with other characters",
        arguments: ["M", "MZX", "MZ", "M=", "0A", "M1", "M8", "MÝ"]
    )
    func refuses(text: String) {
        #expect(Base32.decode(text) == nil)
    }
}
