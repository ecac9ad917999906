import Primitives
import Testing

@testable import Kademlia

@Suite("Limits of what a node gives and stores")
struct LimitsTests {
    static let ping = "d1:ad2:id20:\(querier)e1:q4:ping2:roi1e1:t2:aa1:y1:qe"
    static let hash = AnsweringTests.infoHash

    static func answers(_ dialogue: inout Dialogue, from sender: Endpoint, _ count: Int) -> Int {
        (0..<count).count { _ in dialogue.answer(to: ping, from: sender) != nil }
    }

    @Test("an address gets 50 answers in a burst, then none for five minutes (D10)")
    func oneAddress() {
        var dialogue = Dialogue()
        #expect(LimitsTests.answers(&dialogue, from: AnsweringTests.asker, 100) == 50)
        #expect(dialogue.node.statistics.dropped(.rateLimited) == 50)
        dialogue.passes(.seconds(299))
        #expect(LimitsTests.answers(&dialogue, from: AnsweringTests.asker, 1) == 0)
        dialogue.passes(.seconds(2))
        #expect(LimitsTests.answers(&dialogue, from: AnsweringTests.asker, 1) == 1)
    }

    @Test("an address that keeps to five queries a second is always answered (D10)")
    func steadyAddress() {
        var dialogue = Dialogue()
        for _ in 0..<60 {
            #expect(LimitsTests.answers(&dialogue, from: AnsweringTests.asker, 5) == 5)
            dialogue.passes(.seconds(1))
        }
    }

    @Test("a /24 gets 250 answers in a burst, whatever its addresses (D10)")
    func oneNetwork() {
        var dialogue = Dialogue()
        let answered = (1...100).reduce(0) { sum, host in
            sum + LimitsTests.answers(&dialogue, from: .at("20.0.0.\(host):1000"), 5)
        }
        #expect(answered == 250)
        #expect(LimitsTests.answers(&dialogue, from: .at("20.0.1.1:1000"), 1) == 1)
    }

    @Test("loopback is free of the rates (D19) unless a test wants them")
    func loopback() {
        var dialogue = Dialogue()
        #expect(LimitsTests.answers(&dialogue, from: .at("127.0.0.1:1000"), 1000) == 1000)
        var limits = DHTLimits()
        limits.exemption = .none
        var strict = Dialogue(limits: limits)
        #expect(LimitsTests.answers(&strict, from: .at("127.0.0.1:1000"), 1000) == 50)
        var v6 = Dialogue(family: .v6)
        #expect(LimitsTests.answers(&v6, from: .at("[::1]:1000"), 1000) == 1000)
        var strictV6 = Dialogue(family: .v6, limits: limits)
        #expect(LimitsTests.answers(&strictV6, from: .at("[::1]:1000"), 1000) == 50)
    }

    @Test("all replies together are 64 kB a second, and a burst of one second more (D10)")
    func replyBytes() {
        var dialogue = Dialogue()
        for index in 0..<4000 {
            _ = dialogue.answer(to: LimitsTests.ping, from: Endpoint(.v4(0x1400_0001 + UInt32(index) << 8), 1000))
        }
        #expect(dialogue.node.statistics.bytesSent <= 65_536 + 1024)
        #expect(dialogue.node.statistics.bytesSent > 65_000)
        dialogue.passes(.seconds(1))
        #expect(dialogue.answer(to: LimitsTests.ping, from: .at("30.0.0.1:1000")) != nil)
    }

    @Test("remembers the rates of 4096 sources, however many there are (D10)")
    func manySources() {
        var limits = QueryLimits(limits: SharedLimits(), now: .zero)
        for index in 0..<100_000 { _ = limits.admits(.v4(0x1400_0000 + UInt32(index) << 8), at: .zero) }
        #expect(limits.sourceCount == 4096)
        _ = limits.admits(.v4(0x1e00_0001), at: .zero + .seconds(11))
        #expect(limits.sourceCount == 1)
    }

    /// A node that stores many peers under the hash, and some nodes to name.
    static func stocked(_ peers: Int) -> Dialogue {
        var dialogue = Dialogue()
        dialogue.meets((1...12).map { Contact(NodeID(UInt8($0 << 4)), .at("30.0.\($0).1:6881")) })
        for index in 0..<peers {
            let peer = Endpoint(.v4(0x1400_0001 + UInt32(index) << 8), 6881)
            let token = AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: peer))
            _ = dialogue.answer(to: AnsweringTests.announce(token), from: peer)
            dialogue.passes(.milliseconds(20))
        }
        return dialogue
    }

    /// How many peers a `get_peers` reply names.
    static func values(in reply: String?) -> Int {
        guard let reply, let range = reply.firstRange(of: "6:valuesl") else { return 0 }
        return (reply[range.upperBound...].unicodeScalars.count - 25) / 8
    }

    @Test("a stranger gets 16 values, one who announced more, none more than fit 1024 bytes (D9)")
    func replySize() {
        var dialogue = LimitsTests.stocked(200)
        let stranger = dialogue.answer(to: AnsweringTests.getPeers, from: .at("40.0.0.1:1000"))
        #expect(LimitsTests.values(in: stranger) == 16)
        let known = dialogue.answer(to: AnsweringTests.getPeers, from: Endpoint(.v4(0x1400_0001), 6881))
        #expect(LimitsTests.values(in: known) > 60)
        #expect((known?.unicodeScalars.count ?? 0) <= 1024)
        let long =
            "d1:ad2:id20:\(querier)9:info_hash20:\(responder)e1:q9:get_peers1:t32:"
            + String(repeating: "x", count: 32) + "1:y1:qe"
        let longest = dialogue.answer(to: long, from: Endpoint(.v4(0x1400_0001), 6881))
        #expect((1017...1024).contains(longest?.unicodeScalars.count ?? 0))
    }

    @Test("a public asker does not learn of private peers (D2)")
    func privatePeers() {
        var dialogue = Dialogue()
        let local = Endpoint.at("192.168.1.2:6881")
        let token = AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: local))
        _ = dialogue.answer(to: AnsweringTests.announce(token), from: local)
        let toPublic = dialogue.answer(to: AnsweringTests.getPeers, from: .at("20.0.0.1:1000"))
        let toPrivate = dialogue.answer(to: AnsweringTests.getPeers, from: .at("192.168.1.3:1000"))
        #expect(toPublic?.contains("6:values") == false)
        #expect(toPrivate?.contains("6:valuesl6:\(local.wireText)e") == true)
    }

    @Test("an announcement lives 30 to 45 minutes, and is renewed by the next (D11)")
    func expiry() {
        var dialogue = LimitsTests.stocked(2)
        dialogue.passes(.seconds(30 * 60))
        _ = LimitsTests.answers(&dialogue, from: .at("127.0.0.1:1"), 1)
        #expect(dialogue.node.storedPeers(of: LimitsTests.hash).count == 2)
        let peer = Endpoint(.v4(0x1400_0001), 6881)
        let token = AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: peer))
        _ = dialogue.answer(to: AnsweringTests.announce(token), from: peer)
        dialogue.passes(.seconds(15 * 60))
        _ = LimitsTests.answers(&dialogue, from: .at("127.0.0.1:1"), 1)
        #expect(dialogue.node.storedPeers(of: LimitsTests.hash) == [peer])
        dialogue.passes(.seconds(30 * 60))
        _ = LimitsTests.answers(&dialogue, from: .at("127.0.0.1:1"), 1)
        #expect(dialogue.node.storedPeers(of: LimitsTests.hash) == [])
    }

    @Test("a source stays validated for 15 minutes at most (D9)")
    func validation() {
        var sources = RecentAddresses(lifetime: DHTLimits().validation, capacity: 4096, now: .zero)
        sources.insert(.v4(1), at: .zero + .seconds(60))
        let known = sources.contains(.v4(1), at: .zero + .seconds(449))
        let other = sources.contains(.v4(2), at: .zero + .seconds(449))
        let late = sources.contains(.v4(1), at: .zero + .seconds(960))
        #expect([known, other, late] == [true, false, false])
    }

    @Test("a source is not validated for longer because somebody asks about it (D9)", arguments: 1..<16)
    func validationAmongOthers(minute: Int) {
        var sources = RecentAddresses(lifetime: DHTLimits().validation, capacity: 4096, now: .zero)
        sources.insert(.v4(1), at: .zero)
        _ = sources.contains(.v4(2), at: .zero + .seconds(60 * minute))
        let isKnown = sources.contains(.v4(1), at: .zero + .seconds(900))
        #expect(!isKnown)
    }

    @Test("who answered a query of ours is validated (D9)")
    func validatedByReply() {
        var dialogue = LimitsTests.stocked(40)
        let friend = Contact(NodeID(0x99), .at("40.0.0.1:6881"))
        dialogue.meets([friend])
        let replies = [friend.endpoint, .at("40.0.1.1:6881")].map {
            dialogue.answer(to: AnsweringTests.getPeers, from: $0)
        }
        #expect(replies.map(LimitsTests.values(in:)) == [40, 16])
    }

    @Test("where nothing more is stored no token is given out, and one given before gets 202 (D11)")
    func fullStore() {
        var limits = DHTLimits()
        limits.peersPerInfoHash = 1
        var dialogue = Dialogue(limits: limits)
        let (first, late) = (Endpoint.at("20.0.0.1:6881"), Endpoint.at("20.0.1.1:6881"))
        let tokens = [first, late].map {
            AnsweringTests.token(in: dialogue.answer(to: AnsweringTests.getPeers, from: $0))
        }
        let replies = zip(tokens, [first, late]).map { dialogue.answer(to: AnsweringTests.announce($0), from: $1) }
        #expect(replies.map { AnsweringTests.error(202, in: $0) } == [false, true])
        #expect(dialogue.answer(to: AnsweringTests.getPeers, from: late)?.contains("5:token") == false)
        #expect(dialogue.answer(to: AnsweringTests.getPeers, from: first)?.contains("5:token8:") == true)
        #expect(dialogue.node.storedPeers(of: LimitsTests.hash) == [first])
    }

    @Test("the limits are those of the hardening list (D5, D7, D9, D10, D11, D12, D14, D15, D17)")
    func numbers() {
        let limits = DHTLimits()
        #expect([limits.datagramBytes, limits.replyBytes, limits.itemReplyBytes] == [2048, 1024, 1440])
        #expect([limits.amplification, limits.valuesPerUnvalidatedReply] == [3, 16])
        #expect([limits.queriesPerAddress, limits.queriesPerNetwork, limits.replyBytesPerSecond] == [5, 25, 65_536])
        #expect([limits.infoHashes, limits.peersPerInfoHash, limits.items] == [2000, 500, 700])
        #expect((.seconds(1800)...(.seconds(2700))).contains(limits.peerLifetime))
        #expect(limits.itemLifetime == .seconds(7200))
        #expect([Item.longestValue, Item.longestSalt] == [1000, 64])
        #expect([limits.valuesPerLookup, limits.valuesPerAddress, limits.storesPerValue] == [200, 2, 40])
        #expect(limits.allowedLowPorts == [80, 443])
        #expect([limits.votersToDecide, limits.votesToDecide] == [3, 10])
        #expect(limits.identifierPause == .seconds(600))
        #expect([limits.tokenRotation, limits.validation] == [.seconds(300), .seconds(900)])
    }
}
