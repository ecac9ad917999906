import Cryptography
import Kademlia
import Primitives
import Testing

@Suite("The overlay of nodes of our own kind")
struct OverlayTests {
    static let us = Kin.known

    static func crowd(_ count: Int) -> [Kin] { (1...count).map { Kin(UInt8($0), at: "20.\($0).1.1:6881") } }

    /// The nodes that an answer to `get_have` names.
    static func named(_ dialogue: inout Dialogue) -> [Contact] {
        let reply = dialogue.answer(to: Dialogue.getHave(), from: .at("20.200.0.1:6881"))
        guard let reply, let range = reply.firstRange(of: "5:nodes"),
            let colon = reply[range.upperBound...].firstIndex(of: ":")
        else { return [] }
        let bytes = wire(String(reply[reply.index(after: colon)...]))
        let count = (Int(reply[range.upperBound..<colon]) ?? 0) / 26
        return (0..<count).compactMap { Contact(compact: .v4, bytes.span.bytes, at: $0 * 26) }
    }

    @Test("who answers with our version is asked for a proof too, at most twenty a second")
    func pace() {
        var dialogue = Dialogue(kin: Self.us)
        for kin in Self.crowd(60) {
            dialogue.receives(
                "d1:ad2:id20:\(kin.contact.id.wireText)e1:q4:ping1:t1:x\(Kin.version)1:y1:qe",
                from: kin.endpoint
            )
        }
        #expect(dialogue.takeSent().count { $0.isQuery("sp_id") } == 20)
        dialogue.passes(.seconds(1))
        #expect(dialogue.takeSent().count { $0.isQuery("sp_id") } == 20)
    }

    @Test("a read-only node is not taken up (D13)")
    func readOnly() {
        var dialogue = Dialogue(kin: Self.us)
        let kin = Self.crowd(1)[0]
        dialogue.receives(
            "d1:ad2:id20:\(kin.contact.id.wireText)e1:q4:ping2:roi1e1:t1:x\(Kin.version)1:y1:qe",
            from: kin.endpoint
        )
        #expect(!dialogue.takeSent().contains { $0.isQuery("sp_id") })
    }

    @Test("one key has one place: where it proved itself last")
    func onePlace() {
        var dialogue = Dialogue(kin: Self.us)
        let (old, new) = (Kin(1, at: "20.1.1.1:6881"), Kin(1, at: "20.2.1.1:6881"))
        dialogue.befriends([old], as: Self.us.endpoint)
        #expect(Self.named(&dialogue) == [old.contact])
        dialogue.befriends([new], as: Self.us.endpoint)
        #expect(Self.named(&dialogue) == [new.contact])
        // The same address behind another port has the same identifier.
        let moved = Kin(1, at: "20.2.1.1:7000")
        #expect(moved.contact.id == new.contact.id)
        dialogue.befriends([moved], as: Self.us.endpoint)
        #expect(Self.named(&dialogue) == [moved.contact])
    }

    @Test("an identifier of another key takes no place, and a claimed version is no proof")
    func impostor() {
        var dialogue = Dialogue(kin: Self.us)
        let (victim, thief) = (Kin(1, at: "20.1.1.1:6881"), Kin(2, at: "20.1.1.1:6881"))
        dialogue.receives(
            "d1:ad2:id20:\(victim.contact.id.wireText)e1:q4:ping1:t1:x\(Kin.version)1:y1:qe",
            from: victim.endpoint
        )
        let question = dialogue.takeSent().first { $0.isQuery("sp_id") }
        if let question {
            let proof = thief.proof(of: question, to: Self.us.endpoint, id: victim.contact.id)
            dialogue.replies(to: question, as: victim, seeing: Self.us.endpoint, proof)
        }
        #expect(dialogue.node.overlayNodeCount == 0)
        #expect(dialogue.node.statistics.proofsRefused == 1)
        // Nor is it asked again at once.
        dialogue.receives(
            "d1:ad2:id20:\(victim.contact.id.wireText)e1:q4:ping1:t1:x\(Kin.version)1:y1:qe",
            from: victim.endpoint
        )
        #expect(!dialogue.takeSent().contains { $0.isQuery("sp_id") })
    }

    @Test("nodes that fall silent are asked for a proof again, and leave when there is none")
    func silence() {
        var dialogue = Dialogue(kin: Self.us)
        dialogue.start()
        let friends = Self.crowd(2)
        dialogue.befriends(friends, as: Self.us.endpoint)
        #expect(Set(Self.named(&dialogue)) == Set(friends.map(\.contact)))
        var proofs = 0
        for _ in 0..<240 {
            dialogue.passes(.seconds(10))
            let sent = dialogue.takeSent()
            proofs += sent.count { $0.isQuery("sp_id") && $0.to == friends[1].endpoint }
            for query in sent where query.isQuery && query.to == friends[0].endpoint {
                let proof = query.isQuery("sp_id") ? friends[0].proof(of: query, to: Self.us.endpoint) : ""
                dialogue.replies(to: query, as: friends[0], seeing: Self.us.endpoint, proof)
            }
        }
        #expect(proofs >= 1)
        #expect(Self.named(&dialogue) == [friends[0].contact])
    }

    @Test("another identifier of ours sorts the same nodes anew")
    func moves() {
        var dialogue = Dialogue(kin: Self.us)
        dialogue.start()
        let friends = Self.crowd(4)
        dialogue.befriends(friends, as: Self.us.endpoint)
        let moved = Endpoint.at("5.99.7.8:6881")
        let voters = IdentityTests.contacts(1...14)
        IdentityTests.vote(&dialogue, voters, seeing: moved)
        #expect(dialogue.node.id == NodeIDSource(Self.us.key.publicKey).id(at: moved.address))
        let target = NodeID(Kin.infoHash)
        let sorted = friends.map(\.contact).sorted { $0.id.isCloser(to: target, than: $1.id) }
        #expect(Self.named(&dialogue) == sorted)
    }

    @Test("after a restart the remembered nodes are pinged, and by their version found to be of our kind")
    func restart() {
        var dialogue = Dialogue(kin: Self.us)
        let friends = Self.crowd(3)
        dialogue.start(remembered: friends.map(\.contact))
        dialogue.answersAll(as: friends, seenAt: Self.us.endpoint)
        #expect(dialogue.node.overlayNodeCount == 3)
    }

    @Test("a node without a key asks nobody and is asked in vain")
    func keyless() {
        var dialogue = Dialogue()
        let kin = Self.crowd(1)[0]
        dialogue.receives(
            "d1:ad2:id20:\(kin.contact.id.wireText)e1:q4:ping1:t1:x\(Kin.version)1:y1:qe",
            from: kin.endpoint
        )
        #expect(!dialogue.takeSent().contains { $0.isQuery("sp_id") })
    }

    @Test("holds 1024 nodes at most, and eight in each part")
    func size() {
        #expect(RecordLimits().overlayNodes == 1024)
        var limits = DHTLimits()
        limits.records.overlayNodes = 5
        var dialogue = Dialogue(kin: Self.us, limits: limits)
        dialogue.befriends(Self.crowd(12), as: Self.us.endpoint)
        #expect(dialogue.node.overlayNodeCount == 5)
    }

    @Test("proofs go on through a translation that changes our port")
    func translation() {
        var dialogue = Dialogue(kin: Self.us)
        let friends = Self.crowd(2)
        dialogue.befriends([friends[0]], as: .at("124.31.75.21:50001"))
        dialogue.befriends([friends[1]], as: .at("124.31.75.21:50002"))
        #expect(dialogue.node.overlayNodeCount == 2)
    }
}
