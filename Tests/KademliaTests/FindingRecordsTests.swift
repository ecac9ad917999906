import Availability
import Cryptography
import Kademlia
import Primitives
import Testing

@Suite("Finding records of who has which pieces, and putting our own")
struct FindingRecordsTests {
    static let us = Kin.known
    static let friends = (1...4).map { Kin(UInt8($0), at: "20.0.\($0).1:6881") }
    /// Who publishes records: strangers to us.
    static let owner = Kin(30, at: "30.0.1.1:6881")

    static func dialogue() -> Dialogue {
        var dialogue = Dialogue(kin: us)
        dialogue.befriends(friends, as: us.endpoint)
        return dialogue
    }

    static func found(_ actions: [DHTAction]) -> [FoundRecord] {
        actions.compactMap { if case .foundRecord(_, let found) = $0 { found } else { nil } }
    }

    static func refused(_ actions: [DHTAction]) -> [RecordFault] {
        actions.compactMap { if case .refusedRecord(_, let refused) = $0 { refused.fault } else { nil } }
    }

    static func proved(_ actions: [DHTAction]) -> [Endpoint] {
        actions.compactMap { if case .provedKey(_, let endpoint) = $0 { endpoint } else { nil } }
    }

    static func summary(_ actions: [DHTAction]) -> LookupSummary? {
        actions.compactMap { if case .finished(_, let summary) = $0 { summary } else { nil } }.last
    }

    /// The values of a reply to `get_have`.
    static func values(_ records: [String], count: Int? = nil, nodes: [Contact] = []) -> (head: String, tail: String) {
        let list = records.isEmpty ? "" : "4:recsl\(records.joined())e"
        let names = nodes.map(\.wireText).joined()
        return ("1:ci\(count ?? records.count)e", "5:nodes\(names.unicodeScalars.count):\(names)\(list)5:token4:toke")
    }

    // MARK: Finding

    @Test("asks the nodes of the overlay 350 bytes each, hands a record on once, and asks its owner for a proof")
    func finds() throws {
        var dialogue = Self.dialogue()
        let record = try Self.owner.record()
        _ = dialogue.findRecords()
        let queries = dialogue.takeSent()
        #expect(Set(queries.map(\.to)) == Set(Self.friends.map(\.endpoint)))
        #expect(queries.allSatisfy { $0.isQuery("get_have") && (350...357).contains(wire($0.text).count) })
        let values = Self.values([entry(record, seenAt: Self.owner.endpoint)])
        for query in queries {
            let friend = Self.friends.first { $0.endpoint == query.to } ?? Self.us
            dialogue.replies(to: query, as: friend, seeing: Self.us.endpoint, values.tail)
        }
        let question = dialogue.nextSent()
        #expect(question.isQuery("sp_id") && question.to == Self.owner.endpoint)
        let actions = dialogue.takeActions()
        #expect(Self.found(actions).map(\.record) == [record])
        #expect(Self.found(actions).first?.seenAt == Self.owner.endpoint)
        #expect(Self.proved(actions) == [])
        #expect(Self.summary(actions)?.outcome == .complete)
        let proof = Self.owner.proof(of: question, to: Self.us.endpoint)
        dialogue.replies(to: question, as: Self.owner, seeing: Self.us.endpoint, proof)
        #expect(dialogue.takeActions() == [.provedKey(Self.owner.key.publicKey, at: Self.owner.endpoint)])
        // Who proved it lately is not asked again.
        _ = dialogue.findRecords()
        for query in dialogue.takeSent() {
            dialogue.replies(
                to: query,
                as: Self.friends.first { $0.endpoint == query.to } ?? Self.us,
                seeing: nil,
                values.tail
            )
        }
        #expect(Self.proved(dialogue.takeActions()) == [Self.owner.endpoint])
        #expect(!dialogue.takeSent().contains { $0.isQuery("sp_id") })
    }

    @Test("every fault is counted by its reason, the record is dropped, and the sender stays (N15, N16)")
    func faults() throws {
        let good = try Self.owner.record()
        let value = text(good.value)
        func changed(_ value: String) -> String {
            "d1:k32:\(text(good.key.bytes))3:seqi\(good.sequence)e3:sig64:\(text(good.signature.bytes))1:v\(value)e"
        }
        let late = try Self.owner.record(age: 7_200_000)
        let early = try Self.owner.record(age: -3_600_000)
        let faults: [(RecordFault, String)] = [
            (.pieceCount, entry(try Self.owner.record(pieces: Bitfield(filled: 999)), seenAt: nil)),
            (.count, changed(value.replacing("1:ci1000e", with: "1:ci999e"))),
            (.blob, changed(value.replacing("1:h1:\u{1}", with: "1:h1:\u{5}"))),
            (.fromTheFuture, entry(early, seenAt: nil)),
            (.expired, entry(late, seenAt: nil)),
            (.signature, changed(value.replacing("1:pi6881e", with: "1:pi6882e"))),
            (.malformed, changed("d1:b0:1:a0:e")),
            (.field, changed(value.replacing("1:pi6881e", with: "1:pi0e"))),
            (.malformed, changed("5:hello")),
            (.tooLong, changed("745:" + String(repeating: "x", count: 745))),
        ]
        for (fault, entry) in faults {
            var dialogue = Self.dialogue()
            _ = dialogue.findRecords(pieceCount: 1000)
            let query = dialogue.nextSent()
            let friend = try #require(Self.friends.first { $0.endpoint == query.to })
            let before = dialogue.node.overlayNodeCount
            dialogue.replies(to: query, as: friend, seeing: Self.us.endpoint, Self.values([entry]).tail)
            let actions = dialogue.takeActions()
            #expect(Self.refused(actions) == [fault])
            #expect(Self.found(actions) == [])
            #expect(dialogue.node.statistics.recordsRefused == [fault: 1])
            #expect(dialogue.node.overlayNodeCount == before)
            #expect(!dialogue.takeSent().contains { $0.isQuery("sp_id") })
        }
    }

    /// Every friend that was asked hands on a record that was put to it from its own place.
    private static func friendsHandOn(
        _ record: AvailabilityRecord,
        seeing us: Endpoint? = nil,
        in dialogue: inout Dialogue
    ) {
        for query in dialogue.takeSent() where query.isQuery("get_have") {
            guard let friend = friends.first(where: { $0.endpoint == query.to }) else { continue }
            let values = values([entry(record, seenAt: friend.endpoint)])
            dialogue.replies(to: query, as: friend, seeing: us, values.tail)
        }
    }

    @Test("an endpoint that only a record names gets one small packet, and if it is silent none for half an hour (N19)")
    func silentThird() throws {
        var dialogue = Self.dialogue()
        let victim = Endpoint.at("40.0.0.1:6881")
        let record = try Self.owner.record(at: victim)
        func round(_ dialogue: inout Dialogue) -> [Dialogue.Sent] {
            var toVictim: [Dialogue.Sent] = []
            _ = dialogue.findRecords()
            Self.friendsHandOn(record, seeing: Self.us.endpoint, in: &dialogue)
            toVictim += dialogue.takeSent().filter { $0.to == victim }
            dialogue.passes(.seconds(5))
            return toVictim + dialogue.takeSent().filter { $0.to == victim }
        }
        let first = round(&dialogue)
        #expect(first.count == 1 && first.allSatisfy { $0.isQuery("sp_id") && wire($0.text).count <= 240 })
        #expect(!Self.proved(dialogue.takeActions()).contains(victim))
        for _ in 0..<5 { #expect(round(&dialogue).isEmpty) }
    }

    @Test("after two silent ports no other of an address is tried, however many records name it (N19)")
    func silentPorts() throws {
        var dialogue = Self.dialogue()
        var packets = 0
        for number in 0..<10 {
            let kin = Kin(UInt8(40 + number), at: "30.0.\(number).1:6881")
            let record = try kin.record(at: .at("40.0.0.1:\(7000 + number)"))
            _ = dialogue.findRecords()
            Self.friendsHandOn(record, in: &dialogue)
            dialogue.passes(.seconds(5))
            packets += dialogue.takeSent().count { $0.to.address == .v4(0x2800_0001) }
        }
        #expect(packets == 2)
    }

    @Test(
        "no packet goes where a record must not send us (D2, D14)",
        arguments: ["192.168.1.1:6881", "127.0.0.1:6881", "40.0.0.1:22", "0.0.0.1:6881", "224.0.0.1:6881"]
    )
    func forbidden(place: String) throws {
        var dialogue = Self.dialogue()
        let record = try Self.owner.record(at: .at(place))
        _ = dialogue.findRecords()
        Self.friendsHandOn(record, in: &dialogue)
        dialogue.passes(.seconds(5))
        #expect(!dialogue.takeSent().contains { $0.to == .at(place) })
    }

    @Test("a record whose sender calls it its own is proved where the sender is, at the record's port")
    func ownRecord() throws {
        var dialogue = Self.dialogue()
        let peer = Kin(30, at: "30.0.1.1:6881")
        let record = try Kin(30, at: "30.0.1.1:7777").record()
        _ = dialogue.findRecords(asking: [peer.endpoint])
        let query = dialogue.takeSent().first { $0.to == peer.endpoint }
        let asked = try #require(query)
        #expect(asked.isQuery("get_have"))
        dialogue.replies(to: asked, as: peer, seeing: Self.us.endpoint, Self.values([entry(record, seenAt: nil)]).tail)
        #expect(dialogue.takeSent().contains { $0.isQuery("sp_id") && $0.to == .at("30.0.1.1:7777") })
        #expect(Self.found(dialogue.takeActions()).first?.seenAt == nil)
    }

    @Test("our own record is not news to us, nor an older one of a key")
    func notNews() throws {
        var dialogue = Self.dialogue()
        let records = [try Self.us.record(), try Self.owner.record(), try Self.owner.record(age: 5)]
        _ = dialogue.findRecords()
        for (query, record) in zip(dialogue.takeSent(), records) {
            guard let friend = Self.friends.first(where: { $0.endpoint == query.to }) else { continue }
            dialogue.replies(
                to: query,
                as: friend,
                seeing: nil,
                Self.values([entry(record, seenAt: friend.endpoint)]).tail
            )
        }
        #expect(Self.found(dialogue.takeActions()).map(\.record) == [records[1]])
    }

    @Test("a node that has more than it could send is asked again, with what is known")
    func further() throws {
        var dialogue = Self.dialogue()
        let record = try Self.owner.record()
        _ = dialogue.findRecords()
        let query = dialogue.nextSent()
        let friend = try #require(Self.friends.first { $0.endpoint == query.to })
        let values = Self.values([entry(record, seenAt: Self.owner.endpoint)], count: 9)
        let reply =
            "d2:ip6:\(Self.us.endpoint.wireText)1:rd\(values.head)2:id20:\(friend.contact.id.wireText)"
            + "\(values.tail)e1:t4:\(query.transaction)\(Kin.version)1:y1:re"
        dialogue.receives(reply, from: query.to)
        let prefix = text(Self.owner.key.publicKey.bytes.prefix(4))
        let again = dialogue.takeSent().filter { $0.to == query.to && $0.isQuery("get_have") }
        #expect(again.count == 1)
        #expect(again.first?.text.contains("1:xl4:\(prefix)e1:z") == true)
        #expect((350...357).contains(wire(again.first?.text ?? "").count))
    }

    @Test("a node that always has more is asked 21 times in one search, and no more signatures are checked than 256")
    func endlessLiar() throws {
        var dialogue = Self.dialogue()
        _ = dialogue.findRecords()
        let liar = Self.friends[0]
        var asked = 0
        var number: Int64 = 0
        var queries = dialogue.takeSent()
        while let query = queries.popLast() {
            guard query.isQuery("get_have"), query.to == liar.endpoint else { continue }
            asked += 1
            number += 1
            let record = try Self.owner.record(age: 100_000 - number)
            let flood = (0..<3).map { index in
                entry(record, seenAt: nil).replacing("3:sig64:", with: index == 0 ? "3:sig64:" : "3:sig64:\(index)")
            }
            let reply =
                "d2:ip6:\(Self.us.endpoint.wireText)1:rd1:ci99e2:id20:\(liar.contact.id.wireText)"
                + "4:recsl\(flood[0])e5:token4:toke" + "e1:t4:\(query.transaction)\(Kin.version)1:y1:re"
            dialogue.receives(reply, from: query.to)
            queries += dialogue.takeSent()
            guard asked < 200 else { break }
        }
        #expect(asked <= 21 && asked > 1)
    }

    @Test("peers that a get_peers comes upon are asked for their own record, and the search waits for that")
    func peersOfTorrent() throws {
        var dialogue = Dialogue(kin: Self.us)
        let mainline = Contact(NodeID(0x12), .at("50.0.0.1:6881"))
        dialogue.meets([mainline])
        _ = dialogue.takeSent()
        _ = dialogue.findPeers(of: Kin.infoHash)
        let getPeers = dialogue.nextSent()
        _ = dialogue.findRecords()
        #expect(Self.summary(dialogue.takeActions()) == nil)
        let peer = Self.owner
        let compact = peer.endpoint.wireText
        dialogue.replies(to: getPeers, as: mainline.id, "6:valuesl6:\(compact)e")
        dialogue.passes(.milliseconds(1))
        let query = dialogue.takeSent().first { $0.to == peer.endpoint }
        let asked = try #require(query)
        #expect(asked.isQuery("get_have"))
        let record = try peer.record()
        dialogue.replies(to: asked, as: peer, seeing: Self.us.endpoint, Self.values([entry(record, seenAt: nil)]).tail)
        dialogue.passes(.seconds(3))
        let actions = dialogue.takeActions()
        #expect(Self.found(actions).map(\.record) == [record])
        #expect(Self.summary(actions) != nil)
    }

    @Test("a mainline peer that answers get_have like find_node, with an error or not at all does no harm")
    func mainline() throws {
        var dialogue = Dialogue(kin: Self.us)
        let peers = (1...3).map { Endpoint.at("50.0.\($0).1:6881") }
        let other = Contact(NodeID(0x44), .at("50.0.9.1:6881"))
        let search = dialogue.findRecords(asking: peers)
        let queries = dialogue.takeSent()
        #expect(queries.map(\.to) == peers)
        dialogue.replies(to: queries[0], as: NodeID(0x10), "5:nodes26:\(other.wireText)5:token4:toke")
        dialogue.receives("d1:eli204e7:unknowne1:t4:\(queries[1].transaction)1:y1:ee", from: peers[1])
        dialogue.passes(.seconds(5))
        let actions = dialogue.takeActions()
        #expect(Self.summary(actions)?.outcome == .nobodyAnswered)
        #expect(dialogue.node.overlayNodeCount == 0)
        #expect(!dialogue.takeSent().contains { $0.to == other.endpoint || $0.isQuery("sp_id") })
        // All of them are left alone for half an hour: next time one may be of our kind.
        let again = dialogue.findRecords(asking: peers)
        #expect(again != search)
        #expect(!dialogue.takeSent().contains { $0.isQuery("get_have") })
        dialogue.passes(.seconds(1800))
        _ = dialogue.takeSent()
        _ = dialogue.findRecords(asking: peers)
        #expect(Set(dialogue.takeSent().filter { $0.isQuery("get_have") }.map(\.to)) == Set(peers))
    }

    @Test("50 peers are asked in one search, twenty a second, each once")
    func pace() {
        var dialogue = Dialogue(kin: Self.us)
        let peers = (1...80).map { Endpoint(.v4(0x3200_0001 + UInt32($0) << 8), 6881) }
        let search = dialogue.findRecords(asking: peers + peers)
        var asked = dialogue.takeSent().filter { $0.isQuery("get_have") }
        #expect(asked.count <= 20)
        let isOpen = dialogue.askForRecords(from: peers, in: search)
        #expect(isOpen)
        dialogue.passes(.milliseconds(500))
        asked += dialogue.takeSent().filter { $0.isQuery("get_have") }
        #expect(asked.count <= 30)
        dialogue.passes(.seconds(20))
        asked += dialogue.takeSent().filter { $0.isQuery("get_have") }
        #expect(asked.count == 50 && Set(asked.map(\.to)).count == 50)
        let isStillOpen = dialogue.askForRecords(from: peers, in: search)
        #expect(!isStillOpen)
    }

    @Test("what others put here is found first, and its owner asked for a proof")
    func held() throws {
        var dialogue = Dialogue(kin: Self.us)
        let record = try Self.owner.record()
        _ = dialogue.putHave(record, from: Self.owner.endpoint)
        _ = dialogue.takeSent()
        _ = dialogue.findRecords(asking: [.at("50.0.0.1:6881")])
        let actions = dialogue.takeActions()
        #expect(Self.found(actions).map(\.record) == [record])
        #expect(Self.found(actions).first?.sender == nil)
        #expect(dialogue.takeSent().contains { $0.isQuery("sp_id") && $0.to == Self.owner.endpoint })
    }

    // MARK: Publishing

    @Test("a record is put where a token was given, after short queries, and the end says who took it")
    func publishes() throws {
        var dialogue = Self.dialogue()
        let record = try Self.us.record()
        _ = dialogue.publish(record)
        let queries = dialogue.takeSent()
        #expect(queries.count == 4)
        #expect(queries.allSatisfy { $0.isQuery("get_have") && wire($0.text).count <= 112 })
        for query in queries {
            let friend = Self.friends.first { $0.endpoint == query.to } ?? Self.us
            dialogue.replies(to: query, as: friend, seeing: Self.us.endpoint, Self.values([]).tail)
        }
        let puts = dialogue.takeSent()
        #expect(puts.count == 4 && puts.allSatisfy { $0.isQuery("put_have") })
        let words =
            "9:info_hash20:\(Kin.infoHash.wireText)1:k32:\(text(record.key.bytes))3:seqi\(record.sequence)e"
            + "3:sig64:\(text(record.signature.bytes))5:token4:toke1:v\(text(record.value))e1:q8:put_have"
        #expect(puts.allSatisfy { $0.text.contains(words) })
        for (index, put) in puts.enumerated() {
            let friend = Self.friends.first { $0.endpoint == put.to } ?? Self.us
            if index == 0 {
                dialogue.receives(
                    "d1:eli202e12:prefix quotae1:t4:\(put.transaction)\(Kin.version)1:y1:ee",
                    from: put.to
                )
            } else {
                dialogue.replies(to: put, as: friend, seeing: nil)
            }
        }
        let summary = Self.summary(dialogue.takeActions())
        #expect(summary?.storedOn == 3)
        #expect(summary?.refusals.map(\.code) == [202])
        #expect(summary?.refusals.map(\.text) == ["prefix quota"])
    }

    @Test("lookups among nodes of our kind say nothing about the size of the network, and begin no others")
    func apart() throws {
        var dialogue = Self.dialogue()
        for _ in 0..<20 {
            _ = dialogue.findRecords()
            for query in dialogue.takeSent() where query.isQuery("get_have") {
                guard let friend = Self.friends.first(where: { $0.endpoint == query.to }) else { continue }
                dialogue.replies(to: query, as: friend, seeing: nil, Self.values([]).tail)
            }
        }
        #expect(dialogue.node.networkSize == nil)
    }

    @Test("a search before anybody is known waits for the first node of our kind")
    func waitsForJoin() {
        var dialogue = Dialogue(kin: Self.us)
        dialogue.start(bootstrap: true)
        _ = dialogue.takeActions()
        _ = dialogue.findRecords()
        #expect(Self.summary(dialogue.takeActions()) == nil)
        dialogue.resolved([Self.friends[0].endpoint])
        dialogue.answersAll(as: Self.friends, seenAt: Self.us.endpoint)
        #expect(Self.summary(dialogue.takeActions())?.outcome == .complete)
    }
}
