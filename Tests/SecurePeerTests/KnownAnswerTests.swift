import Cryptography
import Primitives
import Testing

@testable import SecurePeer

@Suite("The known answers of secure-peer.md, §3")
struct KnownAnswerTests {
    static func digest(_ bytes: [UInt8]) -> String { Hex.encode(SHA256.hash(bytes.span.bytes).bytes) }

    @Test("a certificate")
    func certificate() throws {
        let certificate = try Known.alice.identity().certificate
        #expect(certificate.bytes.count == Certificate.byteCount)
        #expect(
            KnownAnswerTests.digest(certificate.bytes)
                == "6e7d402a068746dd0608fddad1115f6026d91c2bea998e09e0da1ab33671b64b"
        )
    }

    @Test("an open session: every message, the binding, the first record")
    func open() throws {
        var pair = try Pair()
        #expect(
            Hex.encode(pair.hello)
                == "1453656350656572010100000020d89e3bad79437dbed9f843418304f460ff05c7fe81fe4a9577a804cb9367ff66"
        )
        #expect(pair.answer.count == 280)
        #expect(
            KnownAnswerTests.digest(pair.answer) == "4cd991a8a1514a1db36f7b0bf1a1bbf0ce655cb834c2815a462b7d655b2d047e"
        )
        #expect(pair.proof.count == 282)
        #expect(
            KnownAnswerTests.digest(pair.proof) == "059e3142c8ad00f3f098411f66049e0ebc87aa453118b546bc394249e567ab1e"
        )
        let binding = "3705ef1892e61cbcd15b4a5c554ed7065c2346589a4bf9066650e636956e0760"
        #expect(Hex.encode(pair.alice.binding.bytes) == binding)
        #expect(Hex.encode(pair.bob.binding.bytes) == binding)
        let record = try pair.alice.says([0, 0, 0, 0])
        #expect(Hex.encode(record) == "001586081d09bba94134f306a655ed020d288ba145e783")
        #expect(pair.bob.hears(record) == .data([0, 0, 0, 0], consumed: 23))
    }

    @Test("a private session's binding")
    func privateSwarm() throws {
        let pair = try Pair(.privateSwarm(Known.swarmKey(7)))
        let binding = "37a251962567020b80691584bc33ea3a2f55c5b74b4c5f2e3c0e6ec195777dc6"
        #expect(Hex.encode(pair.alice.binding.bytes) == binding)
        #expect(Hex.encode(pair.bob.binding.bytes) == binding)
        #expect(pair.hello.count == 62)
    }
}
