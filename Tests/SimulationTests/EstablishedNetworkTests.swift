import Kademlia
import Primitives
import Simulation
import Testing

@Suite("An established network")
struct EstablishedNetworkTests {
    private static func network(nodes: Int, seed: UInt64) -> DHTSimulation {
        DHTSimulation(.internet(nodes: nodes, seed: seed))
    }

    /// Ghosts live from 180.0.0.0 on.
    private static func isDead(_ contact: Contact) -> Bool {
        guard case .v4(let bits) = contact.endpoint.address else { return false }
        return bits >= 180 << 24
    }

    @Test("knows what has left: 15 of 100 entries; and of hosts behind address translation no more than these")
    func entries() {
        let network = EstablishedNetworkTests.network(nodes: 400, seed: 1)
        var dead = 0
        var translated = 0
        var all = 0
        for index in 0..<400 {
            for contact in network.contacts(of: index) {
                all += 1
                if EstablishedNetworkTests.isDead(contact) { dead += 1 }
            }
        }
        for index in 0..<400 where network.isTranslated(index) { translated += 1 }
        #expect(abs(dead * 1000 / all - 150) < 20)
        #expect(abs(translated - 120) < 30)
        // A node of a small network knows nearly everybody that is known at all.
        #expect((200...400).contains(all / 400))
    }

    @Test("runs the same way twice, and another way from another seed")
    func repeats() {
        let traces = [2, 2, 3].map { (seed: UInt64) in
            var network = EstablishedNetworkTests.network(nodes: 100, seed: seed)
            network.run(for: .seconds(60))
            _ = network.findNode(closestTo: network.id(of: 70), from: 10)
            network.run(for: .seconds(10))
            return network.trace
        }
        #expect(traces[0] == traces[1])
        #expect(traces[0] != traces[2])
    }

    @Test("a host behind address translation answers whom it asked, and no stranger")
    func translation() throws {
        var configuration = DHTSimulation.Configuration.internet(nodes: 40, seed: 4)
        configuration.conditions.lossPerMille = 0
        configuration.sessions = nil
        // A node that takes the hint of BEP 43 would keep silent.
        configuration.limits.serving = .always
        var network = DHTSimulation(configuration)
        let hidden = try #require((0..<40).first { network.isTranslated($0) })
        // Nobody has sent anything yet, so everybody is a stranger.
        let stranger = 0
        let inside = DHTSimulation.endpoint(of: hidden)

        let refused = network.ping(inside, from: stranger)
        network.run(for: .seconds(5))
        #expect(network.findings(of: stranger).failedPings.contains(refused))

        let outgoing = network.ping(DHTSimulation.endpoint(of: stranger), from: hidden)
        network.run(for: .seconds(5))
        #expect(network.findings(of: hidden).pongs[outgoing] == network.id(of: stranger))

        let admitted = network.ping(inside, from: stranger)
        network.run(for: .seconds(5))
        #expect(network.findings(of: stranger).pongs[admitted] == network.id(of: hidden))
    }

    @Test("hosts leave and newcomers find their way in", arguments: [5] as [UInt64])
    func churn(seed: UInt64) {
        var network = EstablishedNetworkTests.network(nodes: 40, seed: seed)
        network.run(for: .seconds(3600))
        // A departure each 4.12 hours and host.
        #expect((3...30).contains(network.departures))
        #expect(network.count == 40 + network.departures)
        let newcomers = (40..<network.count).filter { network.isPresent($0) }
        #expect(newcomers.allSatisfy { network.contacts(of: $0).count > 10 })
        #expect((0..<network.count).count { network.isPresent($0) } == 40)
    }

    @Test("of 1000 finds what was stored, soon and with few queries", arguments: [6] as [UInt64])
    func lookups(seed: UInt64) {
        var plan = LookupExperiment.Plan()
        plan.values = 20
        plan.lookups = 100
        plan.storing = .seconds(2)
        plan.pause = .zero
        plan.looking = .seconds(4)
        plan.patience = .seconds(8)
        var configuration = DHTSimulation.Configuration.internet(nodes: 1000, seed: seed)
        // Larger buckets would let everybody know half of so small a network.
        configuration.limits.farthestBucketSize = 16
        let result = LookupExperiment.run(plan, in: configuration)

        #expect(result.records.count + result.interrupted >= 100)
        #expect(result.records.allSatisfy { $0.valueAfter != nil && $0.completeAfter != nil })
        let values = result.records.compactMap(\.valueAfter).sorted()
        #expect(values[values.count / 2] < .milliseconds(240))
        #expect((values.last ?? .seconds(9)) < .milliseconds(1500))
        #expect(result.records.reduce(0) { $0 + $1.queries } < 45 * result.records.count)
        #expect(result.records.allSatisfy { (1...6).contains($0.hops) })
        #expect(result.copies.allSatisfy { $0 >= 4 })
    }
}
