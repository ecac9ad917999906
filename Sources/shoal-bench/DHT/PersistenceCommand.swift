import Cryptography
import Kademlia
import Primitives
import Simulation

/// `shoal-bench dht persistence`: how long items live that are published once, while hosts come and go.
enum PersistenceCommand {
    static let subcommand = DHTSubcommand(
        name: "persistence",
        help: [
            "items that are published once, and looked for every hour of a day, under the",
            "conditions of 'dht simulate'; with republishing, without it, and without it",
            "but kept for a day by who has them",
            "--nodes N           nodes of the network (1000)",
            "--items N           items, one in ten of them mutable (2000)",
            "--hours N           how long (24)",
            "--policy NAME       republished, expiring or kept; may be given again (all)",
            "--seed N            of the network and of everything that happens in it (1)",
        ],
        run: run
    )

    /// What holders do with an item.
    private enum Policy: String, CaseIterable {
        /// As `DHTLimits` has it.
        case republished
        /// They keep it two hours (BEP 44), and do nothing.
        case expiring
        /// They keep it all the time, and do nothing: what is lost is lost by churn alone.
        case kept

        var limits: DHTLimits {
            var limits = DHTLimits()
            if self != .republished { limits.republishesAtOnce = 0 }
            if self == .kept { limits.itemLifetime = .seconds(72 * 3600) }
            return limits
        }
    }

    private struct Options {
        var plan = PersistenceExperiment.Plan()
        var nodes = 1000
        var policies: [Policy] = []
        var seed: UInt64 = 1
        var format = ReportFormat.table
    }

    private static func run(_ arguments: [String]) async throws(BenchError) {
        let options = try read(arguments)
        let report = Report(verb: "dht persistence", format: options.format)
        guard let key = Ed25519.SigningKey(seed: [UInt8](repeating: 7, count: 32).span.bytes) else {
            throw .failed("no memory can be locked for a key")
        }
        for policy in options.policies {
            var configuration = DHTSimulation.Configuration.internet(nodes: options.nodes, seed: options.seed)
            configuration.limits = policy.limits
            let stopwatch = Stopwatch()
            let result: PersistenceExperiment.Result
            do {
                result = try PersistenceExperiment.run(options.plan, in: configuration) { number in
                    let salt = Array("item \(number)".utf8)
                    return try Item(signing: Array("i\(number)e".utf8), salt: salt, sequence: 1, with: key)
                }
            } catch { throw .failed("an item could not be made: \(error)") }
            show(result, policy, options, cost: stopwatch.processor, in: report)
        }
    }

    private static func read(_ arguments: [String]) throws(BenchError) -> Options {
        var flags = Flags(arguments)
        var options = Options()
        while let flag = flags.next() {
            switch flag {
            case "--json": options.format = .jsonLines
            case "--nodes": options.nodes = try flags.number(of: flag, in: 20...100_000, Int.init)
            case "--items": options.plan.items = try flags.number(of: flag, in: 1...100_000, Int.init)
            case "--hours": options.plan.hours = try flags.number(of: flag, in: 1...240, Int.init)
            case "--policy":
                let name = try flags.value(of: flag)
                guard let policy = Policy(rawValue: name) else { throw .usage("there is no policy '\(name)'") }
                options.policies.append(policy)
            case "--seed": options.seed = try flags.number(of: flag, in: 0...UInt64.max) { UInt64($0) }
            default: throw .usage("dht persistence has no option '\(flag)'")
            }
        }
        if options.policies.isEmpty { options.policies = Policy.allCases }
        return options
    }

    private static let columns = [
        Report.Column(key: "retrievable", heading: "found, %"),
        Report.Column(key: "atOnce", heading: "by the first reader, %"),
        Report.Column(key: "copies", heading: "copies, mean"),
        Report.Column(key: "rarest", heading: "fewest"),
    ]

    private static func show(
        _ result: PersistenceExperiment.Result,
        _ policy: Policy,
        _ options: Options,
        cost: Double,
        in report: Report
    ) {
        let rows = result.looks.map { look in
            let share = 100 / Double(max(1, look.items))
            let cells: [Cell] = [
                .number(Double(look.found) * share, digits: 3), .number(Double(look.atOnce) * share, digits: 2),
                .number(Double(look.copies) / Double(max(1, look.items)), digits: 1),
                .number(Double(look.rarest), digits: 0),
            ]
            return (policy.rawValue + ", hour \(look.hour)", cells)
        }
        let title = "\(options.nodes) nodes, \(options.plan.items) items, published once"
        report.show(title, columns, rows)
        let seconds = Double(options.plan.hours) * 3600
        let rate = Double(result.datagrams) / seconds / Double(options.nodes)
        let copies = Double(result.stored.reduce(0, +)) / Double(max(1, result.stored.count))
        report.say(
            "stored on \(Int(copies.rounded())) nodes at first, \(result.departures) departures, "
                + "\(Int(rate * 100)) datagrams in 100 s per node, \(Int(cost)) s of CPU, "
                + "trace \(String(result.trace.value, radix: 16))\n"
        )
    }
}
