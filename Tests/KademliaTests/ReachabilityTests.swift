import Kademlia
import Primitives
import Testing

@Suite("Asking without serving (BEP 43)")
struct ReachabilityTests {
    static let router = Endpoint.at("20.9.9.9:6881")
    static let ping = "d1:ad2:id20:\(querier)e1:q4:ping1:t1:x1:y1:qe"
    static let contacts = (1...10).map { Contact(NodeID(UInt8($0 << 4)), .at("20.0.\($0).1:6881")) }

    /// A node that has joined a network of others, and heard of nobody but those that it asked.
    static func joined(serving: DHTLimits.Serving = .whenReachable) -> Dialogue {
        var limits = DHTLimits()
        limits.serving = serving
        var dialogue = Dialogue(limits: limits)
        dialogue.start(bootstrap: true)
        dialogue.resolved([router])
        let all = contacts + [Contact(NodeID(0x81), router)]
        let nodes = contacts.prefix(8).map(\.wireText).joined()
        for query in dialogue.takeSent() { dialogue.replies(to: query, as: NodeID(0x81), "5:nodes208:\(nodes)") }
        dialogue.answersAll(as: all)
        return dialogue
    }

    @Test("the first node of a network answers, and its queries say nothing else")
    func firstNode() {
        var dialogue = Dialogue()
        dialogue.start()
        #expect(dialogue.node.isServing == true)
        dialogue.receives(ReachabilityTests.ping, from: .at("20.0.0.5:1000"))
        let sent = dialogue.takeSent()
        #expect(sent.count { !$0.isQuery } == 1)
        #expect(sent.filter(\.isQuery).map(\.isReadOnly) == [false])
    }

    @Test("a node that joins others says ro in all its queries but those to its neighbours once it has joined")
    func joins() {
        var limits = DHTLimits()
        limits.refreshOutsiders = 0
        var dialogue = Dialogue(limits: limits)
        dialogue.start(bootstrap: true)
        dialogue.resolved([ReachabilityTests.router])
        let first = dialogue.takeSent()
        #expect(first.map(\.isReadOnly) == [true])
        for query in first { dialogue.replies(to: query, as: NodeID(0x81)) }
        let then = dialogue.takeSent()
        #expect(then.filter { $0.isQuery("ping") }.map(\.isReadOnly) == [false])
        #expect(then.filter { $0.isQuery("find_node") }.allSatisfy { $0.isReadOnly })
    }

    @Test(
        "read-only, it answers nobody that it sent something to within five minutes, except those it asked to try (D13)"
    )
    func answersNothing() {
        var dialogue = ReachabilityTests.joined()
        #expect(dialogue.node.isServing == false)
        let neighbour = ReachabilityTests.contacts[0].endpoint
        #expect(dialogue.answer(to: ReachabilityTests.ping, from: neighbour) != nil)
        _ = dialogue.ping(.at("20.0.99.1:6881"))
        #expect(dialogue.answer(to: ReachabilityTests.ping, from: .at("20.0.99.1:6881")) == nil)
        // Another port of the same address passes most address translations as well.
        #expect(dialogue.answer(to: ReachabilityTests.ping, from: .at("20.0.99.1:7000")) == nil)
        #expect(dialogue.node.statistics.dropped(.readOnly) == 2)
        #expect(dialogue.node.isServing == false)
    }

    @Test("a query of one that it never sent anything to makes it serve, and is answered")
    func uninvited() {
        var dialogue = ReachabilityTests.joined()
        #expect(dialogue.answer(to: ReachabilityTests.ping, from: .at("20.0.77.1:6881")) != nil)
        #expect(dialogue.node.isServing == true)
        _ = dialogue.takeSent()
        _ = dialogue.ping(.at("20.0.99.1:6881"))
        #expect(dialogue.takeSent().map(\.isReadOnly) == [false])
        #expect(dialogue.answer(to: ReachabilityTests.ping, from: .at("20.0.99.1:6881")) != nil)
    }

    @Test("what comes through a hole that our own answers keep open proves nothing")
    func openHole() {
        var dialogue = ReachabilityTests.joined()
        let neighbour = ReachabilityTests.contacts[0].endpoint
        for _ in 0..<30 {
            dialogue.passes(.seconds(60))
            dialogue.answersAll(as: ReachabilityTests.contacts)
            _ = dialogue.answer(to: ReachabilityTests.ping, from: neighbour)
        }
        #expect(dialogue.node.isServing == false)
    }

    @Test("it stops serving when nothing uninvited came for an hour")
    func lapses() {
        var dialogue = ReachabilityTests.joined()
        _ = dialogue.answer(to: ReachabilityTests.ping, from: .at("20.0.77.1:6881"))
        for minute in 1...60 {
            #expect(dialogue.node.isServing == true, "minute \(minute)")
            dialogue.passes(.seconds(60))
            dialogue.answersAll(
                as: ReachabilityTests.contacts + [Contact(NodeID(text: querier), .at("20.0.77.1:6881"))]
            )
        }
        dialogue.passes(.seconds(20))
        #expect(dialogue.node.isServing == false)
    }

    @Test("it tries its neighbours again after pauses that double")
    func probes() {
        var dialogue = ReachabilityTests.joined()
        var trials: [Int] = []
        for step in 1...400 {
            _ = dialogue.takeSent()
            dialogue.passes(.seconds(10))
            let queries = dialogue.takeSent().filter(\.isQuery)
            if queries.contains(where: { $0.isQuery("ping") && !$0.isReadOnly }) { trials.append(step * 10) }
            for query in queries {
                guard let contact = ReachabilityTests.contacts.first(where: { $0.endpoint == query.to }) else {
                    continue
                }
                dialogue.replies(to: query, as: contact.id)
            }
        }
        #expect(trials == [30, 90, 210, 450, 930, 1890, 3810])
    }

    @Test("hosts of a private network and of this one are always answered, and never told ro")
    func privateHosts() {
        var dialogue = ReachabilityTests.joined()
        for text in ["127.0.0.1:1000", "192.168.1.2:1000", "10.3.3.3:1000"] {
            _ = dialogue.ping(.at(text))
            #expect(dialogue.takeSent().map(\.isReadOnly) == [false])
            #expect(dialogue.answer(to: ReachabilityTests.ping, from: .at(text)) != nil)
        }
        #expect(dialogue.node.isServing == false)
    }

    @Test("a node that was told so serves at once, or never")
    func fixed() {
        var server = ReachabilityTests.joined(serving: .always)
        _ = server.ping(.at("20.0.99.1:6881"))
        #expect(server.takeSent().map(\.isReadOnly) == [false])
        #expect(server.answer(to: ReachabilityTests.ping, from: .at("20.0.99.1:6881")) != nil)

        var visitor = ReachabilityTests.joined(serving: .never)
        _ = visitor.ping(.at("127.0.0.1:6881"))
        #expect(visitor.takeSent().map(\.isReadOnly) == [true])
        for text in ["127.0.0.1:1000", "192.168.1.2:1000", "20.0.77.1:1000"] {
            #expect(visitor.answer(to: ReachabilityTests.ping, from: .at(text)) == nil)
        }
    }

    @Test("a node that is in no network yet answers everybody: after a blackout all start at once")
    func blackout() {
        var dialogue = Dialogue()
        dialogue.start(bootstrap: true, remembered: ReachabilityTests.contacts)
        dialogue.resolved([ReachabilityTests.router])
        let asked = dialogue.takeSent().map(\.to)
        #expect(asked.contains(ReachabilityTests.contacts[0].endpoint))
        #expect(dialogue.answer(to: ReachabilityTests.ping, from: ReachabilityTests.contacts[0].endpoint) != nil)
        #expect(dialogue.node.isServing == false)
    }
}
