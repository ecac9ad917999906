import Primitives
import Simulation

/// `shoal-bench dht simulate`: lookups in networks of several sizes, under the conditions that issue 3 names.
enum SimulateCommand {
    static let subcommand = DHTSubcommand(
        name: "simulate",
        help: [
            "lookups of stored values in a simulated network: log-normal round trips with",
            "a median of 80 ms, 1 % loss, churn as in KAD, 30 % of hosts behind address",
            "translation, 15 % dead table entries",
            "--nodes N           nodes of the network; may be given again (1000, 10000)",
            "--lookups N         lookups in each network (10000)",
            "--values N          stored values (1000)",
            "--seed N            of the network and of everything that happens in it (1)",
            "--plot FILE         draws the figures of all networks as SVG",
        ],
        run: run
    )

    private struct Options {
        var nodes: [Int] = []
        var plan = LookupExperiment.Plan()
        var seed: UInt64 = 1
        var plot: String?
        var format = ReportFormat.table
    }

    /// One network and what was measured in it.
    struct Run {
        let nodes: Int
        let result: LookupExperiment.Result
        /// Processor seconds.
        let cost: Double

        /// Times of found values and of complete lookups in milliseconds, in order.
        var valueTimes: [Double] { result.records.compactMap(\.valueAfter).map { $0.inSeconds * 1000 }.sorted() }
        var completeTimes: [Double] { result.records.compactMap(\.completeAfter).map { $0.inSeconds * 1000 }.sorted() }
        var queries: [Double] { result.records.map { Double($0.queries) }.sorted() }
        var hops: [Double] { result.records.map { Double($0.hops) }.sorted() }
        /// Parts of all lookups, and of the eight nodes that each should have met.
        var foundShare: Double { share(result.records.count { $0.valueAfter != nil }, of: result.records.count) }
        var closestShare: Double {
            let judged = result.records.compactMap(\.closestFound)
            return share(judged.reduce(0, +), of: judged.count * 8)
        }

        private func share(_ part: Int, of whole: Int) -> Double { whole > 0 ? Double(part) / Double(whole) : 0 }
    }

    private static func run(_ arguments: [String]) async throws(BenchError) {
        let options = try read(arguments)
        let report = Report(verb: "dht simulate", format: options.format)
        var runs: [Run] = []
        for nodes in options.nodes {
            let stopwatch = Stopwatch()
            let configuration = DHTSimulation.Configuration.internet(nodes: nodes, seed: options.seed)
            let result = LookupExperiment.run(options.plan, in: configuration)
            guard !result.records.isEmpty, !result.copies.isEmpty else { throw .failed("no lookup came to an end") }
            let run = Run(nodes: nodes, result: result, cost: stopwatch.processor)
            show(run, in: report)
            runs.append(run)
        }
        guard let path = options.plot else { return }
        guard runs.allSatisfy({ !$0.valueTimes.isEmpty && !$0.completeTimes.isEmpty }) else {
            throw .failed("there is a network in which nothing was found: nothing to draw")
        }
        try LookupPlot.write(runs, to: path)
    }

    private static func read(_ arguments: [String]) throws(BenchError) -> Options {
        var flags = Flags(arguments)
        var options = Options()
        while let flag = flags.next() {
            switch flag {
            case "--json": options.format = .jsonLines
            case "--nodes": options.nodes.append(try flags.number(of: flag, in: 20...1_000_000, Int.init))
            case "--lookups": options.plan.lookups = try flags.number(of: flag, in: 1...1_000_000, Int.init)
            case "--values": options.plan.values = try flags.number(of: flag, in: 1...1_000_000, Int.init)
            case "--seed": options.seed = try flags.number(of: flag, in: 0...UInt64.max) { UInt64($0) }
            case "--plot": options.plot = try flags.value(of: flag)
            default: throw .usage("dht simulate has no option '\(flag)'")
            }
        }
        if options.nodes.isEmpty { options.nodes = [1000, 10_000] }
        return options
    }

    private static let columns = [
        Report.Column(key: "median", heading: "median"),
        Report.Column(key: "p90", heading: "p90"),
        Report.Column(key: "p99", heading: "p99"),
        Report.Column(key: "mean", heading: "mean"),
        Report.Column(key: "most", heading: "most"),
    ]

    private static func show(_ run: Run, in report: Report) {
        let result = run.result
        let rows: [(name: String, cells: [Cell])] = [
            ("value handed on, ms", cells(run.valueTimes)),
            ("lookup complete, ms", cells(run.completeTimes)),
            ("queries of a lookup", cells(run.queries, digits: 1)),
            ("hops", cells(run.hops, digits: 1)),
            ("stored, ms", cells(result.storedAfter.map { $0.inSeconds * 1000 }.sorted())),
            ("copies stored", cells(result.copies.map(Double.init).sorted(), digits: 1)),
            ("found, %", [.none, .none, .none, .number(run.foundShare * 100, digits: 3), .none]),
            ("closest eight met, %", [.none, .none, .none, .number(run.closestShare * 100, digits: 2), .none]),
        ]
        let title = "\(run.nodes) nodes, \(result.records.count) lookups"
        report.show(title, columns, rows.map { ("\(run.nodes): " + $0.name, $0.cells) })
        report.say(
            "\(result.interrupted) interrupted, \(result.departures) departures, \(result.datagrams) datagrams, "
                + "\(result.eclipsesSuspected) eclipses suspected, "
                + "\(Int(run.cost)) s of CPU, trace \(String(result.trace.value, radix: 16))\n"
        )
    }

    private static func cells(_ sorted: [Double], digits: Int = 0) -> [Cell] {
        guard let last = sorted.last else { return [.none, .none, .none, .none, .none] }
        let samples = Samples(sorted)
        let mean = sorted.reduce(0, +) / Double(sorted.count)
        return [
            .number(samples.median, digits: digits), .number(samples.percentile(90), digits: digits),
            .number(samples.percentile(99), digits: digits), .number(mean, digits: 1), .number(last, digits: digits),
        ]
    }
}
