import Kademlia
import Primitives
import Testing

@Suite("The IPv6 DHT (BEP 32)")
struct FamilyTests {
    static let asker = Endpoint.at("[2400:0:0:5::1]:6881")
    static let head = "d2:ip18:\(asker.wireText)1:rd2:id20:\(Dialogue.ownID.wireText)"
    static let tail = AnsweringTests.tail

    /// `count` nodes, each in a /64 of its own.
    static func contacts(_ count: Int) -> [Contact] {
        (1...count).map { Contact(NodeID(UInt8($0 << 4)), .at("[2400:0:0:\($0)::1]:6881")) }
    }

    static func find(_ target: NodeID, want: String = "") -> String {
        "d1:ad2:id20:\(querier)6:target20:\(target.wireText)\(want)e1:q9:find_node1:t2:aa1:y1:qe"
    }

    @Test("an IPv6 node names IPv6 nodes in nodes6, 38 bytes each, nearest first")
    func findNode() {
        var dialogue = Dialogue(family: .v6)
        let contacts = FamilyTests.contacts(12)
        dialogue.meets(contacts)
        let target = NodeID(0x30)
        let reply = dialogue.answer(to: FamilyTests.find(target), from: FamilyTests.asker)
        let nodes = contacts.sorted { $0.id.isCloser(to: target, than: $1.id) }.prefix(8).map(\.wireText).joined()
        #expect(reply == FamilyTests.head + "6:nodes6304:\(nodes)e" + FamilyTests.tail)
    }

    @Test(
        "want decides which nodes are named, as far as there are any; what we do not know of in it is passed over",
        arguments: [
            ("", "6:nodes60:"), ("4:wantl2:n6e", "6:nodes60:"), ("4:wantl2:n4e", ""),
            ("4:wantl2:n42:n6e", "6:nodes60:"), ("4:wantl2:n92:n6i1ee", "6:nodes60:"), ("4:wantl2:n9e", "6:nodes60:"),
            ("4:wantle", "6:nodes60:"), ("4:want2:n4", "6:nodes60:"),
        ]
    )
    func want(want: String, nodes: String) {
        var dialogue = Dialogue(family: .v6)
        let reply = dialogue.answer(
            to: FamilyTests.find(NodeID(0x30), want: want),
            from: FamilyTests.asker
        )
        #expect(reply == FamilyTests.head + "\(nodes)e" + FamilyTests.tail)
    }

    @Test("peers are announced and named with 18 bytes, each to its own family only")
    func values() {
        var dialogue = Dialogue(family: .v6)
        let first = dialogue.answer(to: AnsweringTests.getPeers, from: FamilyTests.asker)
        let token = AnsweringTests.token(in: first)
        #expect(first == FamilyTests.head + "6:nodes60:5:token8:\(token)e" + FamilyTests.tail)
        _ = dialogue.answer(to: AnsweringTests.announce(token, port: "4:porti7000e"), from: FamilyTests.asker)
        let second = dialogue.answer(to: AnsweringTests.getPeers, from: FamilyTests.asker)
        let peer = "\u{24}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{5}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{1}\u{1b}\u{58}"
        #expect(second?.contains("6:valuesl18:\(peer)e") == true)
    }

    @Test("a full get_peers reply with IPv6 nodes and values stays within 1024 bytes (D9)")
    func replyLength() {
        var limits = DHTLimits()
        limits.queriesPerNetwork = 1000
        var dialogue = Dialogue(family: .v6, limits: limits)
        dialogue.meets(FamilyTests.contacts(12))
        for number in 1...60 {
            let peer = Endpoint.at("[2400:0:1:\(String(number, radix: 16))::1]:6881")
            let token = AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: peer))
            _ = dialogue.answer(to: AnsweringTests.announce(token), from: peer)
        }
        let asker = Endpoint.at("[2400:0:1:1::1]:6881")
        let reply = dialogue.answer(to: AnsweringTests.getPeers, from: asker) ?? ""
        // Twelve values of 21 bytes beside eight nodes, and no room for one more.
        #expect(reply.unicodeScalars.count <= 1024)
        #expect(reply.unicodeScalars.count > 1024 - 21)
    }

    @Test("a lookup goes through nodes6, passes over nodes, and of a mixed list hands on the peers of its own family")
    func lookup() {
        var dialogue = Dialogue(family: .v6)
        let contacts = FamilyTests.contacts(2)
        dialogue.meets([contacts[0]])
        _ = dialogue.takeSent()
        let lookup = dialogue.findPeers(of: AnsweringTests.infoHash)
        let first = dialogue.nextSent()
        #expect(first.to == contacts[0].endpoint && first.isQuery("get_peers"))
        let stranger = Contact(NodeID(0x70), .at("20.0.0.7:6881"))
        let peers = [Endpoint.at("[2400:0:0:9::1]:7000"), .at("20.0.0.9:7001")]
        dialogue.replies(
            to: first,
            as: contacts[0].id,
            "5:nodes26:\(stranger.wireText)6:nodes638:\(contacts[1].wireText)"
                + "6:valuesl18:\(peers[0].wireText)6:\(peers[1].wireText)7:abcdefge"
        )
        #expect(dialogue.takeSent().filter { $0.isQuery("get_peers") }.map(\.to) == [contacts[1].endpoint])
        #expect(dialogue.takeActions().contains(.foundPeers(lookup, [peers[0]])))
    }

    @Test(
        "nothing is sent to, nor taken from, addresses of the other family or that no host has (D2)",
        arguments: [
            "20.0.0.1:6881", "[::]:6881", "[::ffff:20.0.0.1]:6881", "[64:ff9b::1400:1]:6881", "[fe80::1]:6881",
            "[ff02::1]:6881", "[2001:0:1::1]:6881",
            "[2002:c0a8:101::1]:6881", "[100::1]:6881", "[4000::1]:6881", "[fec0::1]:6881", "[2400::1]:0",
        ]
    )
    func unusable(address: String) {
        var dialogue = Dialogue(family: .v6)
        let endpoint = Endpoint.at(address)
        #expect(dialogue.answer(to: AnsweringTests.getPeers, from: endpoint) == nil)
        #expect(dialogue.node.statistics.dropped(.unusableSource) == 1)
        let ping = dialogue.ping(endpoint)
        #expect(dialogue.takeActions() == [.pingFailed(ping)])
        dialogue.start(bootstrap: true, remembered: [Contact(NodeID(1), endpoint)])
        dialogue.resolved([endpoint])
        #expect(dialogue.takeSent() == [])
    }

    @Test("a public node cannot name addresses of our own network (D2)", arguments: ["fc00::5", "fd12::5", "::1"])
    func privateContacts(address: String) {
        var dialogue = Dialogue(family: .v6)
        let friend = FamilyTests.contacts(1)
        dialogue.meets(friend)
        _ = dialogue.takeSent()
        _ = dialogue.findNode(closestTo: NodeID(0x20))
        let named = Contact(NodeID(0x20), .at("[\(address)]:6881"))
        dialogue.replies(to: dialogue.nextSent(), as: friend[0].id, "6:nodes638:\(named.wireText)")
        #expect(dialogue.takeSent() == [])
        #expect(dialogue.node.statistics.contactsRefused == 1)
    }

    @Test("fifty nodes of one /64 fill one place of a bucket (D3, N12)")
    func oneNetwork() {
        var dialogue = Dialogue(family: .v6)
        let contacts = (1...50).map { number in
            Contact(NodeID(0x80, UInt8(number)), .at("[2400:0:0:1::\(String(number, radix: 16))]:6881"))
        }
        dialogue.meets(contacts)
        #expect(dialogue.node.contacts == [contacts[0]])
    }
}
