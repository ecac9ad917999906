import Primitives
import Testing

@testable import Kademlia

@Suite("What lookups learn for the next ones")
struct RecentContactsTests {
    private static let far = (1...9).map { Contact(NodeID(0xc0, UInt8($0)), .at("20.1.\($0).1:6881")) }

    /// A node whose table is full of eight of the far nodes, so that no other of their half of the key space gets in.
    static func full() -> Dialogue {
        var limits = DHTLimits()
        limits.farthestBucketSize = 8
        var dialogue = Dialogue(limits: limits)
        for contact in far {
            _ = dialogue.ping(contact.endpoint)
            dialogue.replies(to: dialogue.nextSent(), as: contact.id)
        }
        _ = dialogue.takeActions()
        #expect(dialogue.node.contacts.count == 8)
        return dialogue
    }

    /// Lets every node answer, the far ones with the names of the near ones; who is dead does not.
    static func look(_ dialogue: inout Dialogue, near: [Contact], dead: [Contact] = []) -> [Endpoint] {
        _ = dialogue.findPeers(of: LookupTests.infoHash)
        var asked: [Endpoint] = []
        var isOver = false
        while !isOver {
            let queries = dialogue.takeSent().filter { $0.isQuery("get_peers") }
            asked += queries.map(\.to)
            for query in queries {
                guard let contact = (RecentContactsTests.far + near).first(where: { $0.endpoint == query.to }) else {
                    continue
                }
                dialogue.replies(to: query, as: contact.id, LookupTests.nodes(near + dead))
            }
            if queries.isEmpty { dialogue.passes(.milliseconds(500)) }
            isOver = LookupTests.summary(in: dialogue.takeActions()) != nil
        }
        return asked
    }

    @Test("a lookup begins with the nodes that an earlier one of the same key ended with")
    func beginsWhereTheLastOneEnded() {
        var dialogue = RecentContactsTests.full()
        let near = (1...8).map { LookupTests.node(UInt8($0)) }
        let first = RecentContactsTests.look(&dialogue, near: near)
        #expect(Set(first).isSuperset(of: near.map(\.endpoint)))
        #expect(RecentContactsTests.far.contains { $0.endpoint == first[0] })
        #expect(!dialogue.node.contacts.contains { near.contains($0) })

        let second = RecentContactsTests.look(&dialogue, near: near)
        #expect(near.contains { $0.endpoint == second[0] })
        #expect(second.count < first.count)
        // The head of the list answers first, then all of the nearest; of the far ones only the spare three are asked.
        #expect(second.count <= 8 + DHTLimits().spareCandidates)
    }

    @Test("a lookup a quarter of an hour later begins with the table again: the others may be gone")
    func forgetsOldOnes() {
        var dialogue = RecentContactsTests.full()
        let near = (1...8).map { LookupTests.node(UInt8($0)) }
        _ = RecentContactsTests.look(&dialogue, near: near)
        dialogue.now = dialogue.now + .seconds(901)
        let later = RecentContactsTests.look(&dialogue, near: near)
        #expect(RecentContactsTests.far.contains { $0.endpoint == later[0] })
    }

    @Test("who did not answer is not asked again for two minutes, whoever names it")
    func silentNodes() {
        var dialogue = RecentContactsTests.full()
        let near = (1...4).map { LookupTests.node(UInt8($0)) }
        let dead = LookupTests.node(5)
        let first = RecentContactsTests.look(&dialogue, near: near, dead: [dead])
        #expect(first.contains(dead.endpoint))
        dialogue.passes(.seconds(3))
        let soon = RecentContactsTests.look(&dialogue, near: near, dead: [dead])
        #expect(!soon.contains(dead.endpoint))
        dialogue.passes(.seconds(120))
        let later = RecentContactsTests.look(&dialogue, near: near, dead: [dead])
        #expect(later.contains(dead.endpoint))
    }

    @Test("askers that are not there make it forget no silence, however many")
    func forgedAskers() {
        var dialogue = RecentContactsTests.full()
        let near = (1...4).map { LookupTests.node(UInt8($0)) }
        let dead = LookupTests.node(5)
        #expect(RecentContactsTests.look(&dialogue, near: near, dead: [dead]).contains(dead.endpoint))
        dialogue.passes(.seconds(3))
        for round in 0..<20 {
            for source in 0..<64 {
                let asker = Endpoint(.v4(0x6400_0001 + UInt32(round * 64 + source) << 8), 6881)
                dialogue.receives("d1:ad2:id20:\(querier)e1:q4:ping1:t2:aa1:y1:qe", from: asker)
            }
            dialogue.passes(.seconds(3))
        }
        #expect(!RecentContactsTests.look(&dialogue, near: near, dead: [dead]).contains(dead.endpoint))
    }

    @Test("an answer ends a silence")
    func answered() {
        var recent = RecentContacts(limits: SharedLimits())
        let node = LookupTests.node(1)
        recent.failed(node, at: .zero)
        #expect(recent.isSilent(node, at: .zero))
        recent.answered(node)
        #expect(!recent.isSilent(node, at: .zero))
    }

    @Test("nobody is called silent while nobody answers: then it is the network that is away")
    func networkAway() {
        var dialogue = RecentContactsTests.full()
        let near = (1...8).map { LookupTests.node(UInt8($0)) }
        for _ in 0..<4 {
            _ = dialogue.findPeers(of: LookupTests.infoHash)
            dialogue.passes(.seconds(10))
            _ = dialogue.takeSent()
        }
        _ = dialogue.takeActions()
        // At most the first eight silences were taken for those of single nodes.
        let asked = RecentContactsTests.look(&dialogue, near: near)
        #expect(Set(asked).isSuperset(of: near.map(\.endpoint)))
    }

    @Test("the memory of them has its limits, and the oldest makes room")
    func limits() {
        var limits = DHTLimits()
        limits.recentContacts = 16
        var recent = RecentContacts(limits: SharedLimits(limits))
        for number in 0..<100 { recent.found([LookupTests.node(UInt8(number))], at: .zero) }
        #expect(recent.count == 16)
        var nearest: [Contact] = []
        recent.appendNearest(to: LookupTests.target, atMost: 1, at: .zero, to: &nearest)
        #expect(nearest == [LookupTests.node(84)])
        recent.failed(LookupTests.node(84), at: .zero)
        #expect(recent.count == 15)
    }
}
