import Kademlia
import Primitives
import Testing

@Suite("Joining the network")
struct JoiningTests {
    static let router = Endpoint.at("20.9.9.9:6881")
    static let infoHash = InfoHash(NodeID(0x80, last: 0).value)

    static func failures(in actions: [DHTAction]) -> [Duration] {
        actions.compactMap { if case .bootstrapFailed(_, let pause) = $0 { pause } else { nil } }
    }

    @Test("asks for the bootstrap nodes, and them for our neighbourhood")
    func bootstraps() throws {
        var dialogue = Dialogue()
        dialogue.start(bootstrap: true)
        #expect(dialogue.takeActions() == [.resolveBootstrapNodes])
        #expect(dialogue.takeSent() == [])

        dialogue.resolved([JoiningTests.router])
        let query = dialogue.nextSent()
        #expect(query.to == JoiningTests.router)
        #expect(query.text.contains("6:target20:\(Dialogue.ownID.wireText)e1:q9:find_node"))

        dialogue.replies(to: query, as: NodeID(0x80))
        dialogue.answersAll(as: [Contact(NodeID(0x80), JoiningTests.router)])
        #expect(dialogue.takeActions() == [.bootstrapped(nodes: 1)])
        #expect(dialogue.node.isJoined == true)
        #expect(dialogue.node.contacts == [Contact(NodeID(0x80), JoiningTests.router)])
    }

    @Test("sends a lookup's first query to the bootstrap nodes as soon as they are resolved, beside the join")
    func startsFast() {
        var dialogue = Dialogue()
        dialogue.start(bootstrap: true)
        let lookup = dialogue.findPeers(of: JoiningTests.infoHash)
        _ = dialogue.takeActions()
        dialogue.resolved([JoiningTests.router])
        let queries = dialogue.takeSent()
        #expect(queries.count == 2)
        #expect(queries.allSatisfy { $0.to == JoiningTests.router })
        #expect(queries.contains { $0.isQuery("find_node") })

        for query in queries where query.isQuery("get_peers") {
            dialogue.replies(to: query, as: NodeID(0x80), LookupTests.values(["20.1.1.1:5000"]))
        }
        #expect(dialogue.takeActions().contains(.foundPeers(lookup, [.at("20.1.1.1:5000")])))
    }

    @Test("says when nobody answers, and tries again after pauses that grow to five minutes")
    func deadBootstrap() {
        var dialogue = Dialogue()
        dialogue.start(bootstrap: true)
        var resolutions = 0
        var pauses: [Duration] = []
        for _ in 0..<3600 {
            let actions = dialogue.takeActions()
            pauses += JoiningTests.failures(in: actions)
            if actions.contains(.resolveBootstrapNodes) {
                resolutions += 1
                dialogue.resolved([JoiningTests.router])
            }
            dialogue.passes(.seconds(1))
        }
        #expect(pauses.prefix(9) == [2, 4, 8, 16, 32, 64, 128, 256, 300].map { Duration.seconds($0) }[...])
        #expect(pauses.max() == .seconds(300))
        #expect(resolutions >= pauses.count)
    }

    @Test("fails at once when no name resolves, and when the driver never says so, after a while")
    func nothingResolved() {
        var dialogue = Dialogue()
        dialogue.start(bootstrap: true)
        dialogue.resolved([])
        #expect(
            dialogue.takeActions() == [
                .resolveBootstrapNodes, .bootstrapFailed(attempt: 1, retryIn: .seconds(2)),
            ]
        )
        dialogue.passes(.seconds(2))
        #expect(dialogue.takeActions() == [.resolveBootstrapNodes])
        dialogue.passes(.seconds(10))
        #expect(dialogue.takeActions() == [.bootstrapFailed(attempt: 2, retryIn: .seconds(4))])
    }

    @Test("ends a lookup that has nobody to ask when the bootstrap fails, not before and not never")
    func lonelyLookup() {
        var dialogue = Dialogue()
        dialogue.start(bootstrap: true)
        let lookup = dialogue.findPeers(of: JoiningTests.infoHash, announcing: 4000)
        #expect(dialogue.takeActions() == [.resolveBootstrapNodes])
        dialogue.resolved([JoiningTests.router])
        dialogue.passes(.milliseconds(2400))
        #expect(dialogue.takeActions() == [])
        dialogue.passes(.milliseconds(100))
        let actions = dialogue.takeActions()
        #expect(JoiningTests.failures(in: actions) == [.seconds(2)])
        #expect(LookupTests.summary(in: actions)?.outcome == .nobodyAnswered)
        #expect(actions.contains { if case .finished(lookup, _) = $0 { true } else { false } })
    }

    @Test("ends a lookup at once in a node that knows nobody and has nobody to ask for")
    func firstNode() {
        var dialogue = Dialogue()
        dialogue.start(bootstrap: false)
        #expect(dialogue.takeActions() == [])
        _ = dialogue.findNode(closestTo: NodeID(0x80))
        #expect(LookupTests.summary(in: dialogue.takeActions())?.outcome == .nobodyAnswered)
    }

    @Test("uses remembered nodes while every bootstrap node is dead (D16)")
    func remembered() throws {
        let alive = Contact(NodeID(0x80), .at("20.0.1.1:6881"))
        let dead = (2...9).map { Contact(NodeID(0x80, UInt8($0)), .at("20.0.\($0).1:6881")) }
        var dialogue = Dialogue()
        dialogue.start(bootstrap: true, remembered: dead + [alive])
        let lookup = dialogue.findPeers(of: JoiningTests.infoHash)
        dialogue.resolved([JoiningTests.router])
        #expect(dialogue.node.contacts == [])

        let queries = dialogue.takeSent().filter { $0.to == alive.endpoint }
        try #require(!queries.isEmpty)
        for query in queries {
            dialogue.replies(to: query, as: alive.id, LookupTests.values(["20.1.1.1:5000"]))
        }
        dialogue.answersAll(as: [alive])
        dialogue.passes(.seconds(3))
        let actions = dialogue.takeActions()
        #expect(actions.contains(.foundPeers(lookup, [.at("20.1.1.1:5000")])))
        #expect(actions.contains(.bootstrapped(nodes: 1)))
        #expect(JoiningTests.failures(in: actions) == [])
        #expect(dialogue.node.contacts == [alive])
    }

    @Test("lets a lookup go on with the first node that turns up, however it does")
    func firstNodeHelpsLookups() {
        var dialogue = Dialogue()
        dialogue.start(bootstrap: true)
        _ = dialogue.findPeers(of: JoiningTests.infoHash)
        let visitor = Contact(NodeID(0x80), .at("20.0.1.1:6881"))
        dialogue.receives("d1:ad2:id20:\(visitor.id.wireText)e1:q4:ping1:t1:x1:y1:qe", from: visitor.endpoint)
        for query in dialogue.takeSent() where query.isQuery("ping") { dialogue.replies(to: query, as: visitor.id) }
        #expect(dialogue.takeSent().contains { $0.to == visitor.endpoint && $0.isQuery("get_peers") })
    }

    @Test("starts over when everybody in the table has fallen silent")
    func alone() {
        var dialogue = Dialogue()
        dialogue.start(bootstrap: true)
        dialogue.resolved([JoiningTests.router])
        dialogue.replies(to: dialogue.nextSent(), as: NodeID(0x80))
        dialogue.answersAll(as: [Contact(NodeID(0x80), JoiningTests.router)])
        _ = dialogue.takeActions()

        // 15 minutes until it is questionable, 10 seconds until the look at the table, two pings of 2.5 seconds.
        var actions: [DHTAction] = []
        while dialogue.now < .zero + .seconds(1000), !actions.contains(.resolveBootstrapNodes) {
            dialogue.passes(.milliseconds(100))
            actions = dialogue.takeActions()
        }
        #expect(actions.contains(.resolveBootstrapNodes))
        _ = dialogue.takeSent()
        #expect(dialogue.node.contacts == [])
        #expect(dialogue.node.buckets.map(\.bad) == [1])
        #expect(dialogue.node.isJoined == false)

        dialogue.resolved([JoiningTests.router])
        dialogue.passes(.seconds(3))
        #expect(JoiningTests.failures(in: dialogue.takeActions()) == [.seconds(2)])
        dialogue.passes(.seconds(2))
        for query in dialogue.takeSent() where query.to == JoiningTests.router {
            dialogue.replies(to: query, as: NodeID(0x80))
        }
        #expect(dialogue.takeActions().contains(.bootstrapped(nodes: 1)))
    }

    @Test("finds out that a bootstrap node is ourselves, and does not talk to it again")
    func meetsOurselves() {
        var dialogue = Dialogue()
        dialogue.start(bootstrap: true)
        dialogue.resolved([JoiningTests.router])
        let query = dialogue.nextSent()
        dialogue.receives(query.text, from: JoiningTests.router)
        #expect(dialogue.takeSent() == [])
        #expect(JoiningTests.failures(in: dialogue.takeActions()) == [.seconds(2)])
        dialogue.passes(.seconds(2))
        dialogue.resolved([JoiningTests.router])
        #expect(dialogue.takeSent() == [])
        #expect(dialogue.node.contacts == [])
    }

    @Test("ignores a node that answers with our own identifier")
    func ownIdentifier() {
        var dialogue = Dialogue()
        dialogue.start(bootstrap: true)
        dialogue.resolved([JoiningTests.router])
        dialogue.replies(to: dialogue.nextSent(), as: Dialogue.ownID)
        #expect(dialogue.node.contacts == [])
        #expect(dialogue.node.statistics.dropped(.ownIdentifier) == 1)
    }

    @Test("takes an asker into the table only after it answered a ping (D6)")
    func unverifiedAskers() {
        var dialogue = Dialogue()
        dialogue.start()
        for index in 0..<500 {
            let source = Endpoint(.v4(0x1400_0001 + UInt32(index) << 8), 6881)
            let id = NodeID(UInt8(index & 255), UInt8(index >> 8))
            dialogue.receives("d1:ad2:id20:\(id.wireText)e1:q4:ping1:t1:x1:y1:qe", from: source)
        }
        let pings = dialogue.takeSent().filter { $0.isQuery("ping") }
        #expect(dialogue.node.contacts == [])
        #expect(pings.count == DHTLimits().verifications)
    }

    @Test("ignores our external address in replies, whoever votes for it (N11)")
    func forgedVotes() {
        var dialogue = Dialogue()
        for index in 1...100 {
            _ = dialogue.ping(.at("20.0.0.\(index):6881"))
            let query = dialogue.nextSent()
            dialogue.receives(
                "d2:ip6:\(Endpoint.at("6.6.6.6:6").wireText)1:rd2:id20:\(responder)e1:t4:\(query.transaction)1:y1:re",
                from: query.to
            )
        }
        #expect(dialogue.node.statistics.repliesReceived == 100)
        #expect(dialogue.node.id == Dialogue.ownID)
    }

    @Test("pings for a command: an answer, a silence, an endpoint that cannot be")
    func pings() {
        var dialogue = Dialogue()
        let answered = dialogue.ping(JoiningTests.router)
        let query = dialogue.nextSent()
        dialogue.now = dialogue.now + .milliseconds(40)
        dialogue.replies(to: query, as: NodeID(0x80))
        let silent = dialogue.ping(.at("20.0.0.1:1"))
        dialogue.passes(.seconds(3))
        let impossible = dialogue.ping(.at("[::1]:6881"))
        #expect(
            dialogue.takeActions() == [
                .pong(answered, from: NodeID(0x80), roundTrip: .milliseconds(40)), .pingFailed(silent),
                .pingFailed(impossible),
            ]
        )
    }
}
