import Primitives
import Testing

@testable import Kademlia

@Suite("Whom a lookup asks, and when")
struct AskingTests {
    /// A node that shares so many bits with the target of the lookups, in a network of its own.
    static func node(sharing bits: Int) -> Contact {
        let flipped = UInt160(
            high: bits < 64 ? 1 << UInt64(63 - bits) : 0,
            middle: bits < 64 ? 0 : 1 << UInt64(127 - bits),
            low: 0
        )
        let id = NodeID(LookupTests.target.value ^ flipped)
        return Contact(id, Endpoint(.v4(0x1400_0001 | UInt32(bits) << 8), 6881))
    }

    /// A node that knows one other, far from the target, and has been told of some nodes after asking it.
    static func told(of contacts: [Contact]) -> Dialogue {
        let far = node(sharing: 1)
        var dialogue = LookupTests.joined(knowing: far)
        _ = dialogue.findPeers(of: LookupTests.infoHash)
        dialogue.now = dialogue.now + .milliseconds(100)
        dialogue.replies(to: dialogue.nextSent(), as: far.id, LookupTests.nodes(contacts))
        return dialogue
    }

    /// A node that asks one at a time, and knows some that took so many milliseconds to answer a ping.
    static func measured(_ contacts: [(Contact, Int64)]) -> Dialogue {
        var limits = DHTLimits()
        limits.headOfLookup = 1
        limits.queriesInFlight = 1
        var dialogue = Dialogue(limits: limits)
        for (contact, milliseconds) in contacts {
            _ = dialogue.ping(contact.endpoint)
            let ping = dialogue.nextSent()
            dialogue.now = dialogue.now + .milliseconds(milliseconds)
            dialogue.replies(to: ping, as: contact.id)
        }
        return dialogue
    }

    @Test("keeps four queries in flight, the nearest first")
    func queriesInFlight() {
        let nodes = [8, 7, 6, 5, 4, 3].map { AskingTests.node(sharing: $0) }
        var dialogue = AskingTests.told(of: nodes.reversed())
        #expect(dialogue.takeSent().map(\.to) == nodes.prefix(4).map(\.endpoint))
    }

    @Test("asks a nearer node at once, though four answers are awaited")
    func nearerNode() {
        let nodes = [8, 7, 6, 5].map { AskingTests.node(sharing: $0) }
        var dialogue = AskingTests.told(of: nodes)
        let queries = dialogue.takeSent()
        let nearer = [20, 16, 14, 12].map { AskingTests.node(sharing: $0) }
        dialogue.replies(to: queries[3], as: nodes[3].id, LookupTests.nodes(nearer))
        // Three go out beyond the three that are in flight, and only one takes the place that was freed.
        #expect(dialogue.takeSent().map(\.to) == nearer.prefix(3).map(\.endpoint))
    }

    @Test("asks all the nearest and three more at once when it has arrived")
    func arrival() {
        let nodes = (1...14).reversed().map { AskingTests.node(sharing: 10 + $0) }
        var dialogue = AskingTests.told(of: Array(nodes.prefix(8)))
        let queries = dialogue.takeSent()
        #expect(queries.map(\.to) == nodes.prefix(4).map(\.endpoint))
        // The nearest answers and knows none nearer.
        dialogue.replies(to: queries[0], as: nodes[0].id, LookupTests.nodes(Array(nodes.suffix(6))))
        #expect(dialogue.takeSent().map(\.to) == nodes[4..<11].map(\.endpoint))
    }

    @Test("asks the quicker of two nodes first that are about as near")
    func quickerNode() throws {
        // Both are in the table; the nearer one took 300 ms to answer, the other 20 ms.
        let slow = AskingTests.node(sharing: 3)
        let quick = AskingTests.node(sharing: 2)
        var dialogue = AskingTests.measured([(slow, 300), (quick, 20)])
        try #require(dialogue.node.contacts.count == 2)
        _ = dialogue.findPeers(of: LookupTests.infoHash)
        #expect(dialogue.takeSent().map(\.to) == [quick.endpoint])
    }

    @Test("waits for a node that is far from the target no longer than for one that is near, however quick it is")
    func nearnessCounts() throws {
        let near = AskingTests.node(sharing: 12)
        let quick = AskingTests.node(sharing: 2)
        var dialogue = AskingTests.measured([(near, 200), (quick, 1)])
        _ = dialogue.findPeers(of: LookupTests.infoHash)
        #expect(dialogue.takeSent().map(\.to) == [near.endpoint])
    }

    @Test("gives a query up after a second where answers are quick, and after two and a half where nobody answers")
    func timeouts() {
        var dialogue = Dialogue()
        func lost(_ dialogue: inout Dialogue) -> Duration {
            let began = dialogue.now
            let ping = dialogue.ping(.at("20.9.9.9:1"))
            _ = dialogue.takeSent()
            while !dialogue.takeActions().contains(.pingFailed(ping)) { dialogue.passes(.milliseconds(100)) }
            return dialogue.now - began
        }
        #expect(lost(&dialogue) == .milliseconds(2500))
        for number in 0..<8 {
            let contact = LookupTests.node(UInt8(number))
            _ = dialogue.ping(contact.endpoint)
            let ping = dialogue.nextSent()
            dialogue.now = dialogue.now + .milliseconds(20)
            dialogue.replies(to: ping, as: contact.id)
        }
        #expect(dialogue.node.roundTrips.count == 8)
        for _ in 0..<8 { #expect(lost(&dialogue) == .seconds(1)) }
        // Eight in a row: perhaps the network has become slow, and their answers came too late.
        #expect(lost(&dialogue) == .milliseconds(2500))
    }
}
