import Kademlia
import Primitives
import Testing

@Suite("A sharer names itself")
struct OwnAnnouncementTests {
    /// The first node of a network shares something, on a host with these addresses.
    static func sharer(_ addresses: [String]) -> Dialogue {
        var dialogue = Dialogue()
        dialogue.start()
        dialogue.node.hasAddresses(addresses.compactMap { IPAddress($0) })
        _ = dialogue.findPeers(of: AnsweringTests.infoHash, announcing: 7000)
        return dialogue
    }

    static func values(_ endpoint: String) -> String { "6:valuesl6:\(Endpoint.at(endpoint).wireText)e" }

    @Test(
        "to its first visitor, by the address that lies nearest to the visitor's",
        arguments: [
            ("127.0.0.1:1000", "127.0.0.1:7000"), ("192.168.1.77:1000", "192.168.1.2:7000"),
            ("10.0.0.77:1000", "10.0.0.2:7000"), ("20.0.0.5:1000", "5.6.7.8:7000"),
        ]
    )
    func firstVisitor(asker: String, named: String) {
        var dialogue = OwnAnnouncementTests.sharer(["127.0.0.1", "192.168.1.2", "10.0.0.2", "5.6.7.8", "::1"])
        let reply = dialogue.answer(to: AnsweringTests.getPeers, from: .at(asker))
        #expect(reply?.contains(OwnAnnouncementTests.values(named)) == true)
    }

    @Test("by the address that a host of the same kind told it, where none of its own is as near")
    func told() {
        var dialogue = OwnAnnouncementTests.sharer(["172.17.0.2"])
        let asker = Endpoint.at("192.168.1.77:1000")
        _ = dialogue.ping(.at("192.168.1.50:6881"))
        for query in dialogue.takeSent() {
            dialogue.replies(to: query, as: NodeID(0x80), seeing: .at("192.168.1.10:6881"))
        }
        let reply = dialogue.answer(to: AnsweringTests.getPeers, from: asker)
        #expect(reply?.contains(OwnAnnouncementTests.values("192.168.1.10:7000")) == true)
    }

    @Test("not by an address that the visitor cannot reach")
    func unreachable() {
        var dialogue = OwnAnnouncementTests.sharer(["127.0.0.1", "192.168.1.2"])
        let reply = dialogue.answer(to: AnsweringTests.getPeers, from: .at("20.0.0.5:1000"))
        #expect(reply?.contains("6:values") == false)
    }

    @Test("until it withdraws, and for nothing else")
    func withdraws() {
        var dialogue = OwnAnnouncementTests.sharer(["127.0.0.1"])
        let other = AnsweringTests.getPeers.replacing(responder, with: querier)
        #expect(dialogue.answer(to: other, from: .at("127.0.0.1:1000"))?.contains("6:values") == false)
        dialogue.node.withdraw(AnsweringTests.infoHash)
        #expect(
            dialogue.answer(to: AnsweringTests.getPeers, from: .at("127.0.0.1:1000"))?.contains("6:values") == false
        )
    }

    @Test("also where so many others are known that not all of them fit")
    func crowded() {
        var dialogue = OwnAnnouncementTests.sharer(["5.6.7.8"])
        for number in 1...40 {
            let peer = Endpoint.at("20.0.\(number).1:6881")
            let token = AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: peer))
            _ = dialogue.answer(to: AnsweringTests.announce(token), from: peer)
        }
        let reply = dialogue.answer(to: AnsweringTests.getPeers, from: .at("40.0.0.5:1000")) ?? ""
        let list = reply.unicodeScalars.count { _ in true }
        #expect(reply.contains("6:\(Endpoint.at("5.6.7.8:7000").wireText)"))
        #expect(list <= 1024)
        // Sixteen for a stranger (D9), ourselves among them.
        #expect(reply.contains("6:valuesl"))
        let values = reply[(reply.firstRange(of: "6:valuesl")?.upperBound ?? reply.endIndex)...]
        #expect((values.unicodeScalars.count - 25) / 8 == 16)
    }
}
