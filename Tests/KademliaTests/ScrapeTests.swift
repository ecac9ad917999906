import Primitives
import Testing

@testable import Kademlia

@Suite("Scraping (BEP 33)")
struct ScrapeTests {
    static let hash = AnsweringTests.infoHash

    /// A `get_peers` with `scrape`, padded to the length of `count` bytes or to nothing.
    static func query(padding: Int = 0) -> String {
        let pad = padding > 0 ? "1:z\(padding):" + String(repeating: "x", count: padding) : ""
        return "d1:ad2:id20:\(querier)9:info_hash20:\(responder)6:scrapei1e\(pad)e1:q9:get_peers1:t2:aa1:y1:qe"
    }

    static func filterText(_ addresses: [String]) -> String {
        var filter = ScrapeFilter()
        for address in addresses { IPAddress(address).map { filter.insert($0) } }
        return text(ScrapeFilterTests.bytes(filter))
    }

    static func filters(seeds: [String], peers: [String]) -> String {
        "4:BFpe256:\(filterText(peers))4:BFsd256:\(filterText(seeds))"
    }

    static func summary(of lookup: LookupID, in actions: [DHTAction]) -> ScrapeSummary? {
        actions.lazy.compactMap { if case .scraped(lookup, let summary) = $0 { summary } else { nil } }.first
    }

    /// A node with two seeds and a peer.
    static func stocked(limits: DHTLimits = DHTLimits()) -> Dialogue {
        var dialogue = Dialogue(limits: limits)
        for (address, seed) in [("20.0.1.1", "4:seedi1e"), ("20.0.2.1", "4:seedi1e"), ("20.0.3.1", "4:seedi0e")] {
            let sender = Endpoint.at("\(address):6881")
            let token = AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: sender))
            _ = dialogue.answer(to: AnsweringTests.announce(token, port: "4:porti6881e" + seed), from: sender)
        }
        return dialogue
    }

    @Test("a node that may be answered at length gets both filters before everything else")
    func answer() {
        var dialogue = ScrapeTests.stocked()
        let reply = dialogue.answer(to: ScrapeTests.query(padding: 240), from: AnsweringTests.asker)
        let filters = ScrapeTests.filters(seeds: ["20.0.1.1", "20.0.2.1"], peers: ["20.0.3.1"])
        #expect(reply?.contains("1:rd\(filters)2:id20:") == true)
        #expect(reply?.contains("6:valuesl6:") == true)
    }

    @Test("the answer is at most three times the query for a source that has not proved its address (D9)")
    func amplification() {
        var dialogue = ScrapeTests.stocked()
        let bare = dialogue.answer(to: ScrapeTests.query(), from: AnsweringTests.asker)
        #expect(bare?.contains("BFsd") == false)
        #expect(bare?.contains("6:values") == true)
        // One that announced is known to be where it says.
        let known = dialogue.answer(to: ScrapeTests.query(), from: .at("20.0.1.1:6881"))
        #expect(known?.contains("BFsd") == true)
    }

    @Test(
        "with filters, nodes and values the answer stays within 1024 bytes and three times its query",
        arguments: [150, 200, 240, 300]
    )
    func size(padding: Int) {
        var dialogue = LimitsTests.stocked(60)
        let query = ScrapeTests.query(padding: padding)
        let reply = dialogue.answer(to: query, from: AnsweringTests.asker).map(wire) ?? []
        #expect(reply.count <= min(1024, 3 * wire(query).count))
        #expect(text(reply).contains("BFsd") == (padding >= 200))
    }

    @Test("nothing stored is answered without filters, and so is a query that asks for none")
    func nothing() {
        var empty = Dialogue()
        #expect(
            empty.answer(to: ScrapeTests.query(padding: 240), from: AnsweringTests.asker)?.contains("BF") == false
        )
        var dialogue = ScrapeTests.stocked()
        let plain = dialogue.answer(to: AnsweringTests.getPeers, from: .at("20.0.1.1:6881"))
        #expect(plain?.contains("BF") == false)
    }

    @Test("a peer that is complete now counts as a seed from then on")
    func completed() {
        var dialogue = ScrapeTests.stocked()
        let sender = Endpoint.at("20.0.3.1:6881")
        let token = AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: sender))
        _ = dialogue.answer(to: AnsweringTests.announce(token, port: "4:porti6881e4:seedi1e"), from: sender)
        let reply = dialogue.answer(to: ScrapeTests.query(padding: 240), from: AnsweringTests.asker)
        let filters = ScrapeTests.filters(seeds: ["20.0.1.1", "20.0.2.1", "20.0.3.1"], peers: [])
        #expect(reply?.contains(filters) == true)
    }

    @Test("a scrape asks with padding, unites the filters of all nodes and estimates")
    func client() throws {
        let first = LookupTests.node(9)
        let second = LookupTests.node(3)
        var dialogue = LookupTests.joined(knowing: first)
        let lookup = dialogue.scrape(LookupTests.infoHash)
        let one = dialogue.takeSent()
        try #require(one.map(\.to) == [first.endpoint])
        #expect(one[0].isQuery("get_peers") && one[0].text.contains("6:scrapei1e"))
        #expect((350...370).contains(wire(one[0].text).count))

        let seeds = ScrapeTests.filters(seeds: ["20.1.1.1", "20.1.1.2"], peers: ["20.1.1.3"])
        dialogue.replies(to: one[0], as: first.id, "\(LookupTests.nodes([second]))\(seeds)")
        let two = dialogue.takeSent()
        try #require(two.map(\.to) == [second.endpoint])
        let more = ScrapeTests.filters(seeds: ["20.1.1.2", "20.1.1.4"], peers: [])
        dialogue.replies(to: two[0], as: second.id, more)

        let actions = dialogue.takeActions()
        let summary = try #require(ScrapeTests.summary(of: lookup, in: actions))
        #expect(summary.seeds.rounded() == 3)
        #expect(summary.peers.rounded() == 1)
        #expect(summary.sources == 2)
        #expect(LookupTests.summary(in: actions)?.outcome == .complete)
    }

    @Test("who asks for no seeds is named the peer")
    func noSeeds() {
        var limits = DHTLimits()
        limits.valuesPerReply = 1
        limits.valuesPerUnvalidatedReply = 1
        var dialogue = ScrapeTests.stocked(limits: limits)
        let query = AnsweringTests.getPeers.replacing("e1:q9:get_peers", with: "6:noseedi1ee1:q9:get_peers")
        for _ in 0..<10 {
            let answer = dialogue.answer(to: query, from: .at("20.0.4.1:6881"))
            #expect(answer?.contains(LookupTests.values(["20.0.3.1:6881"])) == true)
        }
    }

    @Test("a seed says so when it announces and asks for no other seeds, and others do not", arguments: [true, false])
    func announcing(isSeed: Bool) throws {
        let node = LookupTests.node(9)
        var dialogue = LookupTests.joined(knowing: node)
        _ = dialogue.findPeers(of: LookupTests.infoHash, announcing: 4000, isSeed: isSeed)
        let query = dialogue.nextSent()
        #expect(query.text.contains("6:noseedi1e") == isSeed)
        dialogue.replies(to: query, as: node.id, "5:token3:abc")
        let announce = try #require(dialogue.takeSent().first { $0.isQuery("announce_peer") })
        #expect(announce.text.contains("4:porti4000e4:seedi1e5:token3:abc") == isSeed)
        #expect(announce.text.contains("seed") == isSeed)
    }

    @Test("with both families wanted, nodes give way to the filters, and all stays within 1024 bytes (BEP 32, BEP 33)")
    func bothFamilies() {
        var dialogue = LimitsTests.stocked(60)
        let query =
            "d1:ad2:id20:\(querier)9:info_hash20:\(responder)6:scrapei1e4:wantl2:n42:n6e1:z200:"
            + String(repeating: "x", count: 200) + "e1:q9:get_peers1:t2:aa1:y1:qe"
        let reply = dialogue.answer(to: query, from: AnsweringTests.asker).map(wire) ?? []
        #expect(text(reply).contains("BFsd"))
        #expect(reply.count <= 1024)
    }

    @Test("filters of a wrong length are not read; the peers beside them are")
    func brokenFilters() throws {
        let node = LookupTests.node(9)
        var dialogue = LookupTests.joined(knowing: node)
        let lookup = dialogue.scrape(LookupTests.infoHash)
        let query = dialogue.nextSent()
        dialogue.replies(to: query, as: node.id, "4:BFpe3:abc4:BFsd3:abc" + LookupTests.values(["20.1.1.1:5000"]))
        let summary = try #require(ScrapeTests.summary(of: lookup, in: dialogue.takeActions()))
        #expect(summary.seeds == 0)
        #expect(summary.peers.rounded() == 1)
    }
}
