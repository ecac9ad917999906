import Cryptography
import PeerWire
import Primitives
import Testing

@Suite("Peer id of a secure session (secure-peer.md, §1)")
struct PeerIDTests {
    static let infoHash = InfoHash(hex: "0123456789abcdef0123456789abcdef01234567")

    static func key(_ text: String) throws -> Ed25519.PublicKey { try Ed25519.PublicKey(text: text) }

    @Test("is the known answer of the design")
    func knownAnswer() throws {
        let key = try PeerIDTests.key("sp1-aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4j2ja")
        let id = PeerID.secure(key, in: try #require(PeerIDTests.infoHash))
        #expect(id.bytes == text("-sw0100-NvuwLdLm-T6y"))
        #expect(id.clientName == "shoal 0.1")
    }

    @Test("is another for each key and for each torrent, in digits that each client can print", arguments: 1...50)
    func differs(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        func key() -> Ed25519.PublicKey {
            .init(UInt256(first: random.next(), second: random.next(), third: random.next(), fourth: random.next()))
        }
        let (first, second) = (key(), key())
        let infoHash = InfoHash(.random(using: &random))
        let id = PeerID.secure(first, in: infoHash)
        #expect(id == PeerID.secure(first, in: infoHash))
        #expect(id != PeerID.secure(second, in: infoHash))
        #expect(id != PeerID.secure(first, in: InfoHash(.random(using: &random))))
        #expect(
            id.bytes.allSatisfy { byte in
                switch byte {
                case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."): true
                default: false
                }
            }
        )
    }
}
