import Kademlia
import Primitives
import Testing

@Suite("Sleep and silence")
struct SilenceTests {
    static let router = Endpoint.at("20.9.9.9:6881")
    static let contacts = (1...20).map { Contact(NodeID(UInt8($0 << 3), 7), .at("20.0.\($0).1:6881")) }

    /// A node that has joined and knows twenty others.
    static func joined() -> Dialogue {
        var dialogue = Dialogue()
        dialogue.start(bootstrap: true)
        dialogue.resolved([router])
        dialogue.answersAll(as: [Contact(NodeID(0x80), router)])
        dialogue.meets(contacts)
        return dialogue
    }

    @Test("after a sleep the node asks its old acquaintances and the bootstrap nodes, and blames nobody")
    func sleep() {
        var dialogue = SilenceTests.joined()
        _ = dialogue.ping(.at("20.0.1.1:6881"))
        _ = dialogue.takeSent()
        let known = dialogue.node.contacts.count
        dialogue.sleeps(.seconds(3600))
        let actions = dialogue.takeActions()
        #expect(actions.contains(.resolveBootstrapNodes))
        #expect(dialogue.node.isJoined == false)
        #expect(dialogue.node.statistics.wakeUps == 1)
        #expect(dialogue.node.statistics.timeouts == 0)
        dialogue.resolved([SilenceTests.router])
        dialogue.answersAll(as: SilenceTests.contacts + [Contact(NodeID(0x80), SilenceTests.router)])
        dialogue.passes(.seconds(5))
        #expect(dialogue.node.isJoined == true)
        #expect(dialogue.node.buckets.reduce(0) { $0 + $1.good + $1.questionable } >= known - 1)
    }

    @Test("ten seconds without a word are no sleep")
    func noSleep() {
        var dialogue = SilenceTests.joined()
        dialogue.sleeps(.seconds(100))
        #expect(dialogue.node.statistics.wakeUps == 0)
    }

    @Test("sixteen old acquaintances in a row that do not answer mean that the network is another")
    func silence() {
        var dialogue = SilenceTests.joined()
        _ = dialogue.takeActions()
        let lookup = dialogue.findNode(closestTo: NodeID(0x55))
        dialogue.passes(.seconds(10))
        let actions = dialogue.takeActions()
        #expect(actions.contains(.resolveBootstrapNodes))
        #expect(actions.contains { if case .finished(lookup, _) = $0 { true } else { false } } == false)
        #expect(dialogue.node.isJoined == false)

        // The lookup still goes on: whoever is there in the new network answers it.
        dialogue.resolved([SilenceTests.router])
        let new = Contact(NodeID(0x80), SilenceTests.router)
        dialogue.answersAll(as: [new])
        dialogue.passes(.seconds(3))
        #expect(dialogue.node.isJoined == true)
    }

    @Test("fewer than that, because one of them answered in between, mean nothing")
    func interrupted() {
        var dialogue = SilenceTests.joined()
        _ = dialogue.takeActions()
        _ = dialogue.findNode(closestTo: NodeID(0x55))
        for _ in 0..<6 {
            dialogue.answersAll(as: [SilenceTests.contacts[3], SilenceTests.contacts[11]])
            dialogue.passes(.seconds(1))
        }
        #expect(dialogue.node.statistics.timeouts >= 8)
        #expect(dialogue.node.isJoined == true)
    }

    @Test("hearsay that does not answer means nothing")
    func hearsay() {
        var dialogue = SilenceTests.joined()
        _ = dialogue.takeActions()
        for number in 1...60 { _ = dialogue.ping(.at("30.0.\(number).1:6881")) }
        dialogue.passes(.seconds(3))
        #expect(dialogue.node.isJoined == true)
        #expect(!dialogue.takeActions().contains(.resolveBootstrapNodes))
    }
}
