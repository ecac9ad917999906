import Availability
import Kademlia
import Primitives
import Simulation

/// `shoal-bench dht records`: what records of who holds which pieces cost those that hold them, publish them and read
/// them.
enum RecordCostsCommand {
    static let subcommand = DHTSubcommand(
        name: "records",
        help: [
            "records of who holds which pieces: a node under a flood of put_have, lookups of",
            "that node meanwhile, and the traffic of a publisher and of a reader within an",
            "hour, in a simulated network of our own nodes",
            "--nodes N           nodes of the network (200)",
            "--pieces N          pieces of the torrent (100000)",
            "--part NAME         flood, lookups or traffic alone (all)",
            "--seed N            of the network and of everything that happens in it (1)",
        ],
        run: run
    )

    private struct Options {
        var nodes = 200
        var pieces = 100_000
        var seed: UInt64 = 1
        var part: String?
        var format = ReportFormat.table

        func isWanted(_ name: String) -> Bool { part == nil || part == name }
    }

    private static func run(_ arguments: [String]) async throws(BenchError) {
        let options = try read(arguments)
        let report = Report(verb: "dht records", format: options.format)
        if options.isWanted("flood") { try flood(report) }
        if options.isWanted("lookups") { lookups(options, report) }
        if options.isWanted("traffic") { try traffic(options, report) }
    }

    private static func read(_ arguments: [String]) throws(BenchError) -> Options {
        var flags = Flags(arguments)
        var options = Options()
        while let flag = flags.next() {
            switch flag {
            case "--json": options.format = .jsonLines
            case "--nodes": options.nodes = try flags.number(of: flag, in: 20...10_000, Int.init)
            case "--pieces": options.pieces = try flags.number(of: flag, in: 1...HaveBlob.mostPieces, Int.init)
            case "--part":
                let name = try flags.value(of: flag)
                guard ["flood", "lookups", "traffic"].contains(name) else { throw .usage("there is no part '\(name)'") }
                options.part = name
            case "--seed": options.seed = try flags.number(of: flag, in: 0...UInt64.max) { UInt64($0) }
            default: throw .usage("dht records has no option '\(flag)'")
            }
        }
        return options
    }

    // MARK: Flood

    private static let floodColumns = [
        Report.Column(key: "core_percent", heading: "% of a core"),
        Report.Column(key: "microseconds", heading: "us each"),
        Report.Column(key: "checks", heading: "signatures/s"),
        Report.Column(key: "answers", heading: "answers/s"),
    ]

    private static func flood(_ report: Report) throws(BenchError) {
        var rows: [(String, [Cell])] = []
        for kind in RecordFlood.Kind.allCases {
            for rate in [500, 5000, 20_000] {
                let flood = try RecordFlood(kind, count: max(rate * 3, 10_000), senders: 500)
                let outcome = flood.run(perSecond: rate)
                let cells: [Cell] = [
                    .number(100 * outcome.processorSeconds / outcome.seconds, digits: 1),
                    .number(outcome.processorSeconds * 1e6 / Double(outcome.datagrams), digits: 2),
                    .number(Double(outcome.checked) / outcome.seconds, digits: 0),
                    .number(Double(outcome.answered) / outcome.seconds, digits: 0),
                ]
                rows.append(("\(kind.rawValue), \(rate) a second", cells))
            }
        }
        report.show("flood of put_have from 500 networks", floodColumns, rows)
    }

    // MARK: Lookups

    private static let lookupColumns = [
        Report.Column(key: "median_ms", heading: "median, ms"),
        Report.Column(key: "ninetieth_ms", heading: "90 %, ms"),
        Report.Column(key: "ratio", heading: "of quiet"),
    ]

    /// Lookups of a node that puts come to, in simulated time: whether its limits get in the way of its own work.
    private static func lookups(_ options: Options, _ report: Report) {
        // Of several networks, for which nodes happen to be gone decides more about a lookup than anything else.
        let times = [0, 500, 5000].map { rate in
            Samples((0..<4).flatMap { lookupTimes(options.nodes, seed: options.seed + $0, flooded: rate) })
        }
        var rows: [(String, [Cell])] = []
        for (rate, samples) in zip([0, 500, 5000], times) {
            let cells: [Cell] = [
                .number(samples.median, digits: 1), .number(samples.ninetieth, digits: 1),
                .number(samples.median / times[0].median, digits: 3),
            ]
            rows.append((rate == 0 ? "no flood" : "\(rate) puts a second", cells))
        }
        report.show("\nlookups of the flooded node", lookupColumns, rows)
    }

    private static func lookupTimes(_ nodes: Int, seed: UInt64, flooded rate: Int) -> [Double] {
        var configuration = DHTSimulation.Configuration(seed: seed)
        configuration.nodes = nodes
        configuration.conditions = VirtualNetwork.Conditions(latency: .pairwise(PairLatency()))
        configuration.beginning = .established(DHTSimulation.Configuration.Standing())
        configuration.areOwnKind = true
        var network = DHTSimulation(configuration)
        network.run(for: .seconds(60))
        var random = SeededRandom(seed: seed)
        var times: [Double] = []
        let victim = nodes / 2
        let put = Array("d1:ad2:id20:abcdefghij0123456789e1:q8:put_have1:t2:xy1:v4:sw\u{0}\u{1}1:y1:qe".utf8)
        for _ in 0..<100 {
            let start = network.now
            let target = NodeID(.random(using: &random))
            let lookup = network.findNode(closestTo: target, from: victim)
            for _ in 0..<20 {
                for _ in 0..<rate / 10 {
                    let source = Endpoint(.v4(UInt32.random(in: 0x6400_0000..<0x6500_0000, using: &random)), 6881)
                    network.inject(put, from: source, to: victim)
                }
                network.run(for: .milliseconds(100))
            }
            guard let end = network.findings(of: victim).finishedAt[lookup] else { continue }
            times.append((end - start).inSeconds * 1000)
        }
        return times.isEmpty ? [0] : times
    }

    // MARK: Traffic

    private static let trafficColumns = [
        Report.Column(key: "publisher_packets", heading: "publisher, packets"),
        Report.Column(key: "publisher_kib", heading: "KiB"),
        Report.Column(key: "reader_packets", heading: "reader, packets"),
        Report.Column(key: "reader_kib", heading: "KiB"),
        Report.Column(key: "network_kib", heading: "all hosts, KiB"),
        Report.Column(key: "stored_on", heading: "stored on"),
        Report.Column(key: "found_percent", heading: "found, %"),
    ]

    private static func traffic(_ options: Options, _ report: Report) throws(BenchError) {
        var configuration = DHTSimulation.Configuration(seed: options.seed)
        configuration.nodes = options.nodes
        configuration.areOwnKind = true
        let plans: [(String, puts: Int, searches: Int)] = [
            ("sharing: a put each half hour", 2, 0), ("fetching: 20 puts", 20, 0),
            ("fetching, and a reader each 5 minutes", 20, 12),
        ]
        var rows: [(String, [Cell])] = []
        for (name, puts, searches) in plans {
            var plan = RecordTraffic.Plan()
            plan.puts = puts
            plan.searches = searches
            let contents = try (0..<puts).map { number throws(BenchError) in
                try content(options.pieces, step: number, of: puts, isSeed: puts == 2)
            }
            let result: RecordTraffic.Result
            do {
                let infoHash = InfoHash(UInt160(high: 0x0123_4567_89ab_cdef, middle: options.seed, low: 1))
                result = try RecordTraffic.run(plan, in: configuration, of: infoHash) { contents[$0] }
            } catch { throw .failed("a record cannot be signed") }
            let stored = Double(result.storedOn.reduce(0, +)) / Double(max(1, result.storedOn.count))
            let cells: [Cell] = [
                .number(Double(result.publisher.packets), digits: 0),
                .number(Double(result.publisher.bytes) / 1024, digits: 1),
                .number(Double(result.reader.packets), digits: 0),
                .number(Double(result.reader.bytes) / 1024, digits: 1),
                .number(Double(result.network.bytes) / 1024, digits: 1), .number(stored, digits: 1),
                searches > 0 ? .number(100 * Double(result.found) / Double(searches), digits: 0) : .none,
            ]
            rows.append((name, cells))
        }
        report.show("\none torrent of \(options.pieces) pieces, an hour", trafficColumns, rows)
        report.say("sent and received together, beyond what the same hosts do without records")
    }

    /// What is held when so much of a fetch in random order is done.
    private static func content(
        _ pieces: Int,
        step: Int,
        of steps: Int,
        isSeed: Bool
    ) throws(BenchError) -> RecordContent {
        var held = Bitfield(count: pieces)
        var random = SeededRandom(seed: 1)
        for piece in 0..<pieces where isSeed || Int.random(in: 0..<steps, using: &random) <= step { held[piece] = true }
        let rarest = (0..<pieces).lazy.filter { held[$0] && $0 % 7 == 0 }
        guard let blob = HaveBlob(held, rarestFirst: rarest) else { throw .failed("a have-blob cannot be made") }
        var content = RecordContent(blob, heldCount: held.setCount, port: 6881)
        content.endpoint4 = Endpoint("124.31.75.21:6881")
        return content
    }
}
