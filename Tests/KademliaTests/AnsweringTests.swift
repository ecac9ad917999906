import Kademlia
import Primitives
import Testing

@Suite("Answering queries")
struct AnsweringTests {
    static let asker = Endpoint.at("20.0.0.5:6881")
    static let head = "d2:ip6:\(asker.wireText)1:rd2:id20:\(Dialogue.ownID.wireText)"
    static let tail = "1:t2:aa1:v4:sw\u{0}\u{1}1:y1:re"
    static let getPeers = "d1:ad2:id20:\(querier)9:info_hash20:\(responder)e1:q9:get_peers1:t2:aa1:y1:qe"
    static let infoHash = InfoHash(NodeID(text: responder).value)

    static func announce(_ token: String, port: String = "4:porti6881e", implied: String = "", hash: String = responder)
        -> String
    {
        "d1:ad2:id20:\(querier)\(implied)9:info_hash20:\(hash)\(port)5:token\(token.unicodeScalars.count):\(token)e"
            + "1:q13:announce_peer1:t2:aa1:y1:qe"
    }

    static func token(in reply: String?) -> String {
        guard let reply, let range = reply.firstRange(of: "5:token8:") else { return "" }
        return String(String.UnicodeScalarView(reply[range.upperBound...].unicodeScalars.prefix(8)))
    }

    static func error(_ code: Int, in reply: String?) -> Bool { reply?.hasPrefix("d1:eli\(code)e") == true }

    @Test("ping is answered with our identifier, the transaction and our version")
    func ping() {
        var dialogue = Dialogue()
        let reply = dialogue.answer(to: "d1:ad2:id20:\(querier)e1:q4:ping1:t2:aa1:y1:qe", from: AnsweringTests.asker)
        #expect(reply == AnsweringTests.head + "e" + AnsweringTests.tail)
    }

    @Test("find_node is answered with the nodes closest to the target, nearest first")
    func findNode() {
        var dialogue = Dialogue()
        let contacts = (1...12).map { Contact(NodeID(UInt8($0 << 4)), .at("20.0.\($0).1:6881")) }
        dialogue.meets(contacts)
        let target = NodeID(0x30)
        let reply = dialogue.answer(
            to: "d1:ad2:id20:\(querier)6:target20:\(target.wireText)e1:q9:find_node1:t2:aa1:y1:qe",
            from: AnsweringTests.asker
        )
        let nearest = contacts.sorted { $0.id.isCloser(to: target, than: $1.id) }.prefix(8)
        let nodes = nearest.map(\.wireText).joined()
        #expect(reply == AnsweringTests.head + "5:nodes208:\(nodes)e" + AnsweringTests.tail)
    }

    @Test("get_peers is answered with nodes, a token, and the peers that were announced")
    func getPeers() {
        var dialogue = Dialogue()
        let first = dialogue.answer(to: AnsweringTests.getPeers, from: AnsweringTests.asker)
        let token = AnsweringTests.token(in: first)
        #expect(first == AnsweringTests.head + "5:nodes0:5:token8:\(token)e" + AnsweringTests.tail)

        let stored = dialogue.answer(to: AnsweringTests.announce(token), from: AnsweringTests.asker)
        #expect(stored == AnsweringTests.head + "e" + AnsweringTests.tail)

        let second = dialogue.answer(to: AnsweringTests.getPeers, from: AnsweringTests.asker)
        let peer = Endpoint.at("20.0.0.5:6881").wireText
        #expect(second?.contains("6:valuesl6:\(peer)e") == true)
    }

    @Test("announce_peer stores the source port where implied_port says so, and the source address always")
    func impliedPort() {
        var dialogue = Dialogue()
        let sender = Endpoint.at("20.0.0.5:1234")
        let token = AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: sender))
        _ = dialogue.answer(to: AnsweringTests.announce(token, implied: "12:implied_porti1e"), from: sender)
        #expect(dialogue.node.storedPeers(of: AnsweringTests.infoHash) == [sender])
    }

    @Test("a token of another address, another info-hash or no one stores nothing (D7, D8, N10)")
    func foreignTokens() {
        var dialogue = Dialogue()
        let thief = Endpoint.at("20.0.9.9:6881")
        let token = AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: AnsweringTests.asker))
        let attempts = [
            (AnsweringTests.announce(token), thief),
            (AnsweringTests.announce(token, hash: querier), AnsweringTests.asker),
            (AnsweringTests.announce("aoeusnth"), AnsweringTests.asker),
            (AnsweringTests.announce(""), AnsweringTests.asker),
        ]
        for (announce, sender) in attempts {
            #expect(AnsweringTests.error(203, in: dialogue.answer(to: announce, from: sender)))
        }
        #expect(dialogue.node.storedPeers(of: AnsweringTests.infoHash) == [])
        #expect(dialogue.node.storedInfoHashCount == 0)
    }

    @Test(
        "a token lives between five and ten minutes (D7, N10)",
        arguments: [(4, true), (9, true), (11, false), (30, false)]
    )
    func tokenAge(minutes: Int, isAccepted: Bool) {
        var dialogue = Dialogue()
        let token = AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: AnsweringTests.asker))
        dialogue.passes(.seconds(60 * minutes))
        let reply = dialogue.answer(to: AnsweringTests.announce(token), from: AnsweringTests.asker)
        #expect(AnsweringTests.error(203, in: reply) != isAccepted)
        #expect(dialogue.node.storedPeers(of: AnsweringTests.infoHash).isEmpty != isAccepted)
    }

    @Test("a token is never older than ten minutes, whenever others asked meanwhile (D7, N10)", arguments: 1..<11)
    func tokenAgeAmongOthers(minute: Int) {
        var dialogue = Dialogue()
        let token = AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: AnsweringTests.asker))
        dialogue.passes(.seconds(60 * minute))
        _ = dialogue.answer(to: AnsweringTests.getPeers, from: .at("20.0.7.7:6881"))
        dialogue.passes(.seconds(60 * (11 - minute)))
        let reply = dialogue.answer(to: AnsweringTests.announce(token), from: AnsweringTests.asker)
        #expect(AnsweringTests.error(203, in: reply))
        #expect(dialogue.node.storedInfoHashCount == 0)
    }

    @Test(
        "a port that is none is refused (D8)",
        arguments: ["4:porti0e", "4:porti65536e", "4:porti-1e", "", "4:port1:x"]
    )
    func badPorts(port: String) {
        var dialogue = Dialogue()
        let token = AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: AnsweringTests.asker))
        let reply = dialogue.answer(to: AnsweringTests.announce(token, port: port), from: AnsweringTests.asker)
        #expect(AnsweringTests.error(203, in: reply))
        #expect(dialogue.node.storedInfoHashCount == 0)
    }

    @Test(
        "queries without what they need get error 203, methods that we do not know 204",
        arguments: [
            ("d1:ade1:q4:ping1:t2:aa1:y1:qe", 203),
            ("d1:ad2:id3:abce1:q4:ping1:t2:aa1:y1:qe", 203),
            ("d1:q4:ping1:t2:aa1:y1:qe", 203),
            ("d1:ad2:id20:\(querier)e1:q9:find_node1:t2:aa1:y1:qe", 203),
            ("d1:ad2:id20:\(querier)9:info_hash2:xxe1:q9:get_peers1:t2:aa1:y1:qe", 203),
            ("d1:ad2:id20:\(querier)e1:q4:vote1:t2:aa1:y1:qe", 204),
        ]
    )
    func errors(query: String, code: Int) {
        var dialogue = Dialogue()
        let reply = dialogue.answer(to: query, from: AnsweringTests.asker)
        #expect(AnsweringTests.error(code, in: reply))
        #expect(reply?.hasSuffix("1:t2:aa1:v4:sw\u{0}\u{1}1:y1:ee") == true)
    }

    @Test(
        "garbage is dropped without an answer and counted (N5)",
        arguments: [
            "", "d", "de", "hello", "i1e", "le", "d1:t9999999999:x", "d1:ti99999999999999999999ee", "d1:ti-0ee",
            "d1:ti03ee", "d1:t03:abce", "d1:ad2:id20:\(querier)e1:q4:ping1:y1:qe", "d1:t2:aa1:y1:qe", "d1:t2:aa1:y1:xe",
            "d1:ad2:id20:\(querier)e1:q4:ping1:t2:aa1:y1:qejunk", "d1:ad2:id20:\(querier)e1:q4:ping1:t0:1:y1:qe",
            "d1:ad2:id20:\(querier)e1:q4:ping1:t33:123456789012345678901234567890123\u{31}1:y1:qe",
            "d1:a" + String(repeating: "l", count: 500) + String(repeating: "e", count: 500) + "1:y1:qe",
        ]
    )
    func garbage(datagram: String) {
        var dialogue = Dialogue()
        #expect(dialogue.answer(to: datagram, from: AnsweringTests.asker) == nil)
        #expect(dialogue.node.statistics.dropped(.malformed) == 1)
        #expect(dialogue.node.statistics.datagramsSent == 0)
    }

    @Test("a datagram over 2048 bytes is dropped (D17), one of that size is read")
    func longDatagrams() {
        var dialogue = Dialogue()
        let head = "d1:ad2:id20:\(querier)1:x"
        let tail = "e1:q4:ping1:t2:aa1:y1:qe"
        func ping(_ count: Int) -> String {
            let filler = count - head.utf8.count - tail.utf8.count - 5
            return head + "\(filler):" + String(repeating: "x", count: filler) + tail
        }
        #expect(dialogue.answer(to: ping(2048), from: AnsweringTests.asker) != nil)
        #expect(dialogue.answer(to: ping(2049), from: AnsweringTests.asker) == nil)
        #expect(dialogue.node.statistics.dropped(.tooLarge) == 1)
    }

    @Test(
        "a source that nobody can have is not answered",
        arguments: ["224.0.0.1:1", "0.1.2.3:1", "20.0.0.1:0", "[::1]:5"]
    )
    func unusableSources(source: String) {
        var dialogue = Dialogue()
        #expect(dialogue.answer(to: AnsweringTests.getPeers, from: .at(source)) == nil)
        #expect(dialogue.node.statistics.dropped(.unusableSource) == 1)
    }

    @Test("a query under our own identifier is ignored")
    func ownIdentifier() {
        var dialogue = Dialogue()
        let query = "d1:ad2:id20:\(Dialogue.ownID.wireText)e1:q4:ping1:t4:aaaa1:y1:qe"
        #expect(dialogue.answer(to: query, from: AnsweringTests.asker) == nil)
        #expect(dialogue.node.statistics.dropped(.ownIdentifier) == 1)
    }

    @Test("keys out of order are forgiven and counted, unknown keys are forgiven (P4)")
    func foreignKeys() {
        var dialogue = Dialogue()
        let query = "d1:y1:q1:t2:aa1:q4:ping1:ad4:wantl2:n4e2:id20:\(querier)e2:ip6:abcdefe"
        #expect(dialogue.answer(to: query, from: AnsweringTests.asker) != nil)
        // `t` and `q` and `a` each come after a greater key, and `id` after `want`.
        #expect(dialogue.node.statistics.keysOutOfOrder == 4)
        _ = dialogue.answer(to: LimitsTests.ping, from: AnsweringTests.asker)
        #expect(dialogue.node.statistics.keysOutOfOrder == 4)
    }

    @Test("a read-only node is answered and not pinged (D13); another is pinged")
    func readOnly() {
        var dialogue = Dialogue()
        dialogue.receives("d1:ad2:id20:\(querier)e1:q4:ping2:roi1e1:t2:aa1:y1:qe", from: AnsweringTests.asker)
        #expect(dialogue.takeSent().count == 1)
        dialogue.receives("d1:ad2:id20:\(querier)e1:q4:ping1:t2:aa1:y1:qe", from: AnsweringTests.asker)
        let sent = dialogue.takeSent()
        #expect(sent.count == 2)
        #expect(sent.last?.isQuery("ping") == true)
    }
}
