import Kademlia
import Primitives
import Testing

@Suite("A node of both DHTs (BEP 32)")
struct DualStackTests {
    static let v4 = (1...3).map { Contact(NodeID(UInt8($0 << 4)), .at("20.0.\($0).1:6881")) }
    static let v6 = (1...3).map { Contact(NodeID(UInt8($0 << 4), 1), .at("[2400:0:0:\($0)::1]:6881")) }
    static let place = NodeID(0x10)

    static func nodes(_ contacts: [Contact]) -> String {
        let bytes = contacts.sorted { $0.id.isCloser(to: place, than: $1.id) }.map(\.wireText).joined()
        let key = contacts.allSatisfy { $0.endpoint.address.isV4 } ? "5:nodes" : "6:nodes6"
        return key + "\(bytes.unicodeScalars.count):" + bytes
    }

    @Test(
        "names the contacts of the family that want asks for, over either",
        arguments: [
            ("20.0.9.9:1", "", "4"), ("20.0.9.9:1", "4:wantl2:n4e", "4"), ("20.0.9.9:1", "4:wantl2:n6e", "6"),
            ("20.0.9.9:1", "4:wantl2:n42:n6e", "46"), ("20.0.9.9:1", "4:wantl2:n62:n4e", "46"),
            ("[2400:0:0:9::9]:1", "", "6"), ("[2400:0:0:9::9]:1", "4:wantl2:n6e", "6"),
            ("[2400:0:0:9::9]:1", "4:wantl2:n4e", "4"), ("[2400:0:0:9::9]:1", "4:wantl2:n42:n6e", "46"),
        ]
    )
    func want(asker: String, want: String, families: String) {
        var dialogue = DualDialogue()
        dialogue.meets(DualStackTests.v4 + DualStackTests.v6)
        let own = asker.hasPrefix("[") ? DualDialogue.ownIDv6 : DualDialogue.ownID
        let nodes =
            (families.contains("4") ? DualStackTests.nodes(DualStackTests.v4) : "")
            + (families.contains("6") ? DualStackTests.nodes(DualStackTests.v6) : "")
        let find = FamilyTests.find(DualStackTests.place, want: want)
        let reply = dialogue.answer(to: find, from: .at(asker))
        let ip = "2:ip\(Endpoint.at(asker).compactByteCount):\(Endpoint.at(asker).wireText)"
        #expect(reply == "d\(ip)1:rd2:id20:\(own.wireText)\(nodes)e" + AnsweringTests.tail)
    }

    @Test("a get_peers reply with nodes of both families keeps the values of the query's, within 1024 bytes (D9)")
    func values() {
        var limits = DHTLimits()
        limits.peersPerAddressAndInfoHash = 200
        limits.queriesPerAddress = 1000
        limits.queriesPerNetwork = 1000
        var dialogue = DualDialogue(limits: limits)
        let many = (1...12).map { Contact(NodeID(UInt8($0 << 4)), .at("20.0.\($0).1:6881")) }
        dialogue.meets(many + FamilyTests.contacts(12))
        for asker in [Endpoint.at("20.0.9.9:1"), FamilyTests.asker] {
            let token = AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: asker))
            for port in 2000..<2100 {
                _ = dialogue.answer(to: AnsweringTests.announce(token, port: "4:porti\(port)e"), from: asker)
            }
            let query = AnsweringTests.getPeers.replacing("e1:q9:", with: "4:wantl2:n42:n6ee1:q9:")
            let reply = dialogue.answer(to: query, from: asker) ?? ""
            let value = asker.address.isV4 ? "6:\u{14}" : "18:\u{24}"
            #expect(reply.contains("5:nodes208:") && reply.contains("6:nodes6304:"))
            #expect(reply.contains("6:valuesl" + value))
            #expect((1024 - 20...1024).contains(reply.unicodeScalars.count))
        }
    }

    @Test("a peer announced over one family is not told over the other")
    func separateStores() {
        var dialogue = DualDialogue()
        let asker = Endpoint.at("20.0.9.9:6881")
        let token = AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: asker))
        _ = dialogue.answer(to: AnsweringTests.announce(token), from: asker)
        #expect(dialogue.answer(to: AnsweringTests.getPeers, from: asker)?.contains("6:values") == true)
        #expect(dialogue.answer(to: AnsweringTests.getPeers, from: FamilyTests.asker)?.contains("6:values") == false)
        #expect(dialogue.node.storedPeers(of: AnsweringTests.infoHash) == [asker])
    }

    @Test("joining over IPv4 asks for both families and so finds the IPv6 network")
    func leak() {
        var dialogue = DualDialogue()
        dialogue.start(remembered: [DualStackTests.v4[0]])
        let joins = dialogue.takeSent()
        #expect(joins.map(\.to) == [DualStackTests.v4[0].endpoint])
        #expect(joins.first?.text.contains("4:wantl2:n42:n6ee1:q9:find_node") == true)
        let named = DualStackTests.nodes(DualStackTests.v4) + DualStackTests.nodes(DualStackTests.v6)
        dialogue.replies(to: joins[0], as: DualStackTests.v4[0].id, named)
        let next = dialogue.takeSent()
        #expect(Set(next.map(\.to)).isSuperset(of: DualStackTests.v6.map(\.endpoint)))
        for query in next {
            let contact = (DualStackTests.v4 + DualStackTests.v6).first { $0.endpoint == query.to }
            dialogue.replies(to: query, as: contact?.id ?? DualStackTests.place)
        }
        #expect(Set(dialogue.node.contacts(.v6)) == Set(DualStackTests.v6))
        #expect(dialogue.takeActions() == [.bootstrapped(nodes: 3), .bootstrapped(nodes: 6)])
    }

    @Test("only nodes of our family that an honest host may name are taken up from the other family (D2)")
    func hostileLeak() {
        var dialogue = DualDialogue()
        dialogue.start(remembered: [DualStackTests.v4[0]])
        let bad = ["[::1]:1", "[fd00::1]:1", "[fe80::1]:1", "[::ffff:10.0.0.1]:1", "[2002:a00:1::1]:1", "[2400::1]:0"]
        let named = bad.enumerated().map { Contact(NodeID(0x10, UInt8($0.offset)), .at($0.element)) }
        dialogue.replies(to: dialogue.takeSent()[0], as: DualStackTests.v4[0].id, DualStackTests.nodes(named))
        #expect(dialogue.takeSent().filter { !$0.to.address.isV4 } == [])
        #expect(dialogue.node.statistics(.v4)?.contactsRefused == bad.count)
    }

    @Test("invented contacts of the other family end its pause once, not again and again")
    func wokenOnce() {
        var dialogue = DualDialogue()
        dialogue.start(bootstrap: true)
        dialogue.resolved([DualStackTests.v4[0].endpoint])
        var attempts = 0
        for round in 1...5 {
            let contact = Contact(NodeID(0x40, UInt8(round)), .at("[2400:0:1:\(round)::1]:6881"))
            for query in dialogue.takeSent() where query.isQuery("find_node") && query.to.address.isV4 {
                dialogue.replies(to: query, as: DualStackTests.v4[0].id, DualStackTests.nodes([contact]))
            }
            attempts += dialogue.takeActions().count { if case .bootstrapFailed = $0 { true } else { false } }
            dialogue.passes(.seconds(3))
        }
        let asked = dialogue.node.statistics(.v6)?.queriesSent ?? 0
        // One join at once, and those that follow the pauses of 2, 4 and 8 seconds.
        #expect((1...12).contains(asked))
        // The other network is there: nobody is told that one is not.
        #expect(attempts == 0)
    }

    @Test("a command runs in both networks under one identifier and ends when both have ended")
    func oneCommand() {
        var dialogue = DualDialogue()
        dialogue.start()
        dialogue.meets([DualStackTests.v4[0], DualStackTests.v6[0]])
        dialogue.passes(.seconds(1))
        _ = dialogue.answersAll(as: [DualStackTests.v4[0], DualStackTests.v6[0]])
        _ = dialogue.takeActions()
        let lookup = dialogue.findPeers(of: AnsweringTests.infoHash)
        let queries = dialogue.takeSent().sorted { $0.to.address.isV4 && !$1.to.address.isV4 }
        #expect(queries.map(\.to) == [DualStackTests.v4[0].endpoint, DualStackTests.v6[0].endpoint])

        let peers = [Endpoint.at("20.0.7.7:7000"), .at("[2400:0:0:7::7]:7000")]
        dialogue.replies(to: queries[0], as: DualStackTests.v4[0].id, "6:valuesl6:\(peers[0].wireText)e")
        let first = dialogue.takeActions()
        #expect(first == [.foundPeers(lookup, [peers[0]]), .lookupProgress(lookup, asked: 1, answered: 1)])
        dialogue.replies(to: queries[1], as: DualStackTests.v6[0].id, "6:valuesl18:\(peers[1].wireText)e")
        let second = dialogue.takeActions()
        #expect(second.first == .foundPeers(lookup, [peers[1]]))
        #expect(second.count { if case .finished(lookup, _) = $0 { true } else { false } } == 1)
    }

    @Test("announces to each network the port by which it reaches us")
    func ports() {
        var dialogue = DualDialogue()
        dialogue.start()
        let contacts = [DualStackTests.v4[0], DualStackTests.v6[0]]
        dialogue.meets(contacts)
        _ = dialogue.findPeers(of: AnsweringTests.infoHash, announcing: 40_000, overIPv6: 6881)
        for query in dialogue.takeSent() {
            let id = query.to.address.isV4 ? contacts[0].id : contacts[1].id
            dialogue.replies(to: query, as: id, "5:token4:abcd")
        }
        let announces = dialogue.takeSent().filter { $0.text.contains("13:announce_peer") }
        #expect(announces.count == 2)
        for announce in announces {
            #expect(announce.text.contains("4:porti\(announce.to.address.isV4 ? 40_000 : 6881)e"))
        }
    }

    @Test("the summary of a command counts both networks, and its progress too")
    func summary() {
        var dialogue = DualDialogue()
        dialogue.start()
        let contacts = [DualStackTests.v4[0], DualStackTests.v6[0]]
        dialogue.meets(contacts)
        let lookup = dialogue.findNode(closestTo: DualStackTests.place)
        dialogue.answersAll(as: contacts)
        let actions = dialogue.takeActions()
        #expect(actions.contains(.lookupProgress(lookup, asked: 2, answered: 2)))
        let summaries = actions.compactMap {
            if case .finished(lookup, let summary) = $0 { summary } else { nil as LookupSummary? }
        }
        #expect(summaries.count == 1)
        #expect(summaries.first?.closest == contacts)
        #expect(summaries.first?.queriesSent == 2 && summaries.first?.replies == 2)
        #expect(summaries.first?.outcome == .complete)
    }

    @Test("a network in which nobody answers keeps no command waiting")
    func absentNetwork() {
        var dialogue = DualDialogue()
        dialogue.start(bootstrap: true)
        #expect(dialogue.takeActions() == [.resolveBootstrapNodes])
        dialogue.resolved([DualStackTests.v4[0].endpoint, DualStackTests.v6[0].endpoint])
        let lookup = dialogue.findNode(closestTo: DualStackTests.place)
        let silent = dialogue.answersAll(as: [DualStackTests.v4[0]])
        #expect(!silent.isEmpty && silent.allSatisfy { $0.to == DualStackTests.v6[0].endpoint })
        let ended = dialogue.takeActions().contains {
            if case .finished(lookup, let summary) = $0 { summary.closest == [DualStackTests.v4[0]] } else { false }
        }
        #expect(ended)
        dialogue.passes(.seconds(60))
        #expect(!dialogue.takeActions().contains { if case .finished = $0 { true } else { false } })
    }

    @Test("nobody answers anywhere: one failure a round, and one request to resolve")
    func bothFail() {
        var dialogue = DualDialogue()
        dialogue.start(bootstrap: true)
        let lookup = dialogue.findNode(closestTo: DualStackTests.place)
        dialogue.resolved([DualStackTests.v4[0].endpoint, DualStackTests.v6[0].endpoint])
        dialogue.passes(.seconds(4))
        let actions = dialogue.takeActions()
        #expect(actions.count { $0 == .resolveBootstrapNodes } == 1)
        #expect(actions.count { if case .bootstrapFailed = $0 { true } else { false } } == 1)
        #expect(actions.count { if case .finished(lookup, _) = $0 { true } else { false } } == 1)
    }

    @Test("names that resolve to one family first do not make the other one fail")
    func resolvedOneByOne() {
        var dialogue = DualDialogue()
        dialogue.start(bootstrap: true)
        dialogue.resolved([DualStackTests.v4[0].endpoint], isComplete: false)
        #expect(dialogue.takeSent().map(\.to) == [DualStackTests.v4[0].endpoint])
        dialogue.resolved([DualStackTests.v4[0].endpoint, DualStackTests.v6[0].endpoint])
        #expect(dialogue.takeSent().map(\.to).contains(DualStackTests.v6[0].endpoint))
        #expect(dialogue.node.statistics(.v6)?.queriesSent == 1)
    }

    @Test("a cancelled command is silent in both networks")
    func cancel() {
        var dialogue = DualDialogue()
        dialogue.start()
        let contacts = [DualStackTests.v4[0], DualStackTests.v6[0]]
        dialogue.meets(contacts)
        let lookup = dialogue.findNode(closestTo: DualStackTests.place)
        dialogue.node.cancel(lookup)
        dialogue.answersAll(as: contacts)
        #expect(dialogue.takeActions() == [])
    }

    @Test("pings go out by the family of the address; without it they fail", arguments: AddressFamily.allCases)
    func ping(family: AddressFamily) {
        var both = DualDialogue()
        let contact = (family == .v4 ? DualStackTests.v4 : DualStackTests.v6)[0]
        let ping = both.ping(contact.endpoint)
        #expect(both.takeSent().map(\.to) == [contact.endpoint])
        #expect(both.ping(contact.endpoint) != ping)
        var other = DualDialogue(families: [family.other])
        let failing = other.ping(contact.endpoint)
        #expect(other.takeActions() == [.pingFailed(failing)])
    }

    @Test("with one half alone it is a plain node that asks for no other family", arguments: AddressFamily.allCases)
    func oneHalf(family: AddressFamily) {
        var dialogue = DualDialogue(families: [family])
        let contacts = DualStackTests.v4 + DualStackTests.v6
        dialogue.start(remembered: contacts)
        let sent = dialogue.takeSent()
        #expect(Set(sent.map(\.to.address.family)) == [family])
        #expect(!sent.contains { $0.text.contains("4:want") })
        dialogue.receives(
            "d1:ad2:id20:\(querier)e1:q4:ping1:t2:aa1:y1:qe",
            from: contacts[family == .v4 ? 3 : 0].endpoint
        )
        #expect(dialogue.takeSent() == [])
    }

    @Test("the sum of statistics knows every counter")
    func statistics() {
        let counters = Mirror(reflecting: DHTStatistics()).children.count { $0.value is Int }
        #expect(DHTStatistics.counters.count == counters && Set(DHTStatistics.counters).count == counters)
        var one = DHTStatistics()
        for (index, counter) in DHTStatistics.counters.enumerated() { one[keyPath: counter] = index + 1 }
        let two = one + one
        for counter in DHTStatistics.counters { #expect(two[keyPath: counter] == 2 * one[keyPath: counter]) }
    }
}
