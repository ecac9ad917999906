import PeerWire
import Primitives
import Testing

@Suite("Client name")
struct ClientNameTests {
    @Test(
        "is read from the styles of BEP 20",
        arguments: [
            ("-LT2100-", "libtorrent 2.1"), ("-TR3000-", "Transmission 3.0"), ("-TR4060-", "Transmission 4.0.6"),
            ("-qB4520-", "qBittorrent 4.5.2"), ("-DE211s-", "Deluge 2.1.1"), ("-UT355W-", "µTorrent 3.5.5"),
            ("-lt0D80-", "rTorrent 0.13.8"), ("-sw0100-", "shoal 0.1"), ("-ZZ1234-", "ZZ 1.2.3.4"),
            ("A2-1-36-0-", "aria2 1.36.0"), ("M7-10-5--", "BitTorrent 7.10.5"), ("Q1-0-0--", "Queen Bee 1.0.0"),
            ("S58B-----", "unknown (S58B----)"), ("\u{1b}[2J", "unknown"), ("", "unknown"),
            ("-LT\u{7}\u{8}00-", "unknown (-LT)"),
        ]
    )
    func names(prefix: String, name: String) throws {
        let bytes = Array((text(prefix) + [UInt8](repeating: 0, count: 20)).prefix(20))

        #expect(try #require(PeerID(bytes)).clientName == name)
    }

    @Test("of any peer id is printable ASCII or from the table", arguments: 1...100 as ClosedRange<UInt64>)
    func printable(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let name = PeerID(.random(using: &random)).clientName

        #expect(name.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 && $0.value < 0x100 })
        #expect((1...40).contains(name.count))
    }

    @Test("of ours begins with our prefix and goes on at random")
    func own() {
        var random = SeededRandom(seed: 7)
        let first = PeerID.shoal(using: &random)
        let second = PeerID.shoal(using: &random)

        #expect(Array(first.bytes[..<8]) == text("-sw0100-"))
        #expect(first != second)
        #expect(first.clientName == "shoal 0.1")
    }

    @Test(
        "text from a remote keeps nothing that could disguise or move",
        arguments: [
            ("plain 1.0", "plain 1.0"), ("a\u{0}b\u{9b}c\u{7f}", "abc"), ("\u{200b}\u{2066}x\u{feff}", "x"),
            ("e\u{301}\u{301}\u{301}", "e"), ("line\u{2028}two", "linetwo"), ("日本", "日本"),
        ]
    )
    func sanitised(sent: String, kept: String) {
        #expect(PrintableText.from(sent.utf8) == kept)
    }

    @Test("text from a remote is cut, and nothing at all is no text")
    func bounded() {
        #expect(PrintableText.from(Array(repeating: UInt8(ascii: "a"), count: 60_000))?.count == 64)
        #expect(PrintableText.from([0x1b, 0x20, 0x0a]) == nil)
        #expect(PrintableText.from([0xff, 0x41]) == "\u{fffd}A")
    }
}
