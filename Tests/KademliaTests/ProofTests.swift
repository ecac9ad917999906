import Cryptography
import Primitives
import Testing

@testable import Kademlia

@Suite("Proving who holds a key (sp_id)")
struct ProofTests {
    static let us = Kin.known
    static let nonce = (0x40..<0x60).map { UInt8($0) }
    static let asker = Endpoint.at("20.0.0.5:6881")

    static func isProof(_ reply: String?) -> Bool { reply?.contains("3:sig64:") == true }

    // MARK: Answering

    /// The reply was computed by libsodium, called from Python, with another bencoder.
    @Test("a query of 233 bytes is answered with 180, byte by byte those of the known answer")
    func knownAnswer() throws {
        var dialogue = Dialogue(kin: Self.us)
        let query = Kin.question(Self.nonce)
        #expect(wire(query).count == 233)
        let reply = dialogue.answer(to: query, from: Self.asker)
        let answer = try #require(reply)
        #expect(wire(answer).count == 180)
        #expect(
            Hex.encode(wire(answer))
                == "64323a6970363a140000051ae1313a7264323a696432303a0d1f7374ec7d668a448801eff7cb38dc938c5b05313a6b33323a"
                + "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8333a73696736343a"
                + "66f9d126ceeb10c9b1ef16570552ab02af03b43b867e395b3613506c9d792821810481600c2d301d66e75276ffa34d13"
                + "2566991148be41d9de7131bd3d210d0565313a74343a61626364313a76343a73770001313a79313a7265"
        )
    }

    @Test("the signature is over the question, our identifier and the querier as we see it")
    func signature() throws {
        var dialogue = Dialogue(kin: Self.us)
        let reply = dialogue.answer(to: Kin.question(Self.nonce), from: Self.asker)
        let answer = try #require(reply)
        let range = try #require(answer.firstRange(of: "3:sig64:"))
        let bytes = wire(String(answer[range.upperBound...])).prefix(64)
        let proof = Ed25519.Signature(Array(bytes).span.bytes)
        let signature = try #require(proof)
        let signed = Kin.signedBytes(text(Self.nonce), Self.us.contact.id, Self.asker)
        let isOfUs = Ed25519.verify(signature, of: signed.span.bytes, by: Self.us.key.publicKey)
        #expect(isOfUs)
        let other = Kin.signedBytes(text(Self.nonce), Self.us.contact.id, .at("20.0.0.5:6882"))
        let isOfOther = Ed25519.verify(signature, of: other.span.bytes, by: Self.us.key.publicKey)
        #expect(!isOfOther)
    }

    @Test(
        "a question of another length than 32 bytes gets 203, and so does a query shorter than its answer",
        arguments: [(31, 120), (33, 120), (0, 120), (32, 0), (32, 65)]
    )
    func malformed(nonce: Int, padding: Int) {
        var dialogue = Dialogue(kin: Self.us)
        let query = Kin.question([UInt8](repeating: 1, count: nonce), padding: padding)
        let reply = dialogue.answer(to: query, from: Self.asker)
        #expect(AnsweringTests.error(203, in: reply))
        #expect(wire(reply ?? "").count <= wire(query).count)
    }

    @Test("no query gets a longer answer", arguments: [66, 67, 68, 120, 500])
    func notLonger(padding: Int) throws {
        var dialogue = Dialogue(kin: Self.us)
        let query = Kin.question(Self.nonce, padding: padding)
        let answer = dialogue.answer(to: query, from: Self.asker)
        let reply = try #require(answer)
        #expect(wire(reply).count <= wire(query).count)
    }

    @Test("a node without a key does not know the query")
    func keyless() {
        var dialogue = Dialogue()
        #expect(AnsweringTests.error(204, in: dialogue.answer(to: Kin.question(Self.nonce), from: Self.asker)))
    }

    @Test("an address gets one proof a second, an IPv6 host too, and then hears that we are busy (D18)")
    func onePerAddress() {
        var dialogue = Dialogue(kin: Self.us)
        let query = Kin.question(Self.nonce)
        #expect(Self.isProof(dialogue.answer(to: query, from: Self.asker)))
        #expect(AnsweringTests.error(202, in: dialogue.answer(to: query, from: Self.asker)))
        #expect(AnsweringTests.error(202, in: dialogue.answer(to: query, from: .at("20.0.0.5:7000"))))
        #expect(Self.isProof(dialogue.answer(to: query, from: .at("20.0.0.6:6881"))))
        dialogue.passes(.seconds(1))
        #expect(Self.isProof(dialogue.answer(to: query, from: Self.asker)))
        var other = Dialogue(kin: Kin(0, at: "[2600::1]:6881"))
        #expect(Self.isProof(other.answer(to: query, from: .at("[2600:1::1]:1"))))
        #expect(AnsweringTests.error(202, in: other.answer(to: query, from: .at("[2600:1::2]:1"))))
    }

    @Test("all together get a hundred proofs a second (D18)")
    func hundredInAll() {
        var dialogue = Dialogue(kin: Self.us)
        let answered = (0..<300).count { index in
            let asker = Endpoint(.v4(0x1400_0001 + UInt32(index) << 8), 6881)
            return Self.isProof(dialogue.answer(to: Kin.question(Self.nonce), from: asker))
        }
        #expect(answered == 100)
    }

    @Test("hosts on loopback are not counted one by one (D19)")
    func loopback() {
        var dialogue = Dialogue(kin: Kin(0, at: "127.0.0.1:6881"))
        for port in 1..<20 {
            let reply = dialogue.answer(to: Kin.question(Self.nonce), from: .at("127.0.0.1:\(port)"))
            #expect(reply?.contains("3:sig64:") == true)
        }
    }

    // MARK: Asking

    static let friend = Kin(1, at: "20.0.9.1:6881")

    /// Has the node meet a stranger of our kind; returns its question.
    static func question(_ dialogue: inout Dialogue, to kin: Kin = friend) -> Dialogue.Sent {
        dialogue.receives(
            "d1:ad2:id20:\(kin.contact.id.wireText)e1:q4:ping1:t1:x\(Kin.version)1:y1:qe",
            from: kin.endpoint
        )
        let sent = dialogue.takeSent().first { $0.isQuery("sp_id") }
        return sent ?? Dialogue.Sent(text: "", to: Endpoint(.anyV4, 0))
    }

    @Test("a node that shows our version is asked 233 bytes once, and a good proof makes it one of the overlay")
    func proves() {
        var dialogue = Dialogue(kin: Self.us)
        let question = Self.question(&dialogue)
        // One byte less than 240: a node that does not serve says so in seven more.
        #expect(wire(question.text).count == (question.isReadOnly ? 240 : 233))
        #expect(question.to == Self.friend.endpoint)
        let proof = Self.friend.proof(of: question, to: Self.us.endpoint)
        dialogue.replies(to: question, as: Self.friend, seeing: Self.us.endpoint, proof)
        #expect(dialogue.node.overlayNodeCount == 1)
        #expect(dialogue.node.statistics.keysProved == 1)
        #expect(Self.question(&dialogue).text == "")
    }

    @Test("a mainline node is not asked")
    func mainline() {
        var dialogue = Dialogue(kin: Self.us)
        for version in ["", "1:v4:LT\u{1}\u{2}", "1:v2:sw", "1:v5:sw\u{0}\u{1}\u{1}"] {
            dialogue.receives("d1:ad2:id20:\(querier)e1:q4:ping1:t1:x\(version)1:y1:qe", from: Self.asker)
        }
        #expect(!dialogue.takeSent().contains { $0.isQuery("sp_id") })
    }

    enum Flaw: CaseIterable {
        case otherKey, otherQuestion, otherIdentifier, otherQuerierSigned, otherQuerierSaid, noQuerierSaid, noKey
        case relayedFromElsewhere, signatureCutShort
    }

    @Test("a proof with any part of it wrong shows nothing", arguments: Flaw.allCases)
    func flaws(flaw: Flaw) {
        var dialogue = Dialogue(kin: Self.us)
        let (us, friend, other) = (Self.us.endpoint, Self.friend, Kin(2, at: "20.0.9.1:6881"))
        let elsewhere = Endpoint.at("20.0.77.1:6881")
        let question = Self.question(&dialogue)
        var seen: Endpoint? = us
        var proof = friend.proof(of: question, to: us)
        var speaker = friend
        switch flaw {
        case .otherKey: proof = other.proof(of: question, to: us, id: friend.contact.id)
        case .otherQuestion:
            let wrong = Dialogue.Sent(text: question.text.replacing("1:n32:", with: "1:n32:x"), to: question.to)
            proof = friend.proof(of: wrong, to: us)
        case .otherIdentifier: proof = friend.proof(of: question, to: us, id: other.contact.id)
        case .otherQuerierSigned: proof = friend.proof(of: question, to: elsewhere)
        case .otherQuerierSaid: seen = elsewhere
        case .noQuerierSaid: seen = nil
        case .noKey: proof = String(proof[(proof.firstRange(of: "3:sig64:")?.lowerBound ?? proof.startIndex)...])
        case .signatureCutShort: proof = proof.replacing("3:sig64:", with: "3:sig63:")
        case .relayedFromElsewhere:
            // The relay asks a node elsewhere, which signs that it sees the relay; the relay passes that on as it is.
            speaker = Kin(3, at: "20.0.77.9:6881")
            proof = speaker.proof(of: question, to: friend.endpoint)
            seen = friend.endpoint
        }
        dialogue.replies(to: question, as: speaker, from: friend.endpoint, seeing: seen, proof)
        #expect(dialogue.node.overlayNodeCount == 0)
        #expect(dialogue.node.statistics.keysProved == 0)
        #expect(dialogue.node.statistics.proofsRefused == 1 || flaw == .signatureCutShort)
    }

    @Test(
        "what a node says it sees must be able to be us",
        arguments: [
            // Our address as the others agree on it, behind whatever port of a translation.
            ("20.0.0.1", "124.31.75.21:6881", true), ("20.0.0.1", "124.31.75.21:1", true),
            ("20.0.0.1", "20.0.0.1:6881", false), ("20.0.0.1", "20.0.0.2:6881", false),
            ("20.0.0.1", "10.0.0.5:6881", true), ("20.0.0.1", "10.0.0.5:7000", false),
            // An address of our own is not translated: the port is ours or it is somebody else's.
            ("10.0.0.7", "10.0.0.5:6881", true), ("10.0.0.7", "10.0.0.5:7000", false),
            ("10.0.0.7", "10.0.0.7:6881", false), ("10.0.0.7", "10.0.0.8:6881", false),
            // Another private network, where there may be a translation between.
            ("10.9.0.7", "10.9.0.1:999", true), ("10.9.0.7", "10.9.0.7:999", false),
            ("127.0.0.1", "127.0.0.1:6881", true), ("127.0.0.1", "127.0.0.1:7000", false),
            ("127.0.0.1", "10.0.0.5:6881", false), ("20.0.0.1", "127.0.0.1:6881", false),
        ]
    )
    func plausible(source: String, seen: String, isPlausible: Bool) throws {
        var external = ExternalAddress(decided: IPAddress("124.31.75.21"), limits: SharedLimits())
        external.interfaces = ["10.0.0.5", "127.0.0.1"].compactMap { IPAddress($0) }
        external.port = 6881
        let source = try #require(IPAddress(source))
        #expect(external.mayBeOurs(.at(seen), seenBy: source) == isPlausible)
    }

    @Test(
        "before our address is known, any but the sender's own may be it: between public hosts identifiers rule out relays"
    )
    func unknownAddress() throws {
        let external = ExternalAddress(limits: SharedLimits())
        let source = try #require(IPAddress("20.0.0.1"))
        #expect(external.mayBeOurs(.at("30.0.0.1:1"), seenBy: source))
        #expect(!external.mayBeOurs(.at("20.0.0.1:1"), seenBy: source))
        #expect(!external.mayBeOurs(.at("[2600::1]:1"), seenBy: source))
    }

    @Test("inside its own network a host may keep the identifier of its external address, elsewhere not")
    func identifierInside() {
        let source = NodeIDSource(Self.friend.key.publicKey)
        let outside = Self.friend.contact
        #expect(source.mayGo(by: outside.id, at: outside.endpoint.address))
        #expect(source.mayGo(by: outside.id, at: .v4(0x0a00_0001)))
        #expect(source.mayGo(by: source.id(at: nil), at: .v4(0x0a00_0001)))
        #expect(!source.mayGo(by: source.id(at: nil), at: outside.endpoint.address))
        #expect(!source.mayGo(by: outside.id, at: .v4(0x1500_0001)))
        #expect(!NodeIDSource(Self.us.key.publicKey).mayGo(by: outside.id, at: .v4(0x0a00_0001)))
    }
}
