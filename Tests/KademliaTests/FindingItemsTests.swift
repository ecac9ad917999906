import Cryptography
import Kademlia
import Primitives
import Testing

@Suite("Finding and storing items (BEP 44)")
struct FindingItemsTests {
    /// Two nodes in the table, far apart.
    static let a = Contact(NodeID(0x40), .at("20.0.1.1:6881"))
    static let b = Contact(NodeID(0xc0), .at("20.0.2.1:6881"))

    static func dialogue(_ limits: DHTLimits = DHTLimits()) -> Dialogue {
        var dialogue = Dialogue(limits: limits)
        dialogue.start()
        dialogue.meets([a, b])
        dialogue.passes(.seconds(1))
        dialogue.answersAll(as: [a, b])
        _ = dialogue.takeActions()
        return dialogue
    }

    /// The values of a reply to `get`, for one who holds `item`.
    static func reply(_ item: Item?, token: Bool = true, isWanted: Bool = true, signature: String? = nil) -> String {
        let token = token ? "5:token2:tk" : ""
        guard let item else { return token }
        guard let seal = item.seal else { return "\(token)1:v\(text(item.value))" }
        guard isWanted else { return "3:seqi\(seal.sequence)e\(token)" }
        return "1:k32:\(text(seal.key.bytes))3:seqi\(seal.sequence)e"
            + "3:sig64:\(signature ?? text(seal.signature.bytes))\(token)1:v\(text(item.value))"
    }

    static func version(_ sequence: Int64, salt: String = "") throws -> Item {
        try StoringItemsTests.version(sequence, "i\(sequence)e", salt: salt)
    }

    static func summary(in actions: [DHTAction], of lookup: LookupID) -> LookupSummary? {
        for case .finished(lookup, let summary) in actions { return summary }
        return nil
    }

    static func found(in actions: [DHTAction]) -> [Item] {
        actions.compactMap { if case .foundItem(_, let item) = $0 { item } else { nil } }
    }

    /// The queries to one contact since the last call; the others are dropped.
    static func queries(_ sent: [Dialogue.Sent], to contact: Contact, _ method: String) -> [Dialogue.Sent] {
        sent.filter { $0.to == contact.endpoint && $0.isQuery(method) }
    }

    @Test("an immutable item is handed on and ends the lookup")
    func immutable() throws {
        var dialogue = FindingItemsTests.dialogue()
        let item = try Item(immutable: wire("5:hello"))
        let lookup = dialogue.findItem(item.target)
        let sent = dialogue.takeSent()
        #expect(sent.map(\.to) == [FindingItemsTests.b.endpoint, FindingItemsTests.a.endpoint])
        #expect(sent.allSatisfy { $0.text.contains("6:target20:\(item.target.wireText)e1:q3:get1:t4:") })
        dialogue.replies(to: sent[0], as: FindingItemsTests.b.id, FindingItemsTests.reply(item))
        let actions = dialogue.takeActions()
        #expect(FindingItemsTests.found(in: actions) == [item])
        #expect(FindingItemsTests.summary(in: actions, of: lookup)?.outcome == .complete)
    }

    @Test("of a mutable item each newer version is handed on, to the end")
    func mutable() throws {
        var dialogue = FindingItemsTests.dialogue()
        let (old, new) = (try FindingItemsTests.version(3), try FindingItemsTests.version(4))
        let lookup = dialogue.findItem(old.target)
        let sent = dialogue.takeSent()
        dialogue.replies(to: sent[0], as: FindingItemsTests.a.id, FindingItemsTests.reply(old, token: false))
        let first = dialogue.takeActions()
        #expect(FindingItemsTests.found(in: first) == [old])
        #expect(FindingItemsTests.summary(in: first, of: lookup) == nil)
        dialogue.replies(to: sent[1], as: FindingItemsTests.b.id, FindingItemsTests.reply(new, token: false))
        let second = dialogue.takeActions()
        #expect(FindingItemsTests.found(in: second) == [new])
        #expect(FindingItemsTests.summary(in: second, of: lookup)?.outcome == .complete)
    }

    @Test("an older version than one that was found is not handed on")
    func older() throws {
        var dialogue = FindingItemsTests.dialogue()
        let (old, new) = (try FindingItemsTests.version(3), try FindingItemsTests.version(4))
        _ = dialogue.findItem(old.target)
        let sent = dialogue.takeSent()
        dialogue.replies(to: sent[0], as: FindingItemsTests.a.id, FindingItemsTests.reply(new, token: false))
        dialogue.replies(to: sent[1], as: FindingItemsTests.b.id, FindingItemsTests.reply(old, token: false))
        #expect(FindingItemsTests.found(in: dialogue.takeActions()) == [new])
    }

    @Test("who has a version asks for newer ones only, and is told of no other")
    func newerThan() throws {
        var dialogue = FindingItemsTests.dialogue()
        let (old, new) = (try FindingItemsTests.version(3), try FindingItemsTests.version(4))
        _ = dialogue.findItem(old.target, newerThan: 3)
        let sent = dialogue.takeSent()
        #expect(sent.allSatisfy { $0.text.contains("3:seqi3e6:target20:") })
        // One that passes over `seq` sends what it has.
        dialogue.replies(to: sent[0], as: FindingItemsTests.a.id, FindingItemsTests.reply(old, token: false))
        #expect(FindingItemsTests.found(in: dialogue.takeActions()) == [])
        dialogue.replies(to: sent[1], as: FindingItemsTests.b.id, FindingItemsTests.reply(new, token: false))
        #expect(FindingItemsTests.found(in: dialogue.takeActions()) == [new])
    }

    @Test("an item is found by its salt, and by no other")
    func salt() throws {
        for (salt, isFound) in [("foobar", true), ("foobaz", false), ("", false)] {
            var dialogue = FindingItemsTests.dialogue()
            let item = try FindingItemsTests.version(3, salt: "foobar")
            _ = dialogue.findItem(item.target, salt: wire(salt))
            let sent = dialogue.takeSent()
            dialogue.replies(to: sent[0], as: FindingItemsTests.a.id, FindingItemsTests.reply(item, token: false))
            #expect(FindingItemsTests.found(in: dialogue.takeActions()) == (isFound ? [item] : []))
            #expect(dialogue.node.statistics.itemsRefused == (isFound ? 0 : 1))
        }
    }

    @Test("lies are counted and dropped, and who tells them is not counted among the closest")
    func lies() throws {
        let item = try FindingItemsTests.version(3)
        let (other, unsigned) = (try FindingItemsTests.version(3, salt: "x"), try Item(immutable: wire("i3e")))
        let lies = [
            FindingItemsTests.reply(item, signature: String(repeating: "x", count: 64)),
            FindingItemsTests.reply(other),
            FindingItemsTests.reply(unsigned),
            FindingItemsTests.reply(item).replacing("3:seqi3e", with: "3:seqi9e"),
            FindingItemsTests.reply(item).replacing("1:vi3e", with: "1:vi4e"),
            FindingItemsTests.reply(item).replacing("3:seqi3e", with: ""),
        ]
        for lie in lies {
            var dialogue = FindingItemsTests.dialogue()
            let lookup = dialogue.findItem(item.target)
            let sent = dialogue.takeSent()
            dialogue.replies(to: sent[0], as: FindingItemsTests.a.id, lie)
            #expect(FindingItemsTests.found(in: dialogue.takeActions()) == [])
            #expect(dialogue.node.statistics.itemsRefused == 1)
            dialogue.replies(to: sent[1], as: FindingItemsTests.b.id, FindingItemsTests.reply(item, token: false))
            let actions = dialogue.takeActions()
            #expect(FindingItemsTests.found(in: actions) == [item])
            #expect(FindingItemsTests.summary(in: actions, of: lookup)?.closest == [FindingItemsTests.b])
        }
    }

    @Test("what we hold ourselves is found without a question")
    func own() throws {
        var dialogue = Dialogue()
        let item = try Item(immutable: wire("5:hello"))
        _ = dialogue.put(item, from: .at("20.0.0.5:6881"))
        _ = dialogue.takeActions()
        _ = dialogue.takeSent()
        let lookup = dialogue.findItem(item.target)
        let actions = dialogue.takeActions()
        #expect(FindingItemsTests.found(in: actions) == [item])
        #expect(FindingItemsTests.summary(in: actions, of: lookup)?.outcome == .complete)
        #expect(dialogue.takeSent() == [])
    }

    @Test("an item is put to the nodes that answered with a token, and the summary counts those that took it")
    func storing() throws {
        var dialogue = FindingItemsTests.dialogue()
        let item = try FindingItemsTests.version(4, salt: "foobar")
        let seal = try #require(item.seal)
        let lookup = dialogue.store(item)
        let gets = dialogue.takeSent()
        #expect(gets.allSatisfy { $0.isQuery("get") })
        #expect(gets.count == 2)
        for get in gets {
            let id = get.to == FindingItemsTests.a.endpoint ? FindingItemsTests.a.id : FindingItemsTests.b.id
            dialogue.replies(to: get, as: id, "5:token2:tk")
        }
        let puts = dialogue.takeSent()
        #expect(
            puts.map { $0.text.replacing($0.transaction, with: "tran") }
                == [
                    String
                ](
                    repeating:
                        "d1:ad2:id20:\(Dialogue.ownID.wireText)1:k32:\(text(seal.key.bytes))4:salt6:foobar3:seqi4e"
                        + "3:sig64:\(text(seal.signature.bytes))5:token2:tk1:vi4ee1:q3:put1:t4:tran1:v4:sw\u{0}\u{1}1:y1:qe",
                    count: 2
                )
        )
        for put in puts {
            dialogue.replies(
                to: put,
                as: put.to == FindingItemsTests.a.endpoint ? FindingItemsTests.a.id : FindingItemsTests.b.id
            )
        }
        let summary = FindingItemsTests.summary(in: dialogue.takeActions(), of: lookup)
        #expect(summary?.storedOn == 2)
        #expect(summary?.refusals == [])
    }

    @Test("cas goes to the nodes that have a version, and their refusals are told with code and text")
    func compareAndSwap() throws {
        var dialogue = FindingItemsTests.dialogue()
        let (held, item) = (try FindingItemsTests.version(3), try FindingItemsTests.version(4))
        let lookup = dialogue.store(item, replacing: 2)
        for get in dialogue.takeSent() {
            let isA = get.to == FindingItemsTests.a.endpoint
            dialogue.replies(
                to: get,
                as: isA ? FindingItemsTests.a.id : FindingItemsTests.b.id,
                FindingItemsTests.reply(isA ? held : nil, isWanted: false)
            )
        }
        let puts = dialogue.takeSent()
        let toA = try #require(FindingItemsTests.queries(puts, to: FindingItemsTests.a, "put").first)
        let toB = try #require(FindingItemsTests.queries(puts, to: FindingItemsTests.b, "put").first)
        #expect(toA.text.hasPrefix("d1:ad3:casi2e2:id20:"))
        #expect(toB.text.hasPrefix("d1:ad2:id20:"))
        dialogue.receives("d1:eli301e9:cas \u{1b}oopse1:t4:\(toA.transaction)1:y1:ee", from: toA.to)
        dialogue.replies(to: toB, as: FindingItemsTests.b.id)
        let summary = FindingItemsTests.summary(in: dialogue.takeActions(), of: lookup)
        #expect(summary?.storedOn == 1)
        #expect(summary?.refusals.map(\.code) == [301])
        #expect(summary?.refusals.map(\.text) == ["cas ?oops"])
        #expect(summary?.refusals.map(\.nodes) == [1])
    }

    @Test("a newer version that turns up is handed on, and the older one is not stored")
    func superseded() throws {
        var dialogue = FindingItemsTests.dialogue()
        let (old, new) = (try FindingItemsTests.version(3), try FindingItemsTests.version(4))
        let lookup = dialogue.store(old)
        for get in dialogue.takeSent() {
            let isA = get.to == FindingItemsTests.a.endpoint
            dialogue.replies(
                to: get,
                as: isA ? FindingItemsTests.a.id : FindingItemsTests.b.id,
                FindingItemsTests.reply(isA ? new : nil)
            )
        }
        #expect(dialogue.takeSent() == [])
        let actions = dialogue.takeActions()
        #expect(FindingItemsTests.found(in: actions) == [new])
        let summary = FindingItemsTests.summary(in: actions, of: lookup)
        #expect(summary?.storedOn == 0)
        #expect(summary?.refusals.map(\.code) == [302])
    }

    @Test("a reader brings a node up to date that has an older version, and no node that has none")
    func repair() throws {
        var dialogue = FindingItemsTests.dialogue()
        let (old, new) = (try FindingItemsTests.version(3), try FindingItemsTests.version(4))
        let third = Contact(NodeID(0x80), .at("20.0.3.1:6881"))
        dialogue.meets([third])
        _ = dialogue.takeSent()
        let lookup = dialogue.findItem(old.target)
        let held = [FindingItemsTests.a: old, FindingItemsTests.b: new]
        for get in dialogue.takeSent() {
            let contact = [FindingItemsTests.a, FindingItemsTests.b, third].first { $0.endpoint == get.to }
            guard let contact else { continue }
            dialogue.replies(to: get, as: contact.id, FindingItemsTests.reply(held[contact]))
        }
        let puts = dialogue.takeSent()
        #expect(puts.map(\.to) == [FindingItemsTests.a.endpoint])
        #expect(puts.first?.text.contains("3:seqi4e") == true)
        dialogue.replies(to: try #require(puts.first), as: FindingItemsTests.a.id)
        let summary = FindingItemsTests.summary(in: dialogue.takeActions(), of: lookup)
        #expect(summary?.storedOn == 1)
    }
}
