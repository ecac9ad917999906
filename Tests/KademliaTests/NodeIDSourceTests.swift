import Cryptography
import Kademlia
import Primitives
import Testing

@Suite("Node identifiers from key and address (BEP 42)")
struct NodeIDSourceTests {
    struct Vector: Sendable {
        let address: String
        let last: UInt8
        let head: UInt32
    }

    /// BEP 42's own: address, last byte, the first three bytes, of which 21 bits count.
    static let vectors = [
        Vector(address: "124.31.75.21", last: 1, head: 0x5fbfbf),
        Vector(address: "21.75.31.124", last: 86, head: 0x5a3ce9),
        Vector(address: "65.23.51.170", last: 22, head: 0xa5d432),
        Vector(address: "84.124.73.14", last: 65, head: 0x1b0321),
        Vector(address: "43.213.53.83", last: 90, head: 0xe56f6c),
    ]

    static func address(_ text: String) -> IPAddress { IPAddress(text) ?? .anyV4 }

    @Test("have the heads of BEP 42's vectors", arguments: vectors)
    func bep42(vector: Vector) {
        let address = NodeIDSourceTests.address(vector.address)
        let source = NodeIDSource(UInt160(high: .max, middle: 0, low: UInt32(vector.last)))
        let id = source.id(at: address)
        #expect(id.value.high >> 43 == UInt64(vector.head) >> 3)
        #expect(id.bytes.last == vector.last)
        #expect(id.fits(address))
    }

    @Test("need all 21 bits and the last three, and nothing else", arguments: vectors)
    func everyBit(vector: Vector) {
        let address = NodeIDSourceTests.address(vector.address)
        let id = NodeIDSource(UInt160(high: 0, middle: 0, low: UInt32(vector.last))).id(at: address)
        for bit in 0..<160 {
            var bytes = id.bytes
            bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8)
            // Another number of the eight may have the same head by chance, one time in two million; none of these has.
            #expect(NodeID(bytes)?.fits(address) == ((21..<157).contains(bit)))
        }
    }

    @Test("are those of secure-peer.md for its key: locally, over IPv4, over IPv6")
    func securePeer() throws {
        let seed = Array(UInt8(0)..<32)
        let signingKey = Ed25519.SigningKey(seed: seed.span.bytes)
        let source = try NodeIDSource(#require(signingKey).publicKey)
        #expect(source.id(at: nil).hex == "48e8d374ec7d668a448801eff7cb38dc938c5b05")
        for local in ["127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.1.1", "100.64.0.1", "::1", "fe80::1", "fd00::1"]
        {
            #expect(source.id(at: IPAddress(local)) == source.id(at: nil))
        }
        #expect(source.id(at: IPAddress("124.31.75.21")).hex == "0d1f7374ec7d668a448801eff7cb38dc938c5b05")
        #expect(source.id(at: IPAddress("2001:db8::1")).hex == "45883b74ec7d668a448801eff7cb38dc938c5b05")
    }

    @Test("are known as one's own whatever address they are for")
    func own() {
        let source = NodeIDSource(UInt160(high: 0x1234_5678_9abc_def0, middle: 2, low: 3))
        for text in ["124.31.75.21", "21.75.31.124", "127.0.0.1", "2400::1"] {
            #expect(source.made(source.id(at: IPAddress(text))))
        }
        #expect(!source.made(NodeIDSource(UInt160(high: 0x1234_5678_9abc_def0, middle: 2, low: 4)).id(at: nil)))
        #expect(!source.made(NodeIDSource(UInt160(high: 0x1234_5678_9abc_def1, middle: 2, low: 3)).id(at: nil)))
    }

    @Test("fit any address that is not public")
    func exempt() {
        let id = NodeID(.max)
        for local in ["127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.3.4", "169.254.0.9", "::1", "fe80::2"] {
            #expect(id.fits(NodeIDSourceTests.address(local)))
        }
        #expect(!id.fits(NodeIDSourceTests.address("20.0.0.1")))
        #expect(!id.fits(NodeIDSourceTests.address("2001:db8::1")))
    }
}
