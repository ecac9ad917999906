import EventLoop
import Primitives

/// `shoal-bench dht loopback`: how many lookups a second a network on real sockets of this host does.
enum LoopbackCommand {
    static let subcommand = DHTSubcommand(
        name: "loopback",
        help: [
            "whole get_peers lookups over UDP sockets of 127.9.0.0/24, all nodes on one thread",
            "--nodes N           nodes of the network (96)",
            "--at-once N         lookups that run at the same time (12)",
            "--lookups N         lookups of each run (20000)",
            "--runs N            runs (3)",
        ],
        run: run
    )

    private struct Options {
        var nodes = 96
        var atOnce = 12
        var lookups = 20_000
        var runs = 3
        var format = ReportFormat.table
    }

    private static let columns = [
        Report.Column(key: "lookups_per_second", heading: "lookups/s"),
        Report.Column(key: "cpu_us", heading: "CPU us each"),
        Report.Column(key: "queries", heading: "queries each"),
        Report.Column(key: "median_ms", heading: "median ms"),
        Report.Column(key: "p99_ms", heading: "p99 ms"),
        Report.Column(key: "found_percent", heading: "found %"),
        Report.Column(key: "closest_percent", heading: "closest met %"),
    ]

    private static func run(_ arguments: [String]) async throws(BenchError) {
        let options = try read(arguments)
        let report = Report(verb: "dht loopback", format: options.format)
        let (loop, lookups) = try await open(options)
        var rows: [(name: String, cells: [Cell])] = []
        for run in 0..<options.runs {
            let stopwatch = Stopwatch()
            let result = await lookups.run(options.lookups, atOnce: options.atOnce)
            rows.append(("run \(run + 1)", cells(result, stopwatch)))
            guard result.finished == options.lookups else { throw .failed("only \(result.finished) lookups ended") }
        }
        await lookups.close()
        loop.stop()
        let title = "\(options.nodes) nodes, \(options.lookups) lookups, \(options.atOnce) at once"
        report.show(title, columns, rows)
        report.say("\nissue 3 asks for 3000 lookups a second with 96 nodes and 12 at once")
    }

    /// A network in which everybody has joined and everything is stored.
    private static func open(_ options: Options) async throws(BenchError) -> (Loop, LoopbackLookups) {
        do {
            let loop = try Loop.started()
            let lookups = LoopbackLookups(loop: loop)
            try await lookups.open(nodes: options.nodes)
            // The first node of a network has nobody to join, but comes to know those who do.
            try await reach("\(options.nodes) nodes to join") { await lookups.joined >= options.nodes - 1 }
            await lookups.announce(64)
            try await reach("64 peers to be stored") { await lookups.storedFully == 64 }
            return (loop, lookups)
        } catch let error as BenchError {
            throw error
        } catch {
            throw .failed("the network could not be opened: \(error)")
        }
    }

    /// Looks every 20 ms whether something has come about, for 30 seconds.
    private static func reach(_ what: String, _ isReached: () async -> Bool) async throws {
        for _ in 0..<1500 {
            if await isReached() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw BenchError.failed("waited 30 s for \(what)")
    }

    private static func read(_ arguments: [String]) throws(BenchError) -> Options {
        var flags = Flags(arguments)
        var options = Options()
        while let flag = flags.next() {
            switch flag {
            case "--json": options.format = .jsonLines
            case "--nodes": options.nodes = try flags.number(of: flag, in: 10...250, Int.init)
            case "--at-once": options.atOnce = try flags.number(of: flag, in: 1...256, Int.init)
            case "--lookups": options.lookups = try flags.number(of: flag, in: 1...1_000_000, Int.init)
            case "--runs": options.runs = try flags.number(of: flag, in: 1...100, Int.init)
            default: throw .usage("dht loopback has no option '\(flag)'")
            }
        }
        return options
    }

    private static func cells(_ result: LoopbackLookups.Result, _ stopwatch: Stopwatch) -> [Cell] {
        let count = Double(max(1, result.finished))
        let times = result.times.sorted()
        let p99 = times.isEmpty ? 0 : times[times.count * 99 / 100]
        return [
            .number(count / stopwatch.wall, digits: 0),
            .number(stopwatch.processor / count * 1e6, digits: 1),
            .number(Double(result.queries) / count, digits: 1),
            .number(times.isEmpty ? 0 : times[times.count / 2], digits: 2),
            .number(p99, digits: 2),
            .number(Double(result.found) / count * 100, digits: 3),
            .number(Double(result.exact) / count * 100, digits: 2),
        ]
    }
}
