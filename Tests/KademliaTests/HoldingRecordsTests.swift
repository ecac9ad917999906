import Availability
import Cryptography
import Primitives
import Testing

@testable import Kademlia

@Suite("Holding records of who has which pieces (put_have, get_have)")
struct HoldingRecordsTests {
    static let us = Kin.known
    static let putter = Kin(1, at: "20.0.1.1:6881")
    static let asker = Endpoint.at("20.0.77.5:7000")
    static let head = "d2:ip6:\(asker.wireText)1:rd"
    static let tail = "1:t4:aaaa\(Kin.version)1:y1:re"

    static func code(_ reply: String?) -> Int { StoringItemsTests.code(in: reply) }

    /// The entries of a reply, by their first keys.
    static func entries(in reply: String?) -> Int {
        guard let reply, let range = reply.firstRange(of: "4:recsl") else { return 0 }
        return reply[range.upperBound...].split(separator: "3:sig64:").count - 1
    }

    static func size(_ reply: String?) -> Int { wire(reply ?? "").count }

    /// Others that are too far away to be of interest.
    static func crowd(_ count: Int, port: Int = 6881) -> [Kin] {
        (1...count).map { Kin(UInt8($0), at: "20.\($0).1.1:\(port)") }
    }

    // MARK: get_have

    @Test("an empty node answers get_have with no records, the nodes of the overlay and a token")
    func empty() throws {
        var dialogue = Dialogue(kin: Self.us)
        let friends = Self.crowd(3)
        dialogue.befriends(friends, as: Self.us.endpoint)
        dialogue.meets([Contact(NodeID(0x12), .at("30.0.0.1:6881"))])
        let reply = dialogue.answer(to: Dialogue.getHave(), from: Self.asker)
        let target = NodeID(Kin.infoHash)
        let nodes = friends.map(\.contact).sorted { $0.id.isCloser(to: target, than: $1.id) }.map(\.wireText).joined()
        let token = AnsweringTests.token(in: reply)
        #expect(
            reply == Self.head + "1:ci0e2:id20:\(dialogue.node.id.wireText)5:nodes78:\(nodes)5:token8:\(token)e"
                + Self.tail
        )
    }

    @Test("a query of 105 bytes gets nodes and a token in three times as many, and no records (N18)")
    func unpadded() throws {
        var dialogue = Dialogue(kin: Self.us)
        dialogue.befriends(Self.crowd(12), as: Self.us.endpoint)
        #expect(Self.code(dialogue.putHave(try Self.putter.record(), from: Self.putter.endpoint)) == 0)
        let query = Dialogue.getHave(padded: nil)
        #expect(wire(query).count == 105)
        // A source that has proved its address gets no more: the rule is the query's length.
        for sender in [Self.asker, Self.putter.endpoint] {
            let reply = dialogue.answer(to: query, from: sender)
            #expect(Self.size(reply) == 312)
            #expect(reply?.contains("5:nodes208:") == true)
            #expect(Self.entries(in: reply) == 0)
            #expect(AnsweringTests.token(in: reply).unicodeScalars.count == 8)
        }
    }

    @Test("a record that was put is handed out as it is, with where it came from")
    func handedOut() throws {
        var dialogue = Dialogue(kin: Self.us)
        let record = try Self.putter.record()
        let stored = dialogue.putHave(record, from: Self.putter.endpoint)
        #expect(stored?.hasPrefix("d2:ip6:\(Self.putter.endpoint.wireText)1:rd2:id20:") == true)
        let reply = dialogue.answer(to: Dialogue.getHave(), from: Self.asker)
        let token = AnsweringTests.token(in: reply)
        #expect(
            reply == Self.head + "1:ci1e2:id20:\(dialogue.node.id.wireText)5:nodes0:"
                + "4:recsl\(entry(record, seenAt: Self.putter.endpoint))e5:token8:\(token)e" + Self.tail
        )
    }

    @Test("our own record comes first and says nothing of where it came from")
    func own() throws {
        var dialogue = Dialogue(kin: Self.us)
        let (own, other) = (try Self.us.record(), try Self.putter.record())
        _ = dialogue.putHave(other, from: Self.putter.endpoint)
        _ = dialogue.publish(own)
        let reply = dialogue.answer(to: Dialogue.getHave(), from: Self.asker)
        let entries = entry(own, seenAt: nil) + entry(other, seenAt: Self.putter.endpoint)
        #expect(reply?.contains("1:rd1:ci2e2:id20:") == true)
        #expect(reply?.contains("4:recsl\(entries)e5:token8:") == true)
        dialogue.node.withdrawRecord(of: Kin.infoHash)
        #expect(Self.entries(in: dialogue.answer(to: Dialogue.getHave(), from: Self.asker)) == 1)
    }

    @Test("our own record is handed out until it runs out")
    func ownExpires() throws {
        var dialogue = Dialogue(kin: Self.us)
        _ = dialogue.publish(try Self.us.record(lifetime: 60))
        #expect(Self.entries(in: dialogue.answer(to: Dialogue.getHave(), from: Self.asker)) == 1)
        dialogue.passes(.seconds(60))
        #expect(Self.entries(in: dialogue.answer(to: Dialogue.getHave(), from: Self.asker)) == 0)
    }

    @Test("records whose keys the asker knows are left out, ours too; what is no prefix of four bytes is passed over")
    func known() throws {
        var dialogue = Dialogue(kin: Self.us)
        _ = dialogue.putHave(try Self.putter.record(), from: Self.putter.endpoint)
        _ = dialogue.publish(try Self.us.record())
        let prefixes = [Self.us, Self.putter].map { Array($0.key.publicKey.bytes.prefix(4)) }
        let queries = [
            Dialogue.getHave(known: [prefixes[0]]), Dialogue.getHave(known: [prefixes[1]]),
            Dialogue.getHave(known: prefixes), Dialogue.getHave(known: [[1, 2, 3], prefixes[0] + [0]]),
        ]
        let counts = queries.map { Self.entries(in: dialogue.answer(to: $0, from: Self.asker)) }
        #expect(counts == [1, 1, 0, 2])
        #expect(dialogue.answer(to: queries[2], from: Self.asker)?.contains("1:ci2e") == true)
    }

    @Test("the first 64 known keys count")
    func manyKnown() throws {
        var dialogue = Dialogue(kin: Self.us)
        _ = dialogue.putHave(try Self.putter.record(), from: Self.putter.endpoint)
        let prefix = Array(Self.putter.key.publicKey.bytes.prefix(4))
        let others = (0..<64).map { [UInt8($0), 0, 0, 1] }
        let within = Dialogue.getHave(known: Array(others.prefix(63)) + [prefix])
        #expect(Self.entries(in: dialogue.answer(to: within, from: Self.asker)) == 0)
        let beyond = Dialogue.getHave(known: others + [prefix])
        #expect(Self.entries(in: dialogue.answer(to: beyond, from: Self.asker)) == 1)
    }

    @Test("only whole records are sent, of the longest one at a time, and no reply is longer than 1024 bytes (D9)")
    func longest() throws {
        var dialogue = Dialogue(kin: Self.us)
        let friends = Self.crowd(12)
        dialogue.befriends(friends, as: Self.us.endpoint)
        let pieces = Bitfield.scattered()
        let long = try friends.map { try $0.record(pieces: pieces, at: $0.endpoint) }
        #expect(long.allSatisfy { $0.value.count > 700 })
        for (friend, record) in zip(friends, long) {
            #expect(Self.code(dialogue.putHave(record, from: friend.endpoint)) == 0)
        }
        let reply = dialogue.answer(to: Dialogue.getHave(), from: Self.asker)
        #expect(Self.size(reply) <= 1024 && Self.size(reply) > 900)
        #expect(Self.entries(in: reply) == 1)
        // And the short ones beside eight nodes.
        var short = Dialogue(kin: Self.us)
        short.befriends(friends, as: Self.us.endpoint)
        for friend in friends { _ = short.putHave(try friend.record(), from: friend.endpoint) }
        let brief = short.answer(to: Dialogue.getHave(), from: Self.asker)
        #expect(Self.entries(in: brief) == 3)
        #expect(brief?.contains("5:nodes208:") == true)
        #expect(Self.size(brief) <= 1024)
    }

    @Test("a long record and a long source fit a reply over IPv6 as well (D9)")
    func longestOverIPv6() throws {
        let us = Kin(0, at: "[2600::1]:6881")
        var dialogue = Dialogue(kin: us)
        let putter = Kin(1, at: "[2600:1::1]:6881")
        let record = try putter.record(pieces: .scattered(1 << 21), at: .at("20.0.0.1:6881"))
        #expect(Self.code(dialogue.putHave(record, from: putter.endpoint)) == 0)
        let reply = dialogue.answer(to: Dialogue.getHave(), from: .at("[2600:2::1]:6881"))
        #expect(Self.entries(in: reply) == 1)
        #expect(Self.size(reply) <= 1024)
    }

    @Test("different askers hear of different records first")
    func choice() throws {
        var dialogue = Dialogue(kin: Self.us)
        let friends = Self.crowd(20)
        for friend in friends { _ = dialogue.putHave(try friend.record(), from: friend.endpoint) }
        let replies = Set((0..<10).map { _ in dialogue.answer(to: Dialogue.getHave(), from: Self.asker) })
        #expect(replies.count > 5)
    }

    @Test("get_have without an info-hash, or with a short one, gets 203")
    func malformedGet() {
        var dialogue = Dialogue(kin: Self.us)
        for hash in ["", "9:info_hash19:" + String(repeating: "x", count: 19)] {
            let query = "d1:ad2:id20:\(querier)\(hash)e1:q8:get_have1:t2:aa1:y1:qe"
            #expect(Self.code(dialogue.answer(to: query, from: Self.asker)) == 203)
        }
    }

    @Test("a source inside of a network is not told to hosts of the internet (D2)")
    func privateSource() throws {
        var dialogue = Dialogue(kin: Self.us)
        let inside = Kin(3, at: "192.168.1.9:6881")
        #expect(Self.code(dialogue.putHave(try inside.record(), from: inside.endpoint)) == 0)
        #expect(Self.entries(in: dialogue.answer(to: Dialogue.getHave(), from: Self.asker)) == 0)
        #expect(Self.entries(in: dialogue.answer(to: Dialogue.getHave(), from: .at("192.168.1.7:1"))) == 1)
    }

    // MARK: put_have

    @Test("each rule has its code, and what breaks it is not stored (D12, N14)")
    func refusals() throws {
        var dialogue = Dialogue(kin: Self.us)
        let record = try Self.putter.record()
        let other = try Self.putter.record(of: InfoHash(NodeID(text: responder).value))
        let value = text(record.value)
        let refusals: [(Int, (inout HaveWords) -> Void)] = [
            // Signed by the key, but for another info-hash.
            (206, { $0.signature = text(other.signature.bytes) }),
            (206, { $0.signature = String(repeating: "x", count: 64) }),
            (206, { $0.sequence = "3:seqi\(record.sequence + 1)e" }),
            (206, { $0.key = text(Self.us.key.publicKey.bytes) }),
            (206, { $0.value = value.replacing("1:pi6881e", with: "1:pi6882e") }),
            (203, { $0.token = "12345678" }),
            (203, { $0.token = "" }),
            (203, { $0.signature = String(repeating: "x", count: 63) }),
            (203, { $0.key = String(repeating: "x", count: 31) }),
            (203, { $0.sequence = "" }),
            (203, { $0.sequence = "3:seqi-1e" }),
            (203, { $0.infoHash = String(repeating: "x", count: 19) }),
            (203, { $0.value = "5:hello" }),
            (203, { $0.value = value.replacing("1:ci1000e", with: "1:ci999e") }),
            (203, { $0.value = value.replacing("1:h1:\u{1}", with: "1:h1:\u{5}") }),
            (203, { $0.value = value.replacing("1:pi6881e", with: "1:pi0e") }),
            (205, { $0.value = "745:" + String(repeating: "x", count: 745) }),
        ]
        for (code, change) in refusals {
            #expect(Self.code(dialogue.putHave(record, from: Self.putter.endpoint, change)) == code)
            #expect(dialogue.node.storedRecordCount == 0)
            dialogue.passes(.seconds(1))
        }
        #expect(Self.code(dialogue.putHave(record, from: Self.putter.endpoint)) == 0)
        #expect(dialogue.node.statistics.recordsRefused[.signature] == 5)
    }

    @Test("a value out of its one form is refused (N6)", arguments: ["d1:v", "d1:b0:1:a0:1:v", "d1:a0:1:a0:1:v"])
    func order(head: String) throws {
        var dialogue = Dialogue(kin: Self.us)
        let reply = dialogue.putHave(try Self.putter.record(), from: Self.putter.endpoint) {
            $0.value = head + "i1e" + $0.value.dropFirst()
        }
        #expect(Self.code(reply) == 203)
        #expect(dialogue.node.storedRecordCount == 0)
    }

    @Test("a token of another address, another info-hash or eleven minutes ago gets 203")
    func tokens() throws {
        var dialogue = Dialogue(kin: Self.us)
        let record = try Self.putter.record()
        let putter = Self.putter.endpoint
        let others = [
            dialogue.haveToken(to: Self.asker),
            dialogue.haveToken(of: InfoHash(NodeID(text: responder).value), to: putter),
            dialogue.haveToken(to: putter),
        ]
        for (index, token) in others.enumerated() {
            if index == 2 { dialogue.passes(.seconds(660)) }
            #expect(Self.code(dialogue.putHave(record, from: putter) { $0.token = token }) == 203)
        }
        #expect(dialogue.node.storedRecordCount == 0)
    }

    @Test(
        "a record from the future is refused, and so is one that has expired, with ten minutes for clocks (N16)",
        arguments: [
            (-3_600_000, 3600, "from the future"), (-600_001, 3600, "from the future"), (-600_000, 3600, nil),
            (0, 60, nil), (660_000, 60, nil), (660_001, 60, "expired"), (86_400_000, 3600, "expired"),
        ]
    )
    func time(age: Int64, lifetime: Int, reason: String?) throws {
        var dialogue = Dialogue(kin: Self.us)
        let record = try Self.putter.record(age: age, lifetime: lifetime)
        let reply = dialogue.putHave(record, from: Self.putter.endpoint)
        #expect(Self.code(reply) == (reason == nil ? 0 : 203))
        if let reason { #expect(reply?.contains(reason) == true) }
        #expect(dialogue.node.storedRecordCount == (reason == nil ? 1 : 0))
    }

    @Test("a newer record takes the place of an older one; an older one, and another of the same time, get 302")
    func versions() throws {
        var dialogue = Dialogue(kin: Self.us)
        let putter = Self.putter.endpoint
        let record = try Self.putter.record(age: 1000)
        #expect(Self.code(dialogue.putHave(record, from: putter)) == 0)
        #expect(Self.code(dialogue.putHave(try Self.putter.record(age: 1001), from: putter)) == 302)
        let twin = try Self.putter.record(age: 1000, lifetime: 1800)
        #expect(Self.code(dialogue.putHave(twin, from: putter)) == 302)
        #expect(Self.code(dialogue.putHave(record, from: putter)) == 0)
        let newer = try Self.putter.record()
        #expect(Self.code(dialogue.putHave(newer, from: putter)) == 0)
        #expect(dialogue.node.storedRecordCount == 1)
        let reply = dialogue.answer(to: Dialogue.getHave(), from: Self.asker)
        #expect(reply?.contains(entry(newer, seenAt: putter)) == true)
    }

    @Test("who copies a record to us does not change where it was seen, and a false copy is refused")
    func copies() throws {
        var dialogue = Dialogue(kin: Self.us)
        let record = try Self.putter.record()
        _ = dialogue.putHave(record, from: Self.putter.endpoint)
        #expect(Self.code(dialogue.putHave(record, from: .at("20.0.50.1:6881"))) == 0)
        let reply = dialogue.answer(to: Dialogue.getHave(), from: Self.asker)
        #expect(reply?.contains(entry(record, seenAt: Self.putter.endpoint)) == true)
        let forged = dialogue.putHave(record, from: .at("20.0.50.1:6881")) {
            $0.signature = String(repeating: "x", count: 64)
        }
        #expect(Self.code(forged) == 302)
    }

    @Test("records expire, and are swept away")
    func expiry() throws {
        var dialogue = Dialogue(kin: Self.us)
        dialogue.start()
        _ = dialogue.putHave(try Self.putter.record(lifetime: 60), from: Self.putter.endpoint)
        dialogue.passes(.seconds(659))
        #expect(Self.entries(in: dialogue.answer(to: Dialogue.getHave(), from: Self.asker)) == 1)
        dialogue.passes(.seconds(2))
        #expect(Self.entries(in: dialogue.answer(to: Dialogue.getHave(), from: Self.asker)) == 0)
        dialogue.passes(.seconds(310))
        #expect(dialogue.node.storedRecordCount == 0)
    }

    @Test("a fifth record of one /24 for one info-hash gets 202 prefix quota, and the first four stay (N17)")
    func networkQuota() throws {
        var dialogue = Dialogue(kin: Self.us)
        let crowd = (1...5).map { Kin(UInt8($0), at: "20.0.1.\($0):6881") }
        for kin in crowd.prefix(4) { #expect(Self.code(dialogue.putHave(try kin.record(), from: kin.endpoint)) == 0) }
        let fifth = dialogue.putHave(try crowd[4].record(), from: crowd[4].endpoint)
        #expect(fifth?.contains("li202e12:prefix quotae") == true)
        #expect(dialogue.node.storedRecordCount == 4)
        // Those that are there may be renewed, and another info-hash is another swarm.
        #expect(Self.code(dialogue.putHave(try crowd[0].record(age: -1), from: crowd[0].endpoint)) == 0)
        let other = try crowd[4].record(of: InfoHash(NodeID(text: responder).value))
        #expect(Self.code(dialogue.putHave(other, from: crowd[4].endpoint)) == 0)
    }

    @Test("of IPv6 a /56 is one network (N17)")
    func networkQuotaOfIPv6() throws {
        var dialogue = Dialogue(kin: Kin(0, at: "[2600::1]:6881"))
        let crowd = (1...5).map { Kin(UInt8($0), at: "[2600:0:0:1\($0)::1]:6881") }
        let codes = try crowd.map { Self.code(dialogue.putHave(try $0.record(), from: $0.endpoint)) }
        #expect(codes == [0, 0, 0, 0, 202])
        let beside = Kin(9, at: "[2600:0:0:100::1]:6881")
        #expect(Self.code(dialogue.putHave(try beside.record(), from: beside.endpoint)) == 0)
    }

    @Test("loopback hosts have no quota (D19)")
    func loopback() throws {
        var dialogue = Dialogue(kin: Kin(0, at: "127.0.0.1:6881"))
        for number in 1...8 {
            let kin = Kin(UInt8(number), at: "127.0.0.1:\(7000 + number)")
            #expect(Self.code(dialogue.putHave(try kin.record(), from: kin.endpoint)) == 0)
        }
        #expect(dialogue.node.storedRecordCount == 8)
    }

    @Test("an address has five signatures checked a second, and then hears that we are busy (D18)")
    func checksPerAddress() throws {
        var dialogue = Dialogue(kin: Self.us)
        let record = try Self.putter.record()
        let token = dialogue.haveToken(to: Self.putter.endpoint)
        var words = HaveWords(record)
        words.signature = String(repeating: "x", count: 64)
        let query = words.query(token)
        let codes = (0..<7).map { _ in Self.code(dialogue.answer(to: query, from: Self.putter.endpoint)) }
        #expect(codes == [206, 206, 206, 206, 206, 202, 202])
        dialogue.passes(.seconds(1))
        #expect(Self.code(dialogue.answer(to: query, from: Self.putter.endpoint)) == 206)
    }

    @Test("all together have 500 checked a second, apart from those of items (D18)")
    func checksInAll() throws {
        var limits = DHTLimits()
        limits.replyBytesPerSecond = 1 << 40
        var dialogue = Dialogue(kin: Self.us, limits: limits)
        var words = HaveWords(try Self.putter.record())
        words.signature = String(repeating: "x", count: 64)
        let codes = (0..<600).map { index in
            let sender = Endpoint(.v4(0x1400_0001 + UInt32(index) << 8), 6881)
            return Self.code(dialogue.answer(to: words.query(dialogue.haveToken(to: sender)), from: sender))
        }
        #expect(codes.count { $0 == 206 } == 500)
        #expect(codes.count { $0 == 202 } == 100)
        let item = try StoringItemsTests.version(4)
        #expect(Self.code(dialogue.put(item, from: .at("40.0.0.1:6881"))) == 0)
    }

    @Test("without a calendar nothing is stored, and nothing of others is handed out")
    func noClock() throws {
        var dialogue = Dialogue(kin: Self.us)
        dialogue.node.wallClock = nil
        #expect(Self.code(dialogue.putHave(try Self.putter.record(), from: Self.putter.endpoint)) == 202)
        #expect(dialogue.node.storedRecordCount == 0)
    }

    @Test("a put of a seed with a token of 20 bytes takes 345, and the longest stays below 1024")
    func putSizes() throws {
        var seed = RecordContent(try #require(HaveBlob(Bitfield(filled: 100_000))), heldCount: 100_000, port: 6881)
        seed.endpoint4 = .at("124.31.75.21:6881")
        seed.flags = [.secure, .plain]
        seed.load = .free
        let many = Bitfield.scattered(1 << 21)
        var long = RecordContent(
            try #require(HaveBlob(many, rarestFirst: many.held)),
            heldCount: many.setCount,
            port: 65_535
        )
        long.endpoint4 = seed.endpoint4
        long.endpoint6 = .at("[2600::1]:65535")
        long.lifetimeSeconds = 7200
        let sizes = try [seed, long].map { content in
            let record = try AvailabilityRecord(
                signing: content,
                of: Kin.infoHash,
                sequence: Kin.epoch,
                with: Self.us.key
            )
            var writer = ByteWriter()
            writer.query(
                .putHave(OutgoingPutHave(record: record, token: [UInt8](repeating: 1, count: 20))),
                from: Self.us.contact.id,
                transaction: 1,
                isReadOnly: false
            )
            return writer.count
        }
        #expect(sizes[0] == 345)
        #expect(sizes[1] <= 1024 && sizes[1] > 980)
    }
}
