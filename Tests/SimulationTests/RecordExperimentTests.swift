import Primitives
import Simulation
import Testing

/// What `shoal-bench swarm records` measures at size, with forty peers.
@Suite("Records in a swarm")
struct RecordExperimentTests {
    private func plan(fetchers: Int, seed: UInt64) -> RecordExperiment.Plan {
        var plan = RecordExperiment.Plan()
        plan.peers = 40
        plan.pieces = 120
        plan.pieceLength = 32 << 10
        plan.upRate = 64_000
        plan.fetchers = fetchers
        plan.meeting.connections = 6
        plan.meeting.incoming = 4
        plan.meeting.namedByLookup = 10
        plan.limit = .seconds(1200)
        plan.seed = seed
        return plan
    }

    private func result(
        _ plan: RecordExperiment.Plan,
        records: Bool,
        lie: RecordExperiment.Lie? = nil
    ) -> RecordExperiment.Result {
        var plan = plan
        plan.meeting.records = records ? .init() : nil
        plan.liars = lie == nil ? 0 : 0.2
        plan.lie = lie ?? .everything
        return RecordExperiment.run(plan)
    }

    @Test("a lone fetcher finds the holders of rare pieces sooner by records, by lying ones too")
    func lone() {
        var sums = (without: Duration.zero, with: Duration.zero, everything: Duration.zero, rare: Duration.zero)
        for seed in 1...6 as ClosedRange<UInt64> {
            let plan = plan(fetchers: 1, seed: seed)
            sums.without += result(plan, records: false).times.first ?? plan.limit
            sums.with += result(plan, records: true).times.first ?? plan.limit
            sums.everything += result(plan, records: true, lie: .everything).times.first ?? plan.limit
            sums.rare += result(plan, records: true, lie: .rare).times.first ?? plan.limit
        }
        #expect(sums.with < sums.without * 0.8)
        #expect(sums.everything < sums.without)
        #expect(sums.rare < sums.without)
    }

    @Test("where all fetch from each other records cost nothing, whatever they say", arguments: [1, 2] as [UInt64])
    func everybody(seed: UInt64) {
        let plan = plan(fetchers: 40, seed: seed)
        let without = result(plan, records: false)
        let last = without.times.last ?? plan.limit
        #expect(without.times.count == 40)
        for lie in [nil, .everything, .rare] as [RecordExperiment.Lie?] {
            let with = result(plan, records: true, lie: lie)
            #expect(with.times.count == 40)
            #expect(with.times.last.map { $0 < last * 1.15 } == true)
        }
    }

    @Test("liars are found out")
    func liars() {
        let counts = result(plan(fetchers: 1, seed: 1), records: true, lie: .everything).outcome.meetings
        #expect(counts.liesFound > 0)
        #expect(counts.dialsByRecord > 0 && counts.dialsByChance > 0)
    }

    @Test("the same seed gives the same trace, with records and without", arguments: [true, false])
    func trace(records: Bool) {
        let plan = plan(fetchers: 4, seed: 9)
        #expect(result(plan, records: records) == result(plan, records: records))
    }

    @Test("slots are kept to: nobody who is full takes one more")
    func slots() {
        var plan = plan(fetchers: 40, seed: 3)
        plan.limit = .seconds(60)
        let outcome = result(plan, records: true).outcome
        #expect(outcome.mostLinks <= plan.meeting.connections)
        #expect(outcome.meetings.refused > 0)
    }
}
