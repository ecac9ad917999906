import Kademlia
import Primitives
import Testing

@Suite("Identifiers that do not fit their address (BEP 42, D4)")
struct IdentifierCheckTests {
    static let source = NodeIDSource(UInt160(high: 0, middle: 0, low: 5))
    static let infoHash = InfoHash(NodeID(0x80, last: 0).value)

    /// A node with the only head that its address allows.
    static func fitting(_ number: Int) -> Contact {
        let endpoint = Endpoint.at("20.0.\(number).1:6881")
        return Contact(
            NodeIDSource(UInt160(high: UInt64(number), middle: 0, low: 1)).id(at: endpoint.address),
            endpoint
        )
    }

    /// One that chose its place: right beside the info-hash.
    static func misfit(_ number: Int) -> Contact {
        Contact(NodeID(0x80, 0, last: UInt32(number)), .at("30.0.\(number).1:6881"))
    }

    /// Looks for the info-hash to announce, while everybody answers with a token; who was asked, and who got what to store.
    static func announce(_ contacts: [Contact]) -> (asked: Set<Endpoint>, storing: Set<Endpoint>) {
        var dialogue = Dialogue(identity: source)
        dialogue.start()
        dialogue.meets(contacts)
        _ = dialogue.takeSent()
        _ = dialogue.findPeers(of: infoHash, announcing: 7000)
        var asked: Set<Endpoint> = []
        var storing: Set<Endpoint> = []
        var queries = dialogue.takeSent()
        while let query = queries.popLast() {
            guard let contact = contacts.first(where: { $0.endpoint == query.to }) else { continue }
            if query.isQuery("get_peers") { asked.insert(query.to) }
            if query.isQuery("announce_peer") { storing.insert(query.to) }
            dialogue.replies(to: query, as: contact.id, "5:token2:ok")
            queries += dialogue.takeSent()
        }
        return (asked, storing)
    }

    @Test("take no place among the eight of a lookup, and are given nothing to store")
    func crowding() {
        let (fitting, misfits) = ((1...9).map(IdentifierCheckTests.fitting), (1...8).map(IdentifierCheckTests.misfit))
        let (asked, storing) = IdentifierCheckTests.announce(misfits + fitting)
        #expect(storing.count == 8)
        #expect(storing.isSubset(of: fitting.map(\.endpoint)))
        #expect(asked.isDisjoint(with: misfits.map(\.endpoint)))
    }

    @Test("are asked where there are not enough others, and still given nothing")
    func missing() {
        let (fitting, misfits) = ((1...3).map(IdentifierCheckTests.fitting), (1...3).map(IdentifierCheckTests.misfit))
        let (asked, storing) = IdentifierCheckTests.announce(misfits + fitting)
        #expect(asked == Set((fitting + misfits).map(\.endpoint)))
        #expect(storing == Set(fitting.map(\.endpoint)))
    }

    @Test("are answered like all others")
    func answered() {
        var dialogue = Dialogue(identity: IdentifierCheckTests.source)
        dialogue.start()
        let misfit = IdentifierCheckTests.misfit(1)
        let query = "d1:ad2:id20:\(misfit.id.wireText)9:info_hash20:\(responder)e1:q9:get_peers1:t2:aa1:y1:qe"
        let token = AnsweringTests.token(in: dialogue.answer(to: query, from: misfit.endpoint))
        #expect(token.isEmpty == false)
        _ = dialogue.answer(to: AnsweringTests.announce(token), from: misfit.endpoint)
        #expect(dialogue.node.storedPeers(of: AnsweringTests.infoHash) == [misfit.endpoint])
    }

    @Test("make room in a full bucket for one that fits, and that for no other")
    func bucket() {
        var dialogue = Dialogue(identity: IdentifierCheckTests.source)
        dialogue.start()
        // All in the farthest bucket: the own identifier begins with zero bits.
        let misfits = (1...200).map { Contact(NodeID(0x80, UInt8($0)), .at("30.0.\($0).1:6881")) }
        dialogue.meets(misfits)
        let full = dialogue.node.contacts.count
        #expect(full < 200)
        #expect(dialogue.node.contacts.allSatisfy { misfits.contains($0) })

        let far = (1...100).map(IdentifierCheckTests.fitting).filter { $0.id.value[bit: 0] }
        dialogue.meets([far[0]])
        #expect(dialogue.node.contacts.contains(far[0]))
        #expect(dialogue.node.contacts.count == full)
        dialogue.meets([Contact(NodeID(0x90), .at("30.1.1.1:6881"))])
        #expect(dialogue.node.contacts.contains(far[0]))
        #expect(dialogue.node.contacts.count == full)
    }

    @Test("are none on this host")
    func exempt() {
        let contacts = (1...4).map { Contact(NodeID(0x80, 0, last: UInt32($0)), .at("127.0.0.\($0):6881")) }
        let (_, storing) = IdentifierCheckTests.announce(contacts)
        #expect(storing == Set(contacts.map(\.endpoint)))
    }
}
