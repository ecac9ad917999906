package import Kademlia
import Primitives

/// Publishes items once, lets hosts come and go, and asks every hour how many of the items can still be had.
package struct PersistenceExperiment {
    package struct Plan: Hashable, Sendable {
        package var items = 2000
        /// Of a hundred items, how many are mutable.
        package var mutablePercent = 10
        /// The publications are spread over this time.
        package var publishing = Duration.seconds(600)
        package var hours = 24
        /// The lookups of one look are spread over this time.
        package var looking = Duration.seconds(300)
        /// How long the last lookup is waited for: longer than any takes.
        package var patience = Duration.seconds(30)

        package init() {}
    }

    /// What one look found.
    package struct Look: Hashable, Sendable {
        /// Since the last publication.
        package let hour: Int
        package let items: Int
        /// Items that the first reader found, and that the first or a second one elsewhere found.
        package let atOnce: Int
        package let found: Int
        /// Hosts that hold an item, over all items.
        package let copies: Int
        package let rarest: Int
    }

    package struct Result: Hashable, Sendable {
        package var looks: [Look] = []
        /// For each item, how many nodes took it when it was published.
        package var stored: [Int] = []
        package var departures = 0
        /// Datagrams of the whole run, queries for upkeep included.
        package var datagrams = 0
        package var trace = TraceHash()
    }

    private let plan: Plan
    private var simulation: DHTSimulation
    private var random: SeededRandom
    private var items: [Item] = []
    private var result = Result()

    /// - Parameters:
    ///   - sign: makes a mutable item of a bencoded value; called with numbers from 0.
    package static func run(
        _ plan: Plan,
        in configuration: DHTSimulation.Configuration,
        signing sign: (Int) throws -> Item
    ) rethrows -> Result {
        var experiment = PersistenceExperiment(plan, DHTSimulation(configuration), seed: ~configuration.seed)
        for number in 0..<plan.items {
            if number % 100 < plan.mutablePercent {
                experiment.items.append(try sign(number))
            } else if let item = try? Item(immutable: Array("i\(number)e".utf8)) {
                experiment.items.append(item)
            }
        }
        experiment.publish()
        let start = experiment.simulation.now
        for hour in 1...max(1, plan.hours) {
            experiment.simulation.run(for: start + .seconds(3600 * hour) - experiment.simulation.now)
            experiment.look(hour)
        }
        return experiment.finish()
    }

    private init(_ plan: Plan, _ simulation: consuming DHTSimulation, seed: UInt64) {
        self.plan = plan
        self.simulation = simulation
        random = SeededRandom(seed: seed)
    }

    private mutating func publish() {
        var publications: [(host: Int, lookup: LookupID)] = []
        for item in items {
            let host = simulation.anyHost(using: &random)
            publications.append((host, simulation.store(item, from: host)))
            simulation.run(for: plan.publishing / max(1, items.count))
        }
        simulation.run(for: plan.patience)
        // A publisher who leaves on the way has published all the same, at as many nodes as it came to.
        for (host, lookup) in publications {
            result.stored.append(simulation.findings(of: host).summaries[lookup]?.storedOn ?? 0)
        }
    }

    private mutating func look(_ hour: Int) {
        let first = read(items.indices)
        let second = read(items.indices.filter { !first.contains($0) })
        let copies = items.map { simulation.holders(of: $0.target) }
        result.looks.append(
            Look(
                hour: hour,
                items: items.count,
                atOnce: first.count,
                found: first.count + second.count,
                copies: copies.reduce(0, +),
                rarest: copies.min() ?? 0
            )
        )
    }

    /// Looks for items, each from any host, and returns those that were found.
    private mutating func read(_ wanted: some Collection<Int>) -> Set<Int> {
        var searches: [(index: Int, host: Int, lookup: LookupID)] = []
        for index in wanted {
            let host = simulation.anyHost(using: &random)
            let salt = items[index].seal?.salt ?? []
            searches.append((index, host, simulation.findItem(items[index].target, salt: salt, from: host)))
            simulation.run(for: plan.looking / max(1, wanted.count))
        }
        if !searches.isEmpty { simulation.run(for: plan.patience) }
        let found = searches.filter { simulation.findings(of: $0.host).items[$0.lookup]?.last == items[$0.index] }
        return Set(found.map(\.index))
    }

    private consuming func finish() -> Result {
        result.departures = simulation.departures
        result.datagrams = simulation.network.datagramsCarried
        result.trace = simulation.trace
        return result
    }
}
