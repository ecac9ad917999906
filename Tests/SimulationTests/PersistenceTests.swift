import Kademlia
import Primitives
import Simulation
import Testing

@Suite("Items that are published once, under churn")
struct PersistenceTests {
    @Test("are all there after three hours, though a holder keeps for two what nobody renews", arguments: [1])
    func republished(seed: UInt64) throws {
        var plan = PersistenceExperiment.Plan()
        plan.items = 10
        plan.mutablePercent = 0
        plan.publishing = .seconds(20)
        plan.hours = 3
        plan.looking = .seconds(20)
        let configuration = DHTSimulation.Configuration.internet(nodes: 40, seed: seed)
        let result = try PersistenceExperiment.run(plan, in: configuration) {
            try Item(immutable: Array("i\($0)e".utf8))
        }
        #expect(result.looks.map(\.found) == [10, 10, 10])
        #expect(result.departures > 15)
        #expect((result.looks.last?.rarest ?? 0) >= 4)
    }
}
