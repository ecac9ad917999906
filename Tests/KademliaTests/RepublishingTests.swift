import Cryptography
import Kademlia
import Primitives
import Testing

@Suite("Keeping items alive")
struct RepublishingTests {
    static let a = FindingItemsTests.a
    static let putter = Endpoint.at("20.0.0.5:6881")

    /// Lets time pass in steps, while `a` answers every query; what it was asked to store is returned.
    static func puts(to dialogue: inout Dialogue, during duration: Duration, holding: String = "") -> [String] {
        var puts: [String] = []
        let end = dialogue.now + duration
        while dialogue.now < end {
            dialogue.passes(.seconds(10))
            var queries = dialogue.takeSent().filter { $0.to == a.endpoint && $0.isQuery }
            while let query = queries.popLast() {
                if query.isQuery("put") { puts.append(query.text) }
                dialogue.replies(to: query, as: a.id, query.isQuery("get") ? holding + "5:token2:tk" : "")
                queries += dialogue.takeSent().filter { $0.to == a.endpoint && $0.isQuery }
            }
        }
        return puts
    }

    static func dialogue(_ limits: DHTLimits = DHTLimits()) -> Dialogue {
        var dialogue = Dialogue(limits: limits)
        dialogue.start()
        dialogue.meets([a])
        return dialogue
    }

    /// The age in seconds that a `put` tells.
    static func age(in put: String?) -> Int? {
        guard let put, let start = put.firstRange(of: "3:agei") else { return nil }
        return Int(put[start.upperBound...].prefix { $0.isNumber })
    }

    @Test("a holder publishes an item again after 45 to 65 minutes, and says how old it is")
    func republishes() throws {
        var dialogue = RepublishingTests.dialogue()
        let item = try StoringItemsTests.version(4, salt: "foobar")
        _ = dialogue.put(item, from: RepublishingTests.putter)
        #expect(RepublishingTests.puts(to: &dialogue, during: .seconds(45 * 60 - 20)) == [])
        let puts = RepublishingTests.puts(to: &dialogue, during: .seconds(20 * 60 + 60))
        #expect(puts.count == 1)
        #expect(puts.first?.contains("4:salt6:foobar3:seqi4e") == true)
        #expect((2700...3960).contains(RepublishingTests.age(in: puts.first) ?? 0))
    }

    @Test("one that somebody else put meanwhile is left alone for as long again")
    func restarts() throws {
        var dialogue = RepublishingTests.dialogue()
        let item = try Item(immutable: wire("5:hello"))
        _ = dialogue.put(item, from: RepublishingTests.putter)
        for _ in 0..<4 {
            #expect(RepublishingTests.puts(to: &dialogue, during: .seconds(44 * 60)) == [])
            _ = dialogue.put(item, from: .at("20.0.0.6:6881")) { $0.age = "3:agei2400e" }
        }
    }

    @Test("it ends 26 hours after a publisher last wanted it, whatever its holders tell each other", arguments: [0, 1])
    func horizon(renewals: Int) throws {
        var dialogue = RepublishingTests.dialogue()
        let item = try Item(immutable: wire("5:hello"))
        _ = dialogue.put(item, from: RepublishingTests.putter)
        var hours = 0
        for _ in 0..<renewals {
            _ = RepublishingTests.puts(to: &dialogue, during: .seconds(12 * 3600))
            hours += 12
            // One without an age is a publisher's word.
            _ = dialogue.put(item, from: RepublishingTests.putter)
        }
        while dialogue.node.storedItem(at: item.target) != nil, hours < 60 {
            _ = RepublishingTests.puts(to: &dialogue, during: .seconds(3600))
            hours += 1
            // The other holder says that it is as old as it is.
            let age = (hours - renewals * 12) * 3600
            let isPut = age < 26 * 3600 && dialogue.node.storedItem(at: item.target) != nil
            if isPut { _ = dialogue.put(item, from: .at("20.0.0.6:6881")) { $0.age = "3:agei\(age)e" } }
        }
        #expect((26...29).contains(hours - renewals * 12))
    }

    @Test("a newer version that it meets is taken, and published in place of its own")
    func adopts() throws {
        var dialogue = RepublishingTests.dialogue()
        let (old, new) = (try StoringItemsTests.version(4), try StoringItemsTests.version(5))
        _ = dialogue.put(old, from: RepublishingTests.putter)
        let held = FindingItemsTests.reply(new, token: false)
        let puts = RepublishingTests.puts(to: &dialogue, during: .seconds(66 * 60), holding: held)
        #expect(puts.allSatisfy { $0.contains("3:seqi5e") })
        #expect(puts.count == 1)
        #expect(dialogue.node.storedItem(at: old.target) == new)
    }

    @Test("an item of our own is published again for as long as we are there, as ours, until it is withdrawn")
    func own() throws {
        var dialogue = RepublishingTests.dialogue()
        let item = try StoringItemsTests.version(4)
        _ = dialogue.store(item, keeping: true)
        let puts = RepublishingTests.puts(to: &dialogue, during: .seconds(48 * 3600))
        #expect((45...65).contains(puts.count))
        #expect(puts.allSatisfy { RepublishingTests.age(in: $0) == nil })
        dialogue.node.withdraw(item.target)
        #expect(RepublishingTests.puts(to: &dialogue, during: .seconds(4 * 3600)).count <= 1)
        #expect(dialogue.node.storedItem(at: item.target) == nil)
    }
}
