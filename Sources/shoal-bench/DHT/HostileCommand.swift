import Primitives
import Simulation

/// `shoal-bench dht hostile`: what hostile nodes cost, and whether values are found all the same.
enum HostileCommand {
    static let subcommand = DHTSubcommand(
        name: "hostile",
        help: [
            "stores and lookups among hostile nodes that name each other and drop what they",
            "are given: a fifth of the network, and 200 Sybils beside one key",
            "--nodes N           honest nodes of the network (1000)",
            "--networks N        networks with a key of its own for each Sybil attack (10)",
            "--percent N         hostile nodes of a hundred (20)",
            "--sybils N          Sybils beside one key (200)",
            "--seed N            of the first network (1)",
        ],
        run: run
    )

    private struct Options {
        var nodes = 1000
        var networks = 10
        var percent = 20
        var sybils = 200
        var seed: UInt64 = 1
        var format = ReportFormat.table
    }

    /// One kind of attack, in as many networks as it takes to see it often enough.
    private struct Scene {
        let name: String
        var conduct: Hostility.Conduct?
        var percent = 0
        var sybils = 0
        var perAddress = 1

        func hostility(seed: UInt64) -> Hostility? {
            guard let conduct else { return nil }
            var hostility = Hostility()
            hostility.conduct = conduct
            hostility.percent = percent
            if sybils > 0 {
                hostility.sybils = Hostility.Sybils(seed: seed)
                hostility.sybils?.count = sybils
                hostility.sybils?.perAddress = perAddress
            }
            return hostility
        }
    }

    private static func run(_ arguments: [String]) async throws(BenchError) {
        let options = try read(arguments)
        let report = Report(verb: "dht hostile", format: options.format)
        var rows: [(String, [Cell])] = []
        for scene in scenes(options) { rows.append((scene.name, cells(play(scene, options)))) }
        report.show("\(options.nodes) honest nodes", columns, rows)
    }

    private static func read(_ arguments: [String]) throws(BenchError) -> Options {
        var flags = Flags(arguments)
        var options = Options()
        while let flag = flags.next() {
            switch flag {
            case "--json": options.format = .jsonLines
            case "--nodes": options.nodes = try flags.number(of: flag, in: 50...100_000, Int.init)
            case "--networks": options.networks = try flags.number(of: flag, in: 1...1000, Int.init)
            case "--percent": options.percent = try flags.number(of: flag, in: 1...90, Int.init)
            case "--sybils": options.sybils = try flags.number(of: flag, in: 8...4000, Int.init)
            case "--seed": options.seed = try flags.number(of: flag, in: 0...UInt64.max) { UInt64($0) }
            default: throw .usage("dht hostile has no option '\(flag)'")
            }
        }
        return options
    }

    private static func scenes(_ options: Options) -> [Scene] {
        let (percent, sybils) = (options.percent, options.sybils)
        return [
            Scene(name: "honest"),
            Scene(name: "\(percent) % hiding", conduct: .hiding, percent: percent),
            Scene(name: "\(percent) % lying", conduct: .lying, percent: percent),
            Scene(name: "\(percent) % silent", conduct: .silent, percent: percent),
            Scene(name: "\(sybils) Sybils hiding", conduct: .hiding, sybils: sybils),
            Scene(name: "\(sybils) Sybils lying", conduct: .lying, sybils: sybils),
            Scene(name: "\(sybils) Sybils silent", conduct: .silent, sybils: sybils),
            Scene(name: "\(sybils) Sybils, 50 a host", conduct: .hiding, sybils: sybils, perAddress: 50),
            Scene(name: "Sybils and \(percent) %", conduct: .hiding, percent: percent, sybils: sybils),
        ]
    }

    /// Many keys of one network where the whole of it is hostile in part; one key of each of many where one is attacked.
    private static func play(_ scene: Scene, _ options: Options) -> LookupExperiment.Result {
        var plan = LookupExperiment.Plan()
        plan.judged = 0
        plan.values = 500
        plan.lookups = 5000
        guard scene.sybils > 0 else { return play(scene, plan, options, seed: options.seed) }
        plan.values = 4
        plan.lookups = 200
        plan.storing = .seconds(20)
        plan.looking = .seconds(60)
        var sum = LookupExperiment.Result()
        for network in 0..<options.networks {
            let seed = options.seed &+ UInt64(network)
            if let sybils = scene.hostility(seed: seed)?.sybils { plan.keys = [sybils.key] }
            sum.add(play(scene, plan, options, seed: seed))
        }
        return sum
    }

    private static func play(_ scene: Scene, _ plan: LookupExperiment.Plan, _ options: Options, seed: UInt64)
        -> LookupExperiment.Result
    {
        var configuration = DHTSimulation.Configuration.internet(nodes: options.nodes, seed: seed)
        configuration.hostility = scene.hostility(seed: seed)
        return LookupExperiment.run(plan, in: configuration)
    }

    // MARK: Output

    private static let columns = [
        Report.Column(key: "found", heading: "found %"),
        Report.Column(key: "kept", heading: "kept %"),
        Report.Column(key: "honestCopies", heading: "honest copies"),
        Report.Column(key: "copies", heading: "stored on"),
        Report.Column(key: "queries", heading: "queries"),
        Report.Column(key: "valueMedian", heading: "value ms"),
        Report.Column(key: "valueP99", heading: "p99"),
        Report.Column(key: "complete", heading: "end ms"),
        Report.Column(key: "stored", heading: "stored ms"),
        Report.Column(key: "alarms", heading: "alarms"),
    ]

    private static func cells(_ result: LookupExperiment.Result) -> [Cell] {
        let records = result.records
        let found = records.count { $0.valueAfter != nil }
        let kept = result.honestCopies.count { $0 > 0 }
        let values = milliseconds(records.compactMap(\.valueAfter))
        return [
            share(found, of: records.count),
            share(kept, of: result.honestCopies.count),
            median(result.honestCopies.map(Double.init)),
            median(result.copies.map(Double.init)),
            mean(records.map { Double($0.queries) }),
            median(values),
            values.isEmpty ? .none : .number(Samples(values).percentile(99), digits: 0),
            median(milliseconds(records.compactMap(\.completeAfter))),
            median(milliseconds(result.storedAfter)),
            .number(Double(result.eclipsesSuspected), digits: 0),
        ]
    }

    private static func milliseconds(_ times: [Duration]) -> [Double] { times.map { $0.inSeconds * 1000 } }

    private static func share(_ part: Int, of whole: Int) -> Cell {
        whole > 0 ? .number(Double(part) * 100 / Double(whole), digits: 2) : .none
    }

    private static func median(_ values: [Double]) -> Cell {
        values.isEmpty ? .none : .number(Samples(values).median, digits: 0)
    }

    private static func mean(_ values: [Double]) -> Cell {
        values.isEmpty ? .none : .number(values.reduce(0, +) / Double(values.count), digits: 1)
    }
}

extension LookupExperiment.Result {
    /// Takes up what another network came to.
    fileprivate mutating func add(_ other: LookupExperiment.Result) {
        records += other.records
        interrupted += other.interrupted
        copies += other.copies
        honestCopies += other.honestCopies
        storedAfter += other.storedAfter
        datagrams += other.datagrams
        eclipsesSuspected += other.eclipsesSuspected
    }
}
