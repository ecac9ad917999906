import Primitives
import Testing

@testable import Kademlia

@Suite("Samples of info-hashes (BEP 51)")
struct SamplingTests {
    static let target = NodeID(0x80, last: 0)

    static func query(padding: Int = 0) -> String {
        let pad = padding > 0 ? "1:z\(padding):" + String(repeating: "x", count: padding) : ""
        return "d1:ad2:id20:\(querier)6:target20:\(target.wireText)\(pad)e1:q17:sample_infohashes1:t2:aa1:y1:qe"
    }

    static func hash(_ number: Int) -> String { NodeID(0x70, last: UInt32(number)).wireText }

    /// A node that stores a peer for each of some info-hashes.
    static func stocked(_ count: Int) -> Dialogue {
        var dialogue = Dialogue()
        dialogue.meets((1...12).map { Contact(NodeID(UInt8($0 << 4)), .at("30.0.\($0).1:6881")) })
        for number in 0..<count {
            let sender = Endpoint(.v4(0x1400_0001 + UInt32(number) << 8), 6881)
            let ask = "d1:ad2:id20:\(querier)9:info_hash20:\(hash(number))e1:q9:get_peers1:t2:aa1:y1:qe"
            let token = AnsweringTests.token(in: dialogue.answer(to: ask, from: sender))
            _ = dialogue.answer(to: AnsweringTests.announce(token, hash: hash(number)), from: sender)
            dialogue.passes(.milliseconds(20))
        }
        return dialogue
    }

    /// What stands after a key and a length, `count` bytes of it; `nil` without the key.
    static func value(of key: String, in reply: String) -> [UInt8]? {
        guard let range = reply.firstRange(of: key) else { return nil }
        let rest = reply[range.upperBound...].unicodeScalars
        guard let colon = rest.firstIndex(of: ":"), let count = Int(String(rest[..<colon])) else { return nil }
        return wire(String(String.UnicodeScalarView(rest[rest.index(after: colon)...].prefix(count))))
    }

    static func samples(in reply: String) -> [String] {
        let bytes = value(of: "7:samples", in: reply) ?? []
        return stride(from: 0, to: bytes.count - bytes.count % 20, by: 20).map { text(bytes[$0..<$0 + 20]) }
    }

    @Test("all info-hashes are shown while they fit, with their number and the nodes nearest to the target")
    func few() {
        var dialogue = SamplingTests.stocked(3)
        let reply = dialogue.answer(to: SamplingTests.query(padding: 240), from: AnsweringTests.asker) ?? ""
        #expect(reply.hasPrefix(AnsweringTests.head + "8:intervali600e5:nodes208:"))
        #expect(reply.contains("3:numi3e7:samples60:"))
        #expect(Set(SamplingTests.samples(in: reply)) == Set((0..<3).map(SamplingTests.hash)))
    }

    @Test("a node that stores nothing still says that it takes part")
    func none() {
        var dialogue = Dialogue()
        let reply = dialogue.answer(to: SamplingTests.query(), from: AnsweringTests.asker)
        #expect(reply?.contains("8:intervali600e5:nodes0:3:numi0e7:samples0:e") == true)
    }

    @Test("of many, 20 are shown, the same ones until the interval is over")
    func many() {
        var dialogue = SamplingTests.stocked(200)
        let first = dialogue.answer(to: SamplingTests.query(padding: 240), from: .at("40.0.1.1:1")) ?? ""
        #expect(first.contains("3:numi200e7:samples400:"))
        #expect(Set(SamplingTests.samples(in: first)).count == 20)
        dialogue.passes(.seconds(300))
        let second = dialogue.answer(to: SamplingTests.query(padding: 240), from: .at("40.0.2.1:1")) ?? ""
        #expect(SamplingTests.samples(in: second) == SamplingTests.samples(in: first))
        #expect(second.contains("8:intervali300e"))
        dialogue.passes(.seconds(301))
        let third = dialogue.answer(to: SamplingTests.query(padding: 240), from: .at("40.0.3.1:1")) ?? ""
        #expect(SamplingTests.samples(in: third) != SamplingTests.samples(in: first))
        #expect(third.contains("8:intervali600e"))
    }

    @Test("every info-hash has the same chance", arguments: [1] as [UInt64])
    func fairness(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let store = PeerStoreTests.store(announcing: 100)
        var counts: [InfoHash: Int] = [:]
        for _ in 0..<2000 {
            var sample = InfoHashSample(limits: SharedLimits())
            sample.refresh(from: store, at: .zero, using: &random)
            for infoHash in sample.infoHashes { counts[infoHash, default: 0] += 1 }
        }
        // 400 expected of each, with a deviation of 18: five of them on either side.
        #expect(counts.count == 100)
        #expect(counts.values.allSatisfy { 310...490 ~= $0 })
    }

    @Test("a stranger's answer is at most three times its query, nodes and info-hashes sharing the room (D9)")
    func amplification() {
        var dialogue = SamplingTests.stocked(200)
        let query = SamplingTests.query()
        let reply = dialogue.answer(to: query, from: AnsweringTests.asker) ?? ""
        #expect(wire(reply).count <= 3 * wire(query).count)
        #expect(SamplingTests.samples(in: reply).count == 4)
        #expect(SamplingTests.value(of: "5:nodes", in: reply)?.count == 52)
    }

    @Test("a query without a target gets 203")
    func noTarget() {
        var dialogue = Dialogue()
        let query = "d1:ad2:id20:\(querier)e1:q17:sample_infohashes1:t2:aa1:y1:qe"
        #expect(AnsweringTests.error(203, in: dialogue.answer(to: query, from: AnsweringTests.asker)))
    }

    @Test("a client hands on the sample of each node as it comes, and goes on to nearer nodes")
    func client() throws {
        let first = LookupTests.node(9)
        let second = LookupTests.node(3)
        var dialogue = LookupTests.joined(knowing: first)
        let lookup = dialogue.sample(around: SamplingTests.target)
        let one = dialogue.takeSent()
        try #require(one.map(\.to) == [first.endpoint])
        #expect(one[0].isQuery("sample_infohashes"))
        #expect((350...370).contains(wire(one[0].text).count))

        let sample = "8:intervali60e\(LookupTests.nodes([second]))3:numi7e7:samples20:\(SamplingTests.hash(5))"
        dialogue.replies(to: one[0], as: first.id, sample)
        let actions = dialogue.takeActions()
        guard case .sampled(lookup, let found)? = actions.first else {
            Issue.record("\(actions)")
            return
        }
        #expect(found.node == first)
        #expect(found.infoHashes.map(\.wireText) == [SamplingTests.hash(5)])
        #expect(found.total == 7)
        #expect(found.interval == .seconds(60))

        let two = dialogue.takeSent()
        try #require(two.map(\.to) == [second.endpoint])
        // A node that knows nothing of BEP 51 answers like `find_node`, or with an error.
        dialogue.replies(to: two[0], as: second.id)
        #expect(dialogue.takeActions().contains { if case .sampled = $0 { true } else { false } } == false)
    }

    @Test(
        "numbers that cannot be are made ones that can",
        arguments: [
            ("8:intervali-5e3:numi-1e7:samples0:", 0, 0),
            ("8:intervali999999999e3:numi9223372036854775807e7:samples0:", 21_600, Int.max),
            ("7:samples0:", 0, 0),
        ]
    )
    func numbers(values: String, interval: Int, total: Int) throws {
        let node = LookupTests.node(9)
        var dialogue = LookupTests.joined(knowing: node)
        _ = dialogue.sample(around: SamplingTests.target)
        dialogue.replies(to: dialogue.nextSent(), as: node.id, values)
        let samples = dialogue.takeActions().compactMap { if case .sampled(_, let sample) = $0 { sample } else { nil } }
        let sample = try #require(samples.first)
        #expect(sample.interval == .seconds(interval))
        #expect(sample.total == total)
    }

    @Test("a sample of a broken length is none")
    func brokenLength() {
        let node = LookupTests.node(9)
        var dialogue = LookupTests.joined(knowing: node)
        _ = dialogue.sample(around: SamplingTests.target)
        dialogue.replies(to: dialogue.nextSent(), as: node.id, "7:samples21:" + String(repeating: "x", count: 21))
        #expect(!dialogue.takeActions().contains { if case .sampled = $0 { true } else { false } })
    }
}
