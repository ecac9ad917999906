import Kademlia
import Primitives
import Simulation
import Testing

@Suite("Hosts with IPv4, with IPv6, and with both (BEP 32)")
struct DualStackSimulationTests {
    static let infoHash = InfoHash(UInt160(high: 0x3333_3333_3333_3333, middle: 3, low: 3))
    /// The first host has both, then every third.
    static let plans = (0..<36).map { index in
        let families: [Set<AddressFamily>] = [[.v4, .v6], [.v4], [.v6]]
        return DualStackSimulation.Plan(families[index % 3], knowing: [.v4, .v6])
    }

    @Test("peers of each family are found by all who share it with them, and by no others", arguments: [1, 2, 3])
    func mixed(seed: UInt64) {
        var simulation = DualStackSimulation(DualStackSimulationTests.plans, seed: seed)
        simulation.run(for: .seconds(60))
        let (dual, onlyV4, onlyV6) = (3, 4, 5)
        for host in [dual, onlyV4, onlyV6] {
            _ = simulation.findPeers(of: DualStackSimulationTests.infoHash, from: host, announcing: 7000)
            simulation.run(for: .seconds(10))
        }
        let v4 = Set([dual, onlyV4].map { Endpoint(DualStackSimulation.endpoint(of: $0, .v4).address, 7000) })
        let v6 = Set([dual, onlyV6].map { Endpoint(DualStackSimulation.endpoint(of: $0, .v6).address, 7000) })
        for (asker, expected) in [(30, v4.union(v6)), (31, v4), (32, v6)] {
            let lookup = simulation.findPeers(of: DualStackSimulationTests.infoHash, from: asker)
            simulation.run(for: .seconds(10))
            #expect(simulation.peers(of: asker, lookup) == expected)
            #expect(simulation.summary(of: asker, lookup)?.outcome == .complete)
        }
        #expect(simulation.datagramsAstray == 0)
        #expect(simulation.datagramsSent > 1000)
    }

    @Test("who knows the network over one family finds it over the other as well", arguments: AddressFamily.allCases)
    func leak(family: AddressFamily) {
        let plans = (0..<20).map { index in
            DualStackSimulation.Plan([.v4, .v6], knowing: index % 2 == 0 ? [.v4, .v6] : [family])
        }
        var simulation = DualStackSimulation(plans, seed: 7)
        simulation.run(for: .seconds(120))
        for index in stride(from: 1, to: 20, by: 2) {
            #expect(simulation.contacts(of: index, family.other).count >= 8)
            #expect(simulation.contacts(of: index, family.other).allSatisfy { $0.endpoint.address.family != family })
        }
    }
}
