import Cryptography
import Kademlia
import Primitives
import Testing

/// What stands in a `put`, to be varied field by field.
struct PutWords {
    var age = ""
    var cas = ""
    var key = ""
    var salt = ""
    var sequence = ""
    var signature = ""
    var value = ""

    init(_ item: Item) {
        value = text(item.value)
        guard let seal = item.seal else { return }
        key = "1:k32:\(text(seal.key.bytes))"
        if !seal.salt.isEmpty { salt = "4:salt\(seal.salt.count):\(text(seal.salt))" }
        sequence = "3:seqi\(seal.sequence)e"
        signature = "3:sig64:\(text(seal.signature.bytes))"
    }

    func query(_ token: String) -> String {
        "d1:ad\(age)\(cas)2:id20:\(querier)\(key)\(salt)\(sequence)\(signature)5:token\(token.unicodeScalars.count):"
            + "\(token)1:v\(value)e1:q3:put1:t2:aa1:y1:qe"
    }
}

extension Dialogue {
    static func get(_ target: NodeID, newerThan sequence: Int64? = nil) -> String {
        let sequence = sequence.map { "3:seqi\($0)e" } ?? ""
        return "d1:ad2:id20:\(querier)\(sequence)6:target20:\(target.wireText)e1:q3:get1:t2:aa1:y1:qe"
    }

    /// The token that the node gives for a target; empty for none.
    mutating func token(for target: NodeID, to sender: Endpoint) -> String {
        AnsweringTests.token(in: answer(to: Dialogue.get(target), from: sender))
    }

    /// Puts an item with a fresh token and returns what the node says to it.
    mutating func put(_ item: Item, from sender: Endpoint, _ change: (inout PutWords) -> Void = { _ in }) -> String? {
        var words = PutWords(item)
        change(&words)
        return answer(to: words.query(token(for: item.target, to: sender)), from: sender)
    }
}

@Suite("Storing items for others (BEP 44)")
struct StoringItemsTests {
    static let putter = Endpoint.at("20.0.0.5:6881")
    static let head = "d2:ip6:\(putter.wireText)1:rd2:id20:\(Dialogue.ownID.wireText)"
    static let stored = head + "e" + AnsweringTests.tail

    static func version(_ sequence: Int64, _ value: String = "5:hello", salt: String = "") throws -> Item {
        try Item(signing: wire(value), salt: wire(salt), sequence: sequence, with: try ItemTests.key())
    }

    /// The bencoded code that an answer carries, or 0 for a reply.
    static func code(in reply: String?) -> Int {
        guard let reply, let start = reply.firstRange(of: "1:eli") else { return reply == nil ? -1 : 0 }
        return Int(reply[start.upperBound...].prefix(3)) ?? -1
    }

    @Test("get is answered with nodes and a token, and with the immutable item that was put")
    func immutable() throws {
        var dialogue = Dialogue()
        let item = try Item(immutable: wire("5:hello"))
        let empty = dialogue.answer(to: Dialogue.get(item.target), from: StoringItemsTests.putter)
        let token = AnsweringTests.token(in: empty)
        let head = StoringItemsTests.head + "5:nodes0:5:token8:\(token)"
        #expect(empty == head + "e" + AnsweringTests.tail)
        let reply = dialogue.answer(to: PutWords(item).query(token), from: StoringItemsTests.putter)
        #expect(reply == StoringItemsTests.stored)
        let full = dialogue.answer(to: Dialogue.get(item.target), from: StoringItemsTests.putter)
        #expect(full == head + "1:v5:helloe" + AnsweringTests.tail)
    }

    @Test("a mutable item is answered with key, sequence number and signature, but without salt")
    func mutable() throws {
        var dialogue = Dialogue()
        let item = try StoringItemsTests.version(4, salt: "foobar")
        let seal = try #require(item.seal)
        #expect(dialogue.put(item, from: StoringItemsTests.putter) == StoringItemsTests.stored)
        let reply = dialogue.answer(to: Dialogue.get(item.target), from: StoringItemsTests.putter)
        let token = AnsweringTests.token(in: reply)
        #expect(
            reply == StoringItemsTests.head + "1:k32:\(text(seal.key.bytes))5:nodes0:3:seqi4e"
                + "3:sig64:\(text(seal.signature.bytes))5:token8:\(token)1:v5:helloe" + AnsweringTests.tail
        )
    }

    @Test("who has the version already gets its number alone", arguments: [(3, true), (4, false), (5, false)])
    func newerThan(sequence: Int64, isSent: Bool) throws {
        var dialogue = Dialogue()
        let item = try StoringItemsTests.version(4)
        _ = dialogue.put(item, from: StoringItemsTests.putter)
        let query = Dialogue.get(item.target, newerThan: sequence)
        let answer = dialogue.answer(to: query, from: StoringItemsTests.putter)
        let reply = try #require(answer)
        #expect(reply.contains("3:seqi4e"))
        #expect(reply.contains("1:v5:hello") == isSent)
        #expect(reply.contains("3:sig64:") == isSent)
        #expect(reply.contains("1:k32:") == isSent)
    }

    @Test("each rule has its code, and what breaks it is not stored (D12, N6, N13)")
    func refusals() throws {
        var dialogue = Dialogue()
        let putter = StoringItemsTests.putter
        let item = try StoringItemsTests.version(4, salt: "foobar")
        let bad = "3:sig64:" + String(repeating: "x", count: 64)
        let refusals: [(Int, (inout PutWords) -> Void)] = [
            (205, { $0.value = "998:" + String(repeating: "x", count: 998) }),
            (205, { $0.value = "997:" + String(repeating: "x", count: 997) }),
            (207, { $0.salt = "4:salt65:" + String(repeating: "x", count: 65) }),
            (206, { $0.signature = bad }),
            (206, { $0.sequence = "3:seqi5e" }),
            (206, { $0.value = "5:Hello" }),
            (203, { $0.sequence = "3:seqi-1e" }),
            (203, { $0.sequence = "" }),
            (203, { $0.signature = "" }),
            (203, { $0.signature = "3:sig63:" + String(repeating: "x", count: 63) }),
            (203, { $0.key = "1:k31:" + String(repeating: "x", count: 31) }),
            (203, { $0.value = "d1:b0:1:a0:e" }),
            (203, { $0.value = "d1:a0:1:a0:e" }),
            // Another salt is another target, for which the token is not.
            (203, { $0.salt = "4:salt3:foo" }),
            (203, { $0.salt = "" }),
        ]
        for (code, change) in refusals {
            #expect(StoringItemsTests.code(in: dialogue.put(item, from: putter, change)) == code)
            #expect(dialogue.node.storedItemCount == 0)
        }
        #expect(StoringItemsTests.code(in: dialogue.put(item, from: putter)) == 0)
    }

    @Test("an immutable value out of its form gets 203, one too long 205, and neither is stored (N6)")
    func immutableRefusals() throws {
        var dialogue = Dialogue()
        for (value, code) in [("d1:b0:1:a0:e", 203), ("997:" + String(repeating: "x", count: 997), 205)] {
            var words = PutWords(try Item(immutable: wire("0:")))
            words.value = value
            let target = Item.target(ofValue: wire(value))
            let query = words.query(dialogue.token(for: target, to: StoringItemsTests.putter))
            #expect(StoringItemsTests.code(in: dialogue.answer(to: query, from: StoringItemsTests.putter)) == code)
        }
        #expect(dialogue.node.storedItemCount == 0)
    }

    @Test(
        "a newer version replaces an older one, an older one and another of the same number get 302",
        arguments: [
            (5, "5:other", 0), (4, "5:hello", 0), (4, "5:other", 302), (3, "5:hello", 302), (3, "5:other", 302),
        ]
    )
    func versions(sequence: Int64, value: String, code: Int) throws {
        var dialogue = Dialogue()
        let first = try StoringItemsTests.version(4)
        let second = try StoringItemsTests.version(sequence, value)
        _ = dialogue.put(first, from: StoringItemsTests.putter)
        #expect(StoringItemsTests.code(in: dialogue.put(second, from: .at("20.0.7.7:6881"))) == code)
        #expect(dialogue.node.storedItem(at: first.target) == (code == 0 ? second : first))
    }

    @Test(
        "cas must be the number that is stored, and means nothing where nothing is",
        arguments: [(true, 4, 0), (true, 3, 301), (true, 5, 301), (false, 3, 0)]
    )
    func compareAndSwap(isStored: Bool, expected: Int, code: Int) throws {
        var dialogue = Dialogue()
        let old = try StoringItemsTests.version(4)
        let new = try StoringItemsTests.version(5)
        if isStored { _ = dialogue.put(old, from: StoringItemsTests.putter) }
        let reply = dialogue.put(new, from: StoringItemsTests.putter) { $0.cas = "3:casi\(expected)e" }
        #expect(StoringItemsTests.code(in: reply) == code)
        #expect(dialogue.node.storedItem(at: old.target) == (code == 0 ? new : old))
    }

    @Test(
        "a negative sequence number is refused as such where a version is stored too (D12, N13)",
        arguments: [-1, Int64.min]
    )
    func negativeSequence(sequence: Int64) throws {
        var dialogue = Dialogue()
        let item = try StoringItemsTests.version(4)
        _ = dialogue.put(item, from: StoringItemsTests.putter)
        let reply = dialogue.put(item, from: StoringItemsTests.putter) { $0.sequence = "3:seqi\(sequence)e" }
        #expect(StoringItemsTests.code(in: reply) == 203)
        #expect(dialogue.node.storedItem(at: item.target) == item)
    }

    @Test("a false signature does not renew the version that it claims to be")
    func falseRenewal() throws {
        var dialogue = Dialogue()
        dialogue.start()
        let item = try StoringItemsTests.version(4)
        _ = dialogue.put(item, from: StoringItemsTests.putter)
        dialogue.passes(.seconds(3600))
        let reply = dialogue.put(item, from: StoringItemsTests.putter) {
            $0.signature = "3:sig64:" + String(repeating: "x", count: 64)
        }
        #expect(StoringItemsTests.code(in: reply) == 206)
        dialogue.passes(.seconds(3601))
        #expect(dialogue.node.storedItem(at: item.target) == nil)
    }

    @Test("an item is kept two hours after it was last put (D11)")
    func expiry() throws {
        var dialogue = Dialogue()
        dialogue.start()
        let item = try StoringItemsTests.version(4)
        _ = dialogue.put(item, from: StoringItemsTests.putter)
        dialogue.passes(.seconds(7000))
        _ = dialogue.put(item, from: StoringItemsTests.putter)
        dialogue.passes(.seconds(7190))
        #expect(dialogue.node.storedItem(at: item.target) == item)
        dialogue.passes(.seconds(400))
        #expect(dialogue.node.storedItem(at: item.target) == nil)
        #expect(dialogue.node.storedItemCount == 0)
    }

    @Test("a token of another address, of another target or of no one stores nothing (D7)")
    func foreignTokens() throws {
        var dialogue = Dialogue()
        let item = try StoringItemsTests.version(4)
        let token = dialogue.token(for: item.target, to: StoringItemsTests.putter)
        let elsewhere = dialogue.token(for: NodeID(0x77), to: StoringItemsTests.putter)
        let attempts = [
            (token, Endpoint.at("20.0.9.9:6881")), (elsewhere, StoringItemsTests.putter),
            ("aoeusnth", StoringItemsTests.putter), ("", StoringItemsTests.putter),
        ]
        for (token, sender) in attempts {
            let reply = dialogue.answer(to: PutWords(item).query(token), from: sender)
            #expect(StoringItemsTests.code(in: reply) == 203)
        }
        #expect(dialogue.node.storedItemCount == 0)
    }

    @Test("a full store gives no token and keeps what it has (D11)")
    func full() throws {
        var limits = DHTLimits()
        limits.items = 3
        var dialogue = Dialogue(limits: limits)
        let items = try (0..<4).map { try Item(immutable: wire("i\($0)e")) }
        for item in items.prefix(3) { _ = dialogue.put(item, from: StoringItemsTests.putter) }
        #expect(dialogue.token(for: items[3].target, to: StoringItemsTests.putter) == "")
        #expect(dialogue.token(for: items[0].target, to: StoringItemsTests.putter) != "")
        #expect(items.map { dialogue.node.storedItem(at: $0.target) } == [items[0], items[1], items[2], nil])
    }

    @Test("one network has a share of the store; a loopback network has no such limit (D19)")
    func share() throws {
        var limits = DHTLimits()
        limits.itemsPerNetwork = 2
        for (first, second, isLimited) in [("20.0.3.1:1", "20.0.3.2:1", true), ("127.0.0.1:1", "127.0.0.2:1", false)] {
            var dialogue = Dialogue(limits: limits)
            let items = try (0..<3).map { try Item(immutable: wire("i\($0)e")) }
            for item in items.prefix(2) { _ = dialogue.put(item, from: .at(first)) }
            #expect(dialogue.token(for: items[2].target, to: .at(second)).isEmpty == isLimited)
            #expect(dialogue.token(for: items[2].target, to: .at("20.0.4.1:1")) != "")
        }
    }

    @Test("signatures are checked at a bounded rate, then 202 is the answer (D18)")
    func signatureRate() throws {
        var limits = DHTLimits()
        limits.signatureChecksPerSecond = 4
        var dialogue = Dialogue(limits: limits)
        let bad: (inout PutWords) -> Void = { $0.signature = "3:sig64:" + String(repeating: "x", count: 64) }
        let item = try StoringItemsTests.version(4)
        let sender = Endpoint.at("127.0.0.1:5000")
        let codes = (0..<6).map { _ in StoringItemsTests.code(in: dialogue.put(item, from: sender, bad)) }
        #expect(codes == [206, 206, 206, 206, 202, 202])
        dialogue.passes(.milliseconds(250))
        #expect(StoringItemsTests.code(in: dialogue.put(item, from: sender)) == 0)
        // Renewing what is there needs no check.
        #expect(StoringItemsTests.code(in: dialogue.put(item, from: sender)) == 0)
    }

    @Test("the largest reply has at most 1440 bytes (D9)")
    func replySize() throws {
        var dialogue = Dialogue()
        dialogue.meets((1...12).map { Contact(NodeID(UInt8($0 << 4)), .at("20.0.\($0).1:6881")) })
        let value = "996:" + String(repeating: "x", count: 996)
        let item = try StoringItemsTests.version(.max, value)
        _ = dialogue.put(item, from: StoringItemsTests.putter)
        let transaction = String(repeating: "t", count: 32)
        let query =
            "d1:ad2:id20:\(querier)6:target20:\(item.target.wireText)e1:q3:get1:t32:\(transaction)1:y1:qe"
        let answer = dialogue.answer(to: query, from: StoringItemsTests.putter)
        let reply = try #require(answer)
        #expect(reply.contains("1:v" + value))
        #expect((1380...1440).contains(wire(reply).count))
    }
}
