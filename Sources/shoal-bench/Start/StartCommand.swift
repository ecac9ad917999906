import Primitives
import Shoal

/// `shoal-bench start`: how soon a small file is there when nothing but its info-hash is known.
enum StartCommand {
    private static let fileSize: Int64 = 1 << 20
    private static let columns = [
        Report.Column(key: "median_ms", heading: "median ms"),
        Report.Column(key: "p90_ms", heading: "p90 ms"),
        Report.Column(key: "min_ms", heading: "min ms"),
        Report.Column(key: "ratio", heading: "of 'shoal version'"),
    ]

    static func run(_ options: Options.Start) async throws(BenchError) {
        Interruption.hold()
        let report = Report(verb: "start", format: options.format)
        let shoal = try ShoalProgram()
        let folder = try TemporaryFolder()
        let original = folder.path + "/original"
        try RandomFile.write(fileSize, to: original)
        let network = try await LoopbackNetwork(nodes: options.nodes, sharing: original)
        var fetches: [FetchTimes] = []
        var versions: [Double] = []
        do throws(BenchError) {
            for run in 0..<options.runs {
                try Interruption.check()
                versions.append(try shoal.timeOfVersion())
                fetches.append(try shoal.fetch(network, into: "\(folder.path)/\(run)", comparing: original))
            }
        } catch {
            await network.stop()
            throw error
        }
        await network.stop()
        show(report, fetches, versions, nodes: options.nodes)
    }

    private static func show(_ report: Report, _ fetches: [FetchTimes], _ versions: [Double], nodes: Int) {
        let floor = Samples(versions)
        func row(_ name: String, _ values: [Double]) -> (name: String, cells: [Cell]) {
            let samples = Samples(values)
            let figures = [samples.median, samples.ninetieth, samples.least].map { Cell.number($0 * 1000, digits: 1) }
            return (name, figures + [.number(samples.median / floor.median, digits: 2)])
        }
        var rows = [
            row("shoal version, start to exit", versions), row("shoal fetch, start to exit", fetches.map(\.exited)),
        ]
        // From the start of the process to the line that says so.
        for (index, stage) in FetchTimes().stages.enumerated() {
            let values = fetches.compactMap { $0.stages[index].seconds }
            if values.count == fetches.count { rows.append(row("  until \(stage.name)", values)) }
        }
        report.show("\(nodes) nodes, 1 MiB, \(fetches.count) runs", columns, rows)
        report.say("\nissue 2 asks for a median of 300 ms, performance.md for 150 ms")
    }
}
