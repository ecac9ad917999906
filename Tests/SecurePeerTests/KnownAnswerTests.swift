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

    static func key(_ slot: KeyRoom.Slot, of session: borrowing SecureSession) -> String {
        Hex.encode(session.keys.memory.bytes.extracting(slot.range).copied)
    }

    @Test("the keys of an open session, the same on both sides")
    func keys() throws {
        let pair = try Pair()
        let initiator = "ae1654e701bff183e6380a921a9725b155c12d12ae75e9f86432dccab7ce7be0"
        let responder = "401816bef558e29c6d31c335f7d36b0b7e4ff20f0bfdc04c402eb192dcf6aa99"
        #expect(KnownAnswerTests.key(.initiator, of: pair.alice) == initiator)
        #expect(KnownAnswerTests.key(.responder, of: pair.alice) == responder)
        #expect(KnownAnswerTests.key(.initiator, of: pair.bob) == initiator)
        #expect(KnownAnswerTests.key(.responder, of: pair.bob) == responder)
        // Nothing else of the handshake is left in the room.
        #expect(KnownAnswerTests.key(.third, of: pair.bob) == String(repeating: "0", count: 64))
    }

    @Test("the first renewal of the initiator's key, and the records on both sides of it")
    func renewal() throws {
        var pair = try Pair()
        for _ in 0..<65_535 {
            let record = try pair.alice.says([])
            try #require(pair.bob.hears(record) == .data([], consumed: 19))
        }
        let last = try pair.alice.says([0, 0, 0, 0])
        #expect(Hex.encode(last) == "001541b3caff7ae2fb8bb719fa79f591376819fec00d93")
        #expect(pair.bob.hears(last) == .data([0, 0, 0, 0], consumed: 23))
        let first = try pair.alice.says([0, 0, 0, 0])
        // Made from the design's numbers by another implementation (pyca/cryptography).
        #expect(Hex.encode(first) == "001566ea1a9494bd6e3415891e52a7a11c921050122b4a")
        #expect(pair.bob.hears(first) == .data([0, 0, 0, 0], consumed: 23))
        let renewed = "e07886a1aac222b9d246193ee4f797446038880576ec217c509e11a54cbb935e"
        #expect(KnownAnswerTests.key(.initiator, of: pair.alice) == renewed)
        #expect(KnownAnswerTests.key(.initiator, of: pair.bob) == renewed)
    }
}
