import Kademlia
import Primitives
import Simulation
import Testing

@Suite("A network of DHT nodes")
struct DHTSimulationTests {
    static let infoHash = InfoHash(
        UInt160(high: 0x0123_4567_89ab_cdef, middle: 0xfedc_ba98_7654_3210, low: 0xc0ff_ee00)
    )

    static func network(seed: UInt64, nodes: Int = 200, lossPerMille: Int = 0) -> DHTSimulation {
        var configuration = DHTSimulation.Configuration(seed: seed)
        configuration.nodes = nodes
        configuration.conditions.lossPerMille = lossPerMille
        return DHTSimulation(configuration)
    }

    /// One node announces, twenty look for it; returns how many found it.
    static func announceAndFind(in network: inout DHTSimulation) -> (found: Int, lookups: Int, announcedTo: Int) {
        network.run(for: .seconds(40))
        let announce = network.findPeers(of: infoHash, from: 17, announcing: 4000)
        network.run(for: .seconds(10))
        let seekers = (1...20).map { $0 * 9 }
        let lookups = seekers.map { ($0, network.findPeers(of: infoHash, from: $0)) }
        network.run(for: .seconds(10))
        let peer = Endpoint(DHTSimulation.endpoint(of: 17).address, 4000)
        let found = lookups.count { network.findings(of: $0.0).peers[$0.1] == [peer] }
        let announcedTo = network.findings(of: 17).summaries[announce]?.storedOn ?? 0
        return (found, lookups.count, announcedTo)
    }

    @Test("of 200 finds every announced peer, and runs the same way twice", arguments: [1] as [UInt64])
    func findsAndRepeats(seed: UInt64) {
        var first = DHTSimulationTests.network(seed: seed)
        var second = DHTSimulationTests.network(seed: seed)

        let result = DHTSimulationTests.announceAndFind(in: &first)
        _ = DHTSimulationTests.announceAndFind(in: &second)

        #expect(result == (found: 20, lookups: 20, announcedTo: 8))
        #expect(first.trace == second.trace)
        #expect(first.network.datagramsCarried == second.network.datagramsCarried)
    }

    @Test("takes another course from another seed")
    func differsBySeed() {
        var first = DHTSimulationTests.network(seed: 1, nodes: 20)
        var second = DHTSimulationTests.network(seed: 2, nodes: 20)
        first.run(for: .seconds(5))
        second.run(for: .seconds(5))
        #expect(first.trace != second.trace)
    }

    @Test("finds every announced peer though one datagram in twenty is lost", arguments: [3] as [UInt64])
    func survivesLoss(seed: UInt64) {
        var network = DHTSimulationTests.network(seed: seed, lossPerMille: 50)
        let result = DHTSimulationTests.announceAndFind(in: &network)
        #expect(result.found == 20)
        #expect(result.announcedTo >= 4)
        #expect(network.network.datagramsLost > 0)
    }

    @Test("stores with the nodes that are in truth the closest")
    func storesWithTheClosest() {
        var network = DHTSimulationTests.network(seed: 5)
        network.run(for: .seconds(40))
        let lookup = network.findPeers(of: DHTSimulationTests.infoHash, from: 3, announcing: 4000)
        network.run(for: .seconds(10))
        let target = NodeID(DHTSimulationTests.infoHash)
        let others = (0..<network.count).filter { $0 != 3 }.map { network.id(of: $0) }
        let closest = others.sorted { $0.isCloser(to: target, than: $1) }.prefix(8)
        #expect(network.findings(of: 3).summaries[lookup]?.closest.map(\.id) == Array(closest))
    }

    @Test("finds any node by its identifier in a few steps")
    func findsNodes() {
        var network = DHTSimulationTests.network(seed: 6)
        network.run(for: .seconds(40))
        let pairs = (0..<20).map { (from: $0 * 7 + 1, to: 199 - $0 * 5) }
        let lookups = pairs.map { network.findNode(closestTo: network.id(of: $0.to), from: $0.from) }
        network.run(for: .seconds(10))
        for (pair, lookup) in zip(pairs, lookups) {
            let summary = network.findings(of: pair.from).summaries[lookup]
            #expect(summary?.closest.first?.id == network.id(of: pair.to))
            #expect(summary.map { $0.hops <= 5 } == true)
        }
    }

    @Test("goes on when a fifth of the nodes vanish at once")
    func survivesDeparture() {
        var network = DHTSimulationTests.network(seed: 8)
        network.run(for: .seconds(40))
        _ = network.findPeers(of: DHTSimulationTests.infoHash, from: 17, announcing: 4000)
        network.run(for: .seconds(10))
        for index in stride(from: 0, to: 200, by: 5) {
            network.network.setPlugged(false, DHTSimulation.endpoint(of: index).address)
        }
        let lookups = [11, 33, 77, 141, 199].map { ($0, network.findPeers(of: DHTSimulationTests.infoHash, from: $0)) }
        network.run(for: .seconds(10))
        #expect(lookups.allSatisfy { network.findings(of: $0.0).peers[$0.1]?.count == 1 })
    }

    @Test("comes together again after everybody was cut off for half an hour")
    func survivesSilence() {
        var network = DHTSimulationTests.network(seed: 9, nodes: 30)
        network.run(for: .seconds(20))
        for index in 0..<30 { network.network.setPlugged(false, DHTSimulation.endpoint(of: index).address) }
        network.run(for: .seconds(1800))
        #expect(network.findings(of: 5).bootstrapFailures.count > 1)
        for index in 0..<30 { network.network.setPlugged(true, DHTSimulation.endpoint(of: index).address) }
        network.run(for: .seconds(600))
        let target = network.id(of: 23)
        let lookup = network.findNode(closestTo: target, from: 5)
        network.run(for: .seconds(10))
        #expect(network.findings(of: 5).summaries[lookup]?.closest.first?.id == target)
    }

    @Test("answers a node that has only just started within a few round trips")
    func startsFast() {
        var network = DHTSimulationTests.network(seed: 11, nodes: 20)
        network.run(for: .milliseconds(300))
        _ = network.findPeers(of: DHTSimulationTests.infoHash, from: 3, announcing: 4000)
        // Node 19 starts at 950 ms and looks for the peer at once, before it has joined.
        network.run(for: .milliseconds(650))
        let began = network.now
        let lookup = network.findPeers(of: DHTSimulationTests.infoHash, from: 19)
        network.run(for: .seconds(5))
        let found = network.findings(of: 19).peersAt[lookup]?.first
        #expect(found.map { $0 - began < .milliseconds(400) } == true)
    }
}
