import Kademlia
import Primitives
import Simulation
import Testing

@Suite("A network with hostile nodes")
struct HostileTests {
    static func plan(values: Int, lookups: Int) -> LookupExperiment.Plan {
        var plan = LookupExperiment.Plan()
        plan.values = values
        plan.lookups = lookups
        plan.judged = 0
        plan.storing = .seconds(10)
        plan.looking = .seconds(20)
        plan.pause = .seconds(5)
        return plan
    }

    static func network(_ hostility: Hostility, seed: UInt64) -> DHTSimulation.Configuration {
        var configuration = DHTSimulation.Configuration.internet(nodes: 150, seed: seed)
        configuration.hostility = hostility
        return configuration
    }

    @Test(
        "finds what was stored though a fifth of all nodes name each other and drop what they are given",
        arguments: Hostility.Conduct.allCases,
        [1] as [UInt64]
    )
    func fifth(conduct: Hostility.Conduct, seed: UInt64) {
        var hostility = Hostility()
        hostility.conduct = conduct
        hostility.percent = 20
        let result = LookupExperiment.run(
            HostileTests.plan(values: 5, lookups: 40),
            in: HostileTests.network(hostility, seed: seed)
        )
        #expect(result.records.count >= 36)
        #expect(result.records.count { $0.valueAfter == nil } <= 1)
        #expect(result.honestCopies.allSatisfy { $0 > 0 })
    }

    @Test(
        "finds what was stored under a key with 200 Sybils beside it, and says that it is surrounded (D15)",
        arguments: Hostility.Conduct.allCases,
        [1] as [UInt64]
    )
    func surrounded(conduct: Hostility.Conduct, seed: UInt64) {
        var hostility = Hostility()
        hostility.conduct = conduct
        let sybils = Hostility.Sybils(seed: seed)
        hostility.sybils = sybils
        var plan = HostileTests.plan(values: 1, lookups: 8)
        plan.keys = [sybils.key]
        let result = LookupExperiment.run(plan, in: HostileTests.network(hostility, seed: seed))
        #expect(result.records.count >= 6)
        #expect(result.records.allSatisfy { $0.valueAfter != nil })
        #expect(result.honestCopies.allSatisfy { $0 >= 4 })
        #expect(result.eclipsesSuspected >= result.records.count)
    }
}
