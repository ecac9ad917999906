import Primitives
import Testing

@testable import Kademlia

@Suite("An eclipsed key (D15)")
struct EclipseTests {
    /// A node of a network of 2^20 nodes, as far as it knows, with one acquaintance.
    static func joined(knowing contact: Contact) -> Dialogue {
        var dialogue = LookupTests.joined(knowing: contact)
        dialogue.node.size = NetworkSize(limits: SharedLimits(), believing: 1 << 20)
        return dialogue
    }

    /// Nodes far nearer to the target than one of a million should be, in networks of their own.
    static let sybils = (1...8).map {
        Contact(NodeID(0x80, 0, last: UInt32($0)), Endpoint(.v4(0x1e00_0001 + UInt32($0) << 8), 6881))
    }

    /// One node in every fourth shell of the region, and so beyond all Sybils.
    static let honest = (0..<5).map { index in
        let distance = UInt160(high: UInt64.max >> 20 * UInt64(4 * index + 2), middle: 0, low: 0)
        let address = IPAddress.v4(0x3200_0001 + UInt32(index) << 8)
        return Contact(NodeID(LookupTests.target.value ^ distance), Endpoint(address, 6881))
    }

    static func alarms(in actions: [DHTAction]) -> Int {
        actions.count { if case .eclipseSuspected = $0 { true } else { false } }
    }

    /// Lets all nodes answer until nobody is asked any more: those of `sybils` name each other, others all that there is.
    static func answerAll(_ dialogue: inout Dialogue, honest: [Contact], sybils: [Contact], isSilent: Bool = false) {
        var queries = dialogue.takeSent().filter(\.isQuery)
        while !queries.isEmpty {
            for query in queries {
                if sybils.contains(where: { $0.endpoint == query.to }), isSilent { continue }
                guard let node = (honest + sybils).first(where: { $0.endpoint == query.to }) else { continue }
                let named = sybils.contains(node) ? sybils : Array((sybils + honest).prefix(20))
                dialogue.replies(to: query, as: node.id, "\(LookupTests.nodes(named))5:token3:abc")
            }
            queries = dialogue.takeSent().filter(\.isQuery)
            if queries.isEmpty, isSilent {
                dialogue.passes(.seconds(1))
                queries = dialogue.takeSent().filter(\.isQuery)
            }
        }
    }

    @Test("raises the alarm once, and asks nodes that a search for the nearest would not", arguments: [false, true])
    func alarm(isSilent: Bool) {
        let friend = LookupTests.node(200)
        let honest = EclipseTests.honest
        var dialogue = EclipseTests.joined(knowing: friend)
        _ = dialogue.findPeers(of: LookupTests.infoHash, announcing: 4000)
        var asked: Set<Endpoint> = []
        var given: Set<Endpoint> = []
        var alarms = 0
        var summary: LookupSummary?
        for _ in 0..<40 where summary == nil {
            for query in dialogue.takeSent() where query.isQuery {
                let isSybil = EclipseTests.sybils.contains { $0.endpoint == query.to }
                if query.isQuery("announce_peer") { given.insert(query.to) } else { asked.insert(query.to) }
                guard let node = ([friend] + honest + EclipseTests.sybils).first(where: { $0.endpoint == query.to })
                else { continue }
                if isSybil, isSilent { continue }
                let named = isSybil ? EclipseTests.sybils : EclipseTests.sybils + honest
                dialogue.replies(to: query, as: node.id, "\(LookupTests.nodes(named))5:token3:abc")
            }
            dialogue.passes(.milliseconds(500))
            let actions = dialogue.takeActions()
            alarms += EclipseTests.alarms(in: actions)
            summary = summary ?? LookupTests.summary(in: actions)
        }
        #expect(alarms == 1)
        #expect(dialogue.node.statistics.eclipsesSuspected == 1)
        #expect(asked.isSuperset(of: honest.map(\.endpoint)))
        #expect(given.isSuperset(of: honest.map(\.endpoint)))
        #expect(given.count <= DHTLimits().storesPerValue)
        #expect(summary != nil)
    }

    @Test("is searched from the table too, whatever the first search found, and nobody is asked the same twice (D15)")
    func disjointBeginnings() {
        // Those nearest to the target lie. Whoever could help lives far away, and takes no part in the search before.
        let liars = (100...115).map { LookupTests.node(UInt8($0)) }
        let helpers = (1...8).map { Contact(NodeID(0x10, UInt8($0)), .at("60.0.\($0).1:6881")) }
        let honest = EclipseTests.honest
        var dialogue = EclipseTests.joined(knowing: liars[0])
        dialogue.meets(liars + helpers)
        dialogue.node.size = NetworkSize(limits: SharedLimits(), believing: 1 << 20)
        _ = dialogue.takeSent()
        _ = dialogue.findPeers(of: LookupTests.infoHash, announcing: 4000)
        var asked: [Endpoint: [String]] = [:]
        for _ in 0..<40 {
            for query in dialogue.takeSent() where query.isQuery {
                asked[query.to, default: []].append(query.text.replacing("1:t4:" + query.transaction, with: ""))
                guard
                    let node = (liars + helpers + honest + EclipseTests.sybils).first(where: { $0.endpoint == query.to }
                    )
                else { continue }
                let named = helpers.contains(node) || honest.contains(node) ? honest : EclipseTests.sybils
                dialogue.replies(to: query, as: node.id, "\(LookupTests.nodes(named))5:token3:abc")
            }
            dialogue.passes(.milliseconds(200))
        }
        #expect(EclipseTests.alarms(in: dialogue.takeActions()) == 1)
        #expect(asked.values.allSatisfy { Set($0).count == $0.count })
        let given = asked.filter { $0.value.contains { $0.contains("13:announce_peer") } }
        #expect(honest.allSatisfy { given.keys.contains($0.endpoint) })
    }

    @Test("is not suspected where eight near nodes are of one /24, nor before the size of the network is known")
    func noAlarm() {
        let friend = LookupTests.node(200)
        let crowd = (1...8).map { Contact(NodeID(0x80, 0, last: UInt32($0)), .at("30.0.0.\($0):6881")) }
        var dialogue = EclipseTests.joined(knowing: friend)
        _ = dialogue.findPeers(of: LookupTests.infoHash)
        EclipseTests.answerAll(&dialogue, honest: [friend], sybils: crowd)
        dialogue.passes(.seconds(5))
        #expect(EclipseTests.alarms(in: dialogue.takeActions()) == 0)

        var young = LookupTests.joined(knowing: friend)
        _ = young.findPeers(of: LookupTests.infoHash)
        EclipseTests.answerAll(&young, honest: [friend], sybils: EclipseTests.sybils)
        young.passes(.seconds(5))
        #expect(EclipseTests.alarms(in: young.takeActions()) == 0)
    }
}
