import Kademlia
import Primitives
import Testing

@Suite("Random datagrams")
struct RandomDatagramTests {
    /// Whole messages that mutation starts from.
    static let models = [
        "d1:ad2:id20:\(querier)e1:q4:ping1:t2:aa1:y1:qe",
        "d1:ad2:id20:\(querier)6:target20:\(responder)e1:q9:find_node1:t2:aa1:y1:qe",
        AnsweringTests.getPeers,
        AnsweringTests.announce("aoeusnth", implied: "12:implied_porti1e"),
        "d1:rd2:id20:\(responder)5:nodes26:\(querier)aaaabb5:token2:ao6:valuesl6:axje.u6:idhtnmee1:t4:aaaa1:y1:re",
        "d1:eli201e4:oopse1:t2:aa1:y1:ee",
    ].map(wire)

    static func datagram(using random: inout SeededRandom) -> [UInt8] {
        if random.next() & 3 == 0 {
            return (0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        }
        var bytes = models[Int.random(in: 0..<models.count, using: &random)]
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let position = Int.random(in: 0..<bytes.count, using: &random)
            switch random.next() % 4 {
            case 0: bytes[position] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: position)
            case 2: bytes.insert(Array("0123456789:ield-".utf8)[Int(random.next() & 15)], at: position)
            default: bytes.removeSubrange(position...)
            }
            if bytes.isEmpty { break }
        }
        return bytes
    }

    @Test(
        "do not harm a node: it counts them, stays in its limits and answers the next ping (N7)",
        arguments: [1] as [UInt64]
    )
    func flood(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var node = DHTNode(id: NodeID(.random(using: &random)), seed: seed, now: .zero)
        var actions = DHTActionBuffer()
        var now = Instant.zero
        node.start(bootstrap: true, remembered: [], at: now, into: &actions)
        for index in 0..<100_000 {
            let datagram = RandomDatagramTests.datagram(using: &random)
            let sender = Endpoint(
                .v4(UInt32(truncatingIfNeeded: random.next())),
                UInt16.random(in: 0...9999, using: &random)
            )
            actions.removeAll()
            node.received(datagram.span.bytes, from: sender, at: now, into: &actions)
            if index.isMultiple(of: 16) {
                now = now + .milliseconds(20)
                node.advanced(to: now, into: &actions)
            }
        }
        #expect(node.statistics.datagramsReceived == 100_000)
        #expect(node.statistics.dropped(.malformed) > 50_000)
        #expect(node.contacts == [])
        now = now + .seconds(10)
        actions.removeAll()
        let ping = RandomDatagramTests.models[0]
        node.received(ping.span.bytes, from: .at("127.0.0.1:5000"), at: now, into: &actions)
        #expect(
            actions.actions.first.map { if case .send(_, to: .at("127.0.0.1:5000")) = $0 { true } else { false } }
                == true
        )
    }
}
