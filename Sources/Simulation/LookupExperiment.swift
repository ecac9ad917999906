import Kademlia
package import Primitives

/// Stores values in a simulated network, looks for them from anywhere, and writes down how that went.
///
/// Every value is announced by one host and looked for by others, each chosen by chance among those that are there, behind
/// address translation or not. Churn goes on all the while.
package struct LookupExperiment {
    package struct Plan: Hashable, Sendable {
        package var values = 1000
        package var lookups = 10_000
        /// The announcements are spread over this time, and the lookups over that one.
        package var storing = Duration.seconds(30)
        package var looking = Duration.seconds(60)
        /// Between the last announcement and the first lookup.
        package var pause = Duration.seconds(15)
        /// How long the last announcement and the last lookup are waited for: longer than any takes.
        package var patience = Duration.seconds(15)
        /// Of how many lookups the result is compared with the truth, which takes a look at every host.
        package var judged = 500
        /// What the values are stored under, in turn; random keys where there are none.
        package var keys: [InfoHash] = []

        package init() {}
    }

    /// What one lookup came to.
    package struct Record: Hashable, Sendable {
        /// From the command to the moment when the announced peer was handed on; `nil` when it never was.
        package var valueAfter: Duration?
        /// From the command until the lookup said that it was over; `nil` when it did not.
        package var completeAfter: Duration?
        package var queries = 0
        package var hops = 0
        /// How many of the eight reachable nodes that in truth are closest have answered; `nil` where not compared.
        package var closestFound: Int?
    }

    package struct Result: Hashable, Sendable {
        package var records: [Record] = []
        /// Lookups and announcements whose host left before their end; they are in no other figure.
        package var interrupted = 0
        /// For each announcement, how many nodes confirmed it and how long that took.
        package var copies: [Int] = []
        /// For each announcement in a network with hostile nodes, how many honest ones then have the value.
        package var honestCopies: [Int] = []
        package var eclipsesSuspected = 0
        package var storedAfter: [Duration] = []
        package var datagrams = 0
        package var departures = 0
        package var trace = TraceHash()

        package init() {}
    }

    private struct Search {
        let host: Int
        let lookup: LookupID
        let value: Int
        let beganAt: Instant
        let closest: [NodeID]?
    }

    private let plan: Plan
    private var simulation: DHTSimulation
    private var random: SeededRandom
    private var result = Result()
    private var values: [(infoHash: InfoHash, peer: Endpoint)] = []

    package static func run(_ plan: Plan, in configuration: DHTSimulation.Configuration) -> Result {
        var experiment = LookupExperiment(plan, DHTSimulation(configuration), seed: ~configuration.seed)
        experiment.store()
        experiment.simulation.run(for: plan.pause)
        experiment.look()
        return experiment.finish()
    }

    private init(_ plan: Plan, _ simulation: consuming DHTSimulation, seed: UInt64) {
        self.plan = plan
        self.simulation = simulation
        random = SeededRandom(seed: seed)
    }

    private mutating func store() {
        var announcements: [(host: Int, lookup: LookupID, beganAt: Instant)] = []
        for number in 0..<plan.values {
            let host = simulation.anyHost(using: &random)
            let infoHash =
                plan.keys.isEmpty ? InfoHash(.random(using: &random)) : plan.keys[number % plan.keys.count]
            let port = UInt16.random(in: 1024...65_535, using: &random)
            values.append((infoHash, Endpoint(DHTSimulation.endpoint(of: host).address, port)))
            let lookup = simulation.findPeers(of: infoHash, from: host, announcing: port)
            announcements.append((host, lookup, simulation.now))
            simulation.run(for: plan.storing / max(1, plan.values))
        }
        simulation.run(for: plan.patience)
        let isAttacked = simulation.configuration.hostility != nil
        for (announcement, value) in zip(announcements, values) {
            let findings = simulation.findings(of: announcement.host)
            guard let summary = findings.summaries[announcement.lookup],
                let finishedAt = findings.finishedAt[announcement.lookup]
            else {
                result.interrupted += 1
                continue
            }
            result.copies.append(summary.storedOn)
            result.storedAfter.append(finishedAt - announcement.beganAt)
            if isAttacked { result.honestCopies.append(honestCopies(of: value)) }
        }
    }

    private mutating func look() {
        guard !values.isEmpty else { return }
        var searches: [Search] = []
        for number in 0..<plan.lookups {
            let value = Int.random(in: values.indices, using: &random)
            var host = simulation.anyHost(using: &random)
            // The announcer knows already.
            while DHTSimulation.endpoint(of: host).address == values[value].peer.address {
                host = simulation.anyHost(using: &random)
            }
            let target = NodeID(values[value].infoHash)
            let closest = number < plan.judged ? simulation.reachableNodes(closestTo: target, atMost: 8) : nil
            let lookup = simulation.findPeers(of: values[value].infoHash, from: host)
            searches.append(
                Search(host: host, lookup: lookup, value: value, beganAt: simulation.now, closest: closest)
            )
            simulation.run(for: plan.looking / max(1, plan.lookups))
        }
        simulation.run(for: plan.patience)
        for search in searches { record(search) }
    }

    private mutating func record(_ search: Search) {
        let findings = simulation.findings(of: search.host)
        let summary = findings.summaries[search.lookup]
        if summary == nil, !simulation.isPresent(search.host) {
            result.interrupted += 1
            return
        }
        var record = Record()
        if let index = findings.peers[search.lookup]?.firstIndex(of: values[search.value].peer) {
            record.valueAfter = findings.peersAt[search.lookup].map { $0[index] - search.beganAt }
        }
        record.completeAfter = findings.finishedAt[search.lookup].map { $0 - search.beganAt }
        if let summary {
            record.queries = summary.queriesSent
            record.hops = summary.hops
            record.closestFound = search.closest.map { closest in
                let found = Set(summary.closest.map(\.id))
                return closest.count { found.contains($0) }
            }
        }
        result.records.append(record)
    }

    private consuming func finish() -> Result {
        result.datagrams = simulation.network.datagramsCarried
        result.departures = simulation.departures
        for host in 0..<simulation.count {
            result.eclipsesSuspected += simulation.statistics(of: host).eclipsesSuspected
        }
        result.trace = simulation.trace
        return result
    }

    private func honestCopies(of value: (infoHash: InfoHash, peer: Endpoint)) -> Int {
        (0..<simulation.count).count { host in
            simulation.isPresent(host) && simulation.storedPeers(of: host, value.infoHash).contains(value.peer)
        }
    }
}
