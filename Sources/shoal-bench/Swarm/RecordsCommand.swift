import Primitives
import Simulation

/// `shoal-bench swarm records`: what signed records of who holds what are worth to a swarm.
enum RecordsCommand {
    static let help = [
        "a simulated swarm whose peers hold a tenth of the pieces each, and two rare",
        "pieces one peer each: how long until all is there, with records and without",
        "--peers N           peers (200)",
        "--pieces N          pieces of the torrent (2000)",
        "--fetchers N        peers that want what they lack; the others only give, and",
        "    a lone one begins with nothing; may be given again",
        "    (all, 20, 1)",
        "--connections N     slots of each peer (30)",
        "--liars N           of a hundred peers, those whose records lie (20)",
        "--up N              bytes a second that each peer sends (128000)",
        "--brief             with records and without them, and nothing else",
        "--seed N            of all chance; may be given again (1, 2, 3)",
    ]

    private struct Options {
        var plan = RecordExperiment.Plan()
        var fetchers: [Int] = []
        var liars = 20
        var isBrief = false
        var seeds: [UInt64] = []
        var format = ReportFormat.table
    }

    /// One line of the table.
    private struct Variant {
        let name: String
        /// Connections of no use make room for peers that were never tried.
        var makesRoom = true
        var usesRecords = true
        var eviction = SwarmMeeting.Eviction.lot
        var lie: RecordExperiment.Lie?

        func applied(to plan: RecordExperiment.Plan, liars: Int) -> RecordExperiment.Plan {
            var plan = plan
            plan.meeting.makesRoom = makesRoom
            plan.meeting.records = usesRecords ? .init() : nil
            plan.meeting.records?.eviction = eviction
            plan.liars = lie == nil ? 0 : Double(liars) / 100
            plan.lie = lie ?? .everything
            return plan
        }
    }

    private static let variants = [
        Variant(name: "without records", usesRecords: false),
        Variant(name: "and nobody makes room", makesRoom: false, usesRecords: false),
        Variant(name: "with records"),
        Variant(name: "stores keep the newest", eviction: .oldest),
        Variant(name: "liars claim all", lie: .everything),
        Variant(name: "liars claim rare", lie: .rare),
    ]

    static func run(_ arguments: [String]) throws(BenchError) {
        let options = try read(arguments)
        let report = Report(verb: "swarm records", format: options.format)
        for fetchers in options.fetchers {
            for seed in options.seeds {
                var plan = options.plan
                plan.fetchers = fetchers
                plan.seed = seed
                try show(
                    plan,
                    options.isBrief ? [variants[0], variants[2]] : variants,
                    liars: options.liars,
                    in: report
                )
            }
        }
    }

    private static func read(_ arguments: [String]) throws(BenchError) -> Options {
        var flags = Flags(arguments)
        var options = Options()
        while let flag = flags.next() {
            switch flag {
            case "--json": options.format = .jsonLines
            case "--peers": options.plan.peers = try flags.number(of: flag, in: 10...10_000, Int.init)
            case "--pieces": options.plan.pieces = try flags.number(of: flag, in: 10...100_000, Int.init)
            case "--fetchers": options.fetchers.append(try flags.number(of: flag, in: 1...10_000, Int.init))
            case "--connections": options.plan.meeting.connections = try flags.number(of: flag, in: 2...1000, Int.init)
            case "--liars": options.liars = try flags.number(of: flag, in: 0...90, Int.init)
            case "--brief": options.isBrief = true
            case "--up": options.plan.upRate = try flags.number(of: flag, in: 1000...1_000_000_000, Int.init)
            case "--seed": options.seeds.append(try flags.number(of: flag, in: 0...UInt64.max) { UInt64($0) })
            default: throw .usage("swarm records has no option '\(flag)'")
            }
        }
        let peers = options.plan.peers
        if options.fetchers.isEmpty { options.fetchers = [peers, max(2, peers / 10), 1] }
        if options.seeds.isEmpty { options.seeds = [1, 2, 3] }
        guard options.fetchers.allSatisfy({ $0 <= peers }) else { throw .usage("there are more fetchers than peers") }
        options.plan.meeting.incoming = options.plan.meeting.connections * 3 / 4
        return options
    }

    private static let columns = [
        Report.Column(key: "mean", heading: "mean, s"),
        Report.Column(key: "median", heading: "median"),
        Report.Column(key: "last", heading: "last"),
        Report.Column(key: "mean_ratio", heading: "mean, ratio"),
        Report.Column(key: "last_ratio", heading: "last, ratio"),
        Report.Column(key: "complete", heading: "complete, %"),
        Report.Column(key: "by_record", heading: "by record"),
        Report.Column(key: "by_chance", heading: "by chance"),
        Report.Column(key: "refused", heading: "refused"),
        Report.Column(key: "rooms", heading: "gave way"),
        Report.Column(key: "lies", heading: "lies found"),
    ]

    private static func show(_ plan: RecordExperiment.Plan, _ variants: [Variant], liars: Int, in report: Report)
        throws(BenchError)
    {
        var rows: [(name: String, cells: [Cell])] = []
        var base: (mean: Double, last: Double)?
        let stopwatch = Stopwatch()
        var bound = Duration.zero
        for variant in variants {
            let result = RecordExperiment.run(variant.applied(to: plan, liars: liars))
            bound = result.bound
            let times = result.times.map(\.inSeconds)
            // Whoever did not get there counts with all the time there was.
            let never = [Double](repeating: plan.limit.inSeconds, count: result.fetchers - times.count)
            let all = times + never
            guard let last = all.last else { throw .failed("nobody fetched") }
            let mean = all.reduce(0, +) / Double(all.count)
            base = base ?? (mean, last)
            let counts = result.outcome.meetings
            rows.append(
                (
                    name: variant.name,
                    cells: [
                        .number(mean, digits: 1), .number(Samples(all).median, digits: 1), .number(last, digits: 1),
                        .number(mean / (base?.mean ?? mean), digits: 3),
                        .number(last / (base?.last ?? last), digits: 3),
                        .number(Double(times.count) * 100 / Double(result.fetchers), digits: 1),
                        .number(Double(counts.dialsByRecord), digits: 0),
                        .number(Double(counts.dialsByChance), digits: 0),
                        .number(Double(counts.refused), digits: 0), .number(Double(counts.roomsMade), digits: 0),
                        .number(Double(counts.liesFound), digits: 0),
                    ]
                )
            )
        }
        report.show("\(plan.fetchers) of \(plan.peers) peers fetch, seed \(plan.seed)", columns, rows)
        report.say("\(Int(bound.inSeconds)) s if all uplinks were always busy; \(Int(stopwatch.processor)) s of CPU\n")
    }
}
