import Primitives
import Testing

@testable import Kademlia

@Suite("Lookups")
struct LookupTests {
    static let infoHash = InfoHash(NodeID(0x80, last: 0).value)
    static let target = NodeID(0x80, last: 0)

    /// Nodes nearer and nearer to the target, in networks of their own.
    static func node(_ number: UInt8) -> Contact {
        Contact(NodeID(0x80, number), Endpoint(.v4(0x1400_0001 | UInt32(number) << 8), 6881))
    }

    static func nodes(_ contacts: [Contact]) -> String {
        "5:nodes\(contacts.count * 26):" + contacts.map(\.wireText).joined()
    }

    static func values(_ peers: [String]) -> String {
        "6:valuesl" + peers.map { "6:" + Endpoint.at($0).wireText }.joined() + "e"
    }

    /// A node that knows one other, has joined, and is quiet.
    static func joined(knowing contact: Contact, limits: DHTLimits = DHTLimits()) -> Dialogue {
        var dialogue = Dialogue(limits: limits)
        dialogue.start()
        dialogue.meets([contact])
        #expect(dialogue.node.contacts == [contact])
        return dialogue
    }

    static func found(in actions: [DHTAction]) -> [Endpoint] {
        actions.flatMap { if case .foundPeers(_, let peers) = $0 { peers } else { [] as [Endpoint] } }
    }

    static func summary(in actions: [DHTAction]) -> LookupSummary? {
        actions.lazy.compactMap { if case .finished(_, let summary) = $0 { summary } else { nil } }.first
    }

    @Test("asks nearer and nearer nodes, hands peers on, and announces to who gave a token")
    func getPeersAndAnnounce() throws {
        let first = LookupTests.node(9)
        let second = LookupTests.node(3)
        var dialogue = LookupTests.joined(knowing: first)

        let lookup = dialogue.findPeers(of: LookupTests.infoHash, announcing: 4000)
        let one = dialogue.takeSent()
        try #require(one.map(\.to) == [first.endpoint])
        #expect(one.allSatisfy { $0.isQuery("get_peers") })

        dialogue.replies(to: one[0], as: first.id, "\(LookupTests.nodes([second]))5:token3:abc")
        let two = dialogue.takeSent()
        try #require(two.map(\.to) == [second.endpoint])

        let values = LookupTests.values(["20.1.1.1:5000"])
        dialogue.replies(to: two[0], as: second.id, "5:token4:wxyz\(values)")
        #expect(LookupTests.found(in: dialogue.takeActions()) == [.at("20.1.1.1:5000")])
        let announces = dialogue.takeSent()
        try #require(announces.map(\.to) == [second.endpoint, first.endpoint])
        #expect(announces.allSatisfy { $0.isQuery("announce_peer") && $0.text.contains("4:porti4000e") })
        #expect(announces.map { $0.text.contains("5:token4:wxyz") } == [true, false])

        dialogue.replies(to: announces[0], as: second.id)
        dialogue.replies(to: announces[1], as: first.id)
        let summary = LookupSummary(
            outcome: .complete,
            closest: [second, first],
            queriesSent: 2,
            replies: 2,
            hops: 2,
            peersFound: 1,
            storedOn: 2
        )
        #expect(dialogue.takeActions() == [.finished(lookup, summary)])
    }

    @Test("drops a reply from another port or address, and goes on with the true one (D1, N8)")
    func foreignReply() {
        let node = LookupTests.node(9)
        var dialogue = LookupTests.joined(knowing: node)
        _ = dialogue.findPeers(of: LookupTests.infoHash)
        let query = dialogue.nextSent()
        let forged = LookupTests.values(["20.6.6.6:6666"])

        dialogue.replies(to: query, as: node.id, from: .at("20.0.9.1:6882"), forged)
        dialogue.replies(to: query, as: node.id, from: .at("20.0.9.2:6881"), forged)
        #expect(dialogue.node.statistics.dropped(.unmatched) == 2)
        #expect(dialogue.takeActions() == [])

        dialogue.replies(to: query, as: node.id, LookupTests.values(["20.1.1.1:5000"]))
        #expect(LookupTests.found(in: dialogue.takeActions()) == [.at("20.1.1.1:5000")])
    }

    @Test("drops a reply with a transaction of its own making, and one that came twice (D1)")
    func foreignTransaction() {
        let node = LookupTests.node(9)
        var dialogue = LookupTests.joined(knowing: node)
        _ = dialogue.findPeers(of: LookupTests.infoHash)
        let query = dialogue.nextSent()
        dialogue.receives("d1:rd2:id20:\(node.id.wireText)e1:t4:zzzz1:y1:re", from: node.endpoint)
        dialogue.receives("d1:rd2:id20:\(node.id.wireText)e1:t2:zz1:y1:re", from: node.endpoint)
        dialogue.replies(to: query, as: node.id)
        dialogue.replies(to: query, as: node.id)
        #expect(dialogue.node.statistics.dropped(.unmatched) == 3)
    }

    @Test("sends transactions of four bytes that do not repeat or count up (D1)")
    func transactions() {
        var dialogue = Dialogue()
        for index in 0..<100 { _ = dialogue.ping(Endpoint(.v4(0x1400_0001 + UInt32(index)), 6881)) }
        let transactions = dialogue.takeSent().map { wire($0.transaction) }
        #expect(transactions.allSatisfy { $0.count == 4 })
        #expect(Set(transactions).count == 100)
        #expect(Set(transactions.map { $0[0] }).count > 50)
    }

    @Test(
        "does not contact what a public node must not name (D2, N9)",
        arguments: [
            "192.168.1.1:22", "10.0.0.1:6881", "127.0.0.1:6881", "169.254.1.1:6881", "224.0.0.1:6881", "0.0.0.0:6881",
            "240.0.0.1:6881", "255.255.255.255:6881", "30.0.0.1:0",
        ]
    )
    func refusedContacts(endpoint: String) {
        let node = LookupTests.node(9)
        var dialogue = LookupTests.joined(knowing: node)
        _ = dialogue.findPeers(of: LookupTests.infoHash)
        let bad = Contact(NodeID(0x80, 1), .at(endpoint))
        dialogue.replies(to: dialogue.nextSent(), as: node.id, LookupTests.nodes([bad]))
        #expect(dialogue.takeSent() == [])
        #expect(dialogue.node.statistics.contactsRefused == 1)
    }

    @Test("contacts loopback nodes that a loopback node names")
    func loopbackContacts() {
        let node = Contact(NodeID(0x80, 9), .at("127.0.0.1:1000"))
        var dialogue = LookupTests.joined(knowing: node)
        _ = dialogue.findPeers(of: LookupTests.infoHash)
        let other = Contact(NodeID(0x80, 1), .at("127.0.0.1:2000"))
        dialogue.replies(to: dialogue.nextSent(), as: node.id, LookupTests.nodes([other]))
        #expect(dialogue.takeSent().map(\.to) == [other.endpoint])
    }

    @Test("never asks ourselves, whoever names us")
    func ourselves() {
        let node = LookupTests.node(9)
        var dialogue = LookupTests.joined(knowing: node)
        _ = dialogue.findPeers(of: LookupTests.infoHash)
        let us = Contact(Dialogue.ownID, .at("30.0.0.1:6881"))
        dialogue.replies(to: dialogue.nextSent(), as: node.id, LookupTests.nodes([us]))
        #expect(dialogue.takeSent() == [])
    }

    @Test("hands on 200 peers at most, two of an address, none on a port of another service (D14)")
    func valueLimits() {
        let first = LookupTests.node(9)
        var dialogue = LookupTests.joined(knowing: first)
        _ = dialogue.findPeers(of: LookupTests.infoHash)
        let odd = ["20.1.1.1:1", "20.1.1.2:22", "20.1.1.3:0", "20.1.1.4:80", "20.1.1.5:443", "192.168.0.1:5000"]
        let same = (1...5).map { "20.2.2.2:\(5000 + $0)" }
        let others = (LookupTests.node(1), LookupTests.node(2))
        dialogue.replies(
            to: dialogue.nextSent(),
            as: first.id,
            LookupTests.nodes([others.0, others.1]) + LookupTests.values(odd + same + same)
        )
        let found = LookupTests.found(in: dialogue.takeActions())
        #expect(found == ["20.1.1.4:80", "20.1.1.5:443", "20.2.2.2:5001", "20.2.2.2:5002"].map { Endpoint.at($0) })

        let queries = dialogue.takeSent()
        for (query, node) in zip(queries, [others.0, others.1]) {
            let many = (1...140).map { "20.3.\(query.to.port == 0 ? 0 : Int(node.id.bytes[1])).\($0):5000" }
            dialogue.replies(to: query, as: node.id, LookupTests.values(many))
        }
        #expect(LookupTests.found(in: dialogue.takeActions()).count == 196)
    }

    @Test("counts one node of a /24 towards its end (D3)")
    func oneForEachNetwork() {
        let node = LookupTests.node(200)
        var dialogue = LookupTests.joined(knowing: node)
        _ = dialogue.findPeers(of: LookupTests.infoHash)
        // Eight very near nodes of one owner, and one of another.
        let sybils = (1...8).map { Contact(NodeID(0x80, 0, last: UInt32($0)), .at("30.0.0.\($0):6881")) }
        let honest = LookupTests.node(100)
        dialogue.replies(to: dialogue.nextSent(), as: node.id, LookupTests.nodes(sybils + [honest]))
        #expect(Set(dialogue.takeSent().map(\.to)) == [sybils[0].endpoint, honest.endpoint])
    }

    @Test(
        "stops after 200 queries, however many nearer nodes a liar invents, and after 45 if it has found something",
        arguments: [(false, 200), (true, 45)]
    )
    func inventedNodes(finds: Bool, most: Int) {
        let node = LookupTests.node(255)
        var dialogue = LookupTests.joined(knowing: node)
        _ = dialogue.findPeers(of: LookupTests.infoHash)
        let values = finds ? LookupTests.values(["20.1.1.1:5000"]) : ""
        var nearest: UInt32 = 100_000
        var names = [node.endpoint: node.id]
        var queries = dialogue.takeSent()
        var asked = 0
        while let query = queries.popLast(), let id = names[query.to] {
            asked += 1
            let invented = (0..<8).map { _ -> Contact in
                nearest -= 1
                return Contact(NodeID(0x80, 0, last: nearest), Endpoint(.v4(0x1e00_0001 + nearest << 8), 6881))
            }
            for contact in invented { names[contact.endpoint] = contact.id }
            dialogue.replies(to: query, as: id, LookupTests.nodes(invented) + values)
            queries += dialogue.takeSent().filter { $0.isQuery("get_peers") }
        }
        #expect(asked == most)
        #expect(LookupTests.summary(in: dialogue.takeActions())?.queriesSent == most)
    }

    @Test("goes round slow nodes, and still welcomes their answers")
    func slowNode() throws {
        let far = Contact(NodeID(0xc0), .at("20.0.200.1:6881"))
        var dialogue = LookupTests.joined(knowing: far)
        _ = dialogue.findPeers(of: LookupTests.infoHash)
        let slow = (1...4).map { LookupTests.node(UInt8($0)) }
        let next = LookupTests.node(7)
        dialogue.replies(to: dialogue.nextSent(), as: far.id, LookupTests.nodes(slow + [next]))
        let queries = dialogue.takeSent()
        try #require(queries.map(\.to) == slow.map(\.endpoint))
        dialogue.passes(.milliseconds(49))
        #expect(dialogue.takeSent() == [])
        dialogue.passes(.milliseconds(451))
        #expect(dialogue.takeSent().map(\.to) == [next.endpoint])

        dialogue.passes(.seconds(1))
        dialogue.replies(to: queries[0], as: slow[0].id, LookupTests.values(["20.1.1.1:5000"]))
        #expect(LookupTests.found(in: dialogue.takeActions()) == [.at("20.1.1.1:5000")])
    }

    @Test("ends when nobody answers, with what it has")
    func silence() {
        let node = LookupTests.node(9)
        var dialogue = LookupTests.joined(knowing: node)
        _ = dialogue.findPeers(of: LookupTests.infoHash, announcing: 4000)
        dialogue.passes(.seconds(3))
        let summary = LookupTests.summary(in: dialogue.takeActions())
        #expect(summary?.outcome == .nobodyAnswered)
        #expect(summary?.closest == [])
        #expect(summary?.storedOn == 0)
    }

    @Test("counts a node that answers an error or under another name as failed")
    func wrongAnswers() throws {
        let node = LookupTests.node(9)
        var dialogue = LookupTests.joined(knowing: node)
        _ = dialogue.findNode(closestTo: LookupTests.target)
        let others = [LookupTests.node(1), LookupTests.node(2)]
        dialogue.replies(to: dialogue.nextSent(), as: node.id, LookupTests.nodes(others))
        let queries = dialogue.takeSent()
        try #require(queries.count == 2)
        dialogue.receives("d1:eli201e4:oopse1:t4:\(queries[0].transaction)1:y1:ee", from: queries[0].to)
        dialogue.replies(to: queries[1], as: NodeID(0x77))
        #expect(LookupTests.summary(in: dialogue.takeActions())?.closest == [node])
    }

    @Test("is not kept from a node by a false address for its identifier")
    func falseAddress() {
        let liar = LookupTests.node(9)
        let honest = LookupTests.node(8)
        var dialogue = LookupTests.joined(knowing: liar)
        dialogue.meets([liar, honest])
        _ = dialogue.findNode(closestTo: LookupTests.target)
        let queries = dialogue.takeSent()
        let wanted = LookupTests.node(1)
        let trap = Contact(wanted.id, .at("66.6.6.6:6666"))
        for query in queries where query.to == liar.endpoint {
            dialogue.replies(to: query, as: liar.id, LookupTests.nodes([trap]))
        }
        dialogue.passes(.seconds(1))
        _ = dialogue.takeSent()
        for query in queries where query.to == honest.endpoint {
            dialogue.replies(to: query, as: honest.id, LookupTests.nodes([wanted]))
        }
        #expect(dialogue.takeSent().map(\.to) == [wanted.endpoint])
    }

    @Test("is not heard of any more once it is cancelled")
    func cancelled() {
        let node = LookupTests.node(9)
        var dialogue = LookupTests.joined(knowing: node)
        let lookup = dialogue.findPeers(of: LookupTests.infoHash)
        let query = dialogue.nextSent()
        dialogue.node.cancel(lookup)
        dialogue.replies(to: query, as: node.id, LookupTests.values(["20.1.1.1:5000"]))
        dialogue.passes(.seconds(5))
        #expect(dialogue.takeActions() == [])
    }

    @Test("hands on what we store ourselves, at once")
    func ownStore() {
        var dialogue = LookupTests.joined(knowing: LookupTests.node(9))
        let peer = Endpoint.at("20.7.7.7:6881")
        let hash = LookupTests.infoHash.wireText
        let ask = "d1:ad2:id20:\(querier)9:info_hash20:\(hash)e1:q9:get_peers1:t2:aa1:y1:qe"
        let token = AnsweringTests.token(in: dialogue.answer(to: ask, from: peer))
        _ = dialogue.answer(to: AnsweringTests.announce(token, hash: hash), from: peer)
        _ = dialogue.takeActions()
        let lookup = dialogue.findPeers(of: LookupTests.infoHash)
        #expect(dialogue.takeActions() == [.foundPeers(lookup, [peer])])
    }

    @Test("take turns where there are more than there may be open queries")
    func starvation() {
        var limits = DHTLimits()
        limits.openQueries = 4
        let node = LookupTests.node(9)
        var dialogue = LookupTests.joined(knowing: node, limits: limits)
        for number in 0..<20 { _ = dialogue.findNode(closestTo: NodeID(0x90, UInt8(number))) }
        var answered = 0
        while let query = dialogue.takeSent().first {
            #expect(query.to == node.endpoint)
            dialogue.replies(to: query, as: node.id)
            answered += 1
        }
        dialogue.passes(.seconds(60))
        let finished = dialogue.takeActions().count { if case .finished = $0 { true } else { false } }
        #expect(finished == 20)
        #expect(answered >= 5)
    }
}
