import Kademlia
import Primitives
import Testing

@Suite("The identifier of a node that learns its address")
struct IdentityTests {
    static let source = NodeIDSource(UInt160(high: 0x1234_5678_9abc_def0, middle: 1, low: 5))
    static let ours = Endpoint.at("5.6.7.8:6881")
    static let moved = Endpoint.at("5.99.7.8:6881")

    static func contacts(_ networks: ClosedRange<Int>) -> [Contact] {
        networks.map { Contact(NodeID(UInt8($0 << 3)), .at("20.0.\($0).1:6881")) }
    }

    /// Lets the node ask each of them, who say where they see it.
    static func vote(_ dialogue: inout Dialogue, _ contacts: [Contact], seeing endpoint: Endpoint, rounds: Int = 1) {
        for contact in (0..<rounds).flatMap({ _ in contacts }) {
            _ = dialogue.ping(contact.endpoint)
            for query in dialogue.takeSent() where query.isQuery && query.to == contact.endpoint {
                dialogue.replies(to: query, as: contact.id, seeing: endpoint)
            }
        }
    }

    static func changes(_ actions: [DHTAction]) -> [NodeID] {
        actions.compactMap { if case .addressChanged(_, let id) = $0 { id } else { nil } }
    }

    @Test("is that of its key as long as no address is known, and then that of key and address")
    func changes() {
        var dialogue = Dialogue(identity: IdentityTests.source)
        #expect(dialogue.node.id == IdentityTests.source.id(at: nil))
        dialogue.start()
        IdentityTests.vote(&dialogue, IdentityTests.contacts(1...12), seeing: IdentityTests.ours)
        let id = IdentityTests.source.id(at: IdentityTests.ours.address)
        #expect(dialogue.node.id == id)
        #expect(dialogue.node.externalAddress == IdentityTests.ours.address)
        #expect(IdentityTests.changes(dialogue.takeActions()) == [id])
        let reply = dialogue.answer(to: "d1:ad2:id20:\(querier)e1:q4:ping1:t1:x1:y1:qe", from: .at("20.0.50.1:1"))
        #expect(reply?.contains("1:rd2:id20:\(id.wireText)e") == true)
    }

    @Test("takes the table and what is stored along, and looks around its new place")
    func keepsTable() {
        var dialogue = Dialogue(identity: IdentityTests.source)
        dialogue.start()
        let peer = Endpoint.at("20.0.77.1:6881")
        let token = AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: peer))
        _ = dialogue.answer(to: AnsweringTests.announce(token), from: peer)
        let contacts = IdentityTests.contacts(1...9)
        IdentityTests.vote(&dialogue, contacts, seeing: IdentityTests.ours)
        #expect(dialogue.node.id == IdentityTests.source.id(at: nil))
        _ = dialogue.ping(.at("20.0.10.1:6881"))
        let last = dialogue.takeSent().last { $0.to == .at("20.0.10.1:6881") }
        if let last { dialogue.replies(to: last, as: NodeID(0x70), seeing: IdentityTests.ours) }

        let id = IdentityTests.source.id(at: IdentityTests.ours.address)
        let queries = dialogue.takeSent()
        #expect(queries.contains { $0.text.contains("6:target20:\(id.wireText)e1:q9:find_node") })
        #expect(Set(contacts).isSubset(of: dialogue.node.contacts))
        #expect(dialogue.node.storedPeers(of: AnsweringTests.infoHash) == [peer])
    }

    @Test("stays when one /24 forges a hundred votes (N11)")
    func forgedVotes() {
        var dialogue = Dialogue(identity: IdentityTests.source)
        dialogue.start()
        IdentityTests.vote(&dialogue, IdentityTests.contacts(1...12), seeing: IdentityTests.ours)
        let id = dialogue.node.id
        dialogue.passes(.seconds(900))
        let liars = (1...100).map { Contact(NodeID(0xf0, UInt8($0)), .at("66.6.6.\($0):6881")) }
        IdentityTests.vote(&dialogue, liars, seeing: IdentityTests.moved)
        #expect(dialogue.node.id == id)
    }

    @Test("changes back and forth at most every ten minutes")
    func pause() {
        var dialogue = Dialogue(identity: IdentityTests.source)
        dialogue.start()
        let contacts = IdentityTests.contacts(1...30)
        IdentityTests.vote(&dialogue, contacts, seeing: IdentityTests.ours)
        dialogue.passes(.seconds(300))
        IdentityTests.vote(&dialogue, contacts, seeing: IdentityTests.moved)
        #expect(dialogue.node.id == IdentityTests.source.id(at: IdentityTests.ours.address))
        dialogue.passes(.seconds(301))
        IdentityTests.vote(&dialogue, contacts, seeing: IdentityTests.moved)
        #expect(dialogue.node.id == IdentityTests.source.id(at: IdentityTests.moved.address))
        #expect(dialogue.node.statistics.identifierChanges == 2)
    }

    @Test("begins with the address of a former run, and a wrong one is corrected at once")
    func remembered() {
        let id = { (endpoint: Endpoint) in IdentityTests.source.id(at: endpoint.address) }
        var node = Dialogue(identity: IdentityTests.source, at: IdentityTests.moved.address)
        #expect(node.node.id == id(IdentityTests.moved))
        node.start()
        IdentityTests.vote(&node, IdentityTests.contacts(1...12), seeing: IdentityTests.ours)
        #expect(node.node.id == id(IdentityTests.ours))
    }

    @Test("is given to each querier with its own endpoint, in errors too")
    func ip() {
        var dialogue = Dialogue()
        let asker = Endpoint.at("20.1.2.3:4567")
        let pong = dialogue.answer(to: "d1:ad2:id20:\(querier)e1:q4:ping1:t1:x1:y1:qe", from: asker)
        let error = dialogue.answer(to: "d1:ad2:id20:\(querier)e1:q4:what1:t1:x1:y1:qe", from: asker)
        #expect(pong?.hasPrefix("d2:ip6:\u{14}\u{1}\u{2}\u{3}\u{11}\u{d7}1:rd") == true)
        #expect(error?.contains("e2:ip6:\u{14}\u{1}\u{2}\u{3}\u{11}\u{d7}1:t1:x") == true)
    }
}
