import Glibc

/// Draws what `dht simulate` measured: how time and hops grow with the network, and how the times are spread.
enum LookupPlot {
    private static let colors = ["#1b6ca8", "#d1495b", "#3c8d53", "#8d5fa8", "#c98a1b"]

    static func write(_ runs: [SimulateCommand.Run], to path: String) throws(BenchError) {
        let runs = runs.sorted { $0.nodes < $1.nodes }
        let text = Array(Chart.drawing([times(runs), hops(runs), spread(runs)]).utf8)
        guard let file = fopen(path, "w") else { throw .failed("cannot write \(path): \(systemError())") }
        let written = fwrite(text, 1, text.count, file)
        guard fclose(file) == 0, written == text.count else { throw .failed("cannot write \(path): \(systemError())") }
    }

    private static func times(_ runs: [SimulateCommand.Run]) -> Chart {
        func line(_ name: String, _ color: Int, isDashed: Bool = false, _ value: (SimulateCommand.Run) -> Double)
            -> Chart.Line
        {
            let points = runs.map { (x: Double($0.nodes), y: value($0)) }
            return Chart.Line(name: name, color: colors[color], isDashed: isDashed, points: points)
        }
        let lines = [
            line("99 of 100 values handed on", 1) { Samples($0.valueTimes).percentile(99) },
            line("9 of 10", 2) { Samples($0.valueTimes).percentile(90) },
            line("half", 0) { Samples($0.valueTimes).median },
            line("half of the lookups complete", 0, isDashed: true) { Samples($0.completeTimes).median },
        ]
        return Chart(
            title: "Time of a lookup",
            horizontal: nodes(runs),
            vertical: linear("ms", lines.flatMap(\.points).map(\.y).max() ?? 1),
            lines: lines
        )
    }

    private static func hops(_ runs: [SimulateCommand.Run]) -> Chart {
        func line(_ name: String, _ color: Int, _ value: (SimulateCommand.Run) -> [Double]) -> Chart.Line {
            let points = runs.map { run in
                (x: Double(run.nodes), y: value(run).reduce(0, +) / Double(max(1, value(run).count)))
            }
            return Chart.Line(name: name, color: colors[color], points: points)
        }
        let lines = [line("hops, mean", 0, \.hops), line("queries, mean", 1, \.queries)]
        return Chart(
            title: "Steps of a lookup",
            horizontal: nodes(runs),
            vertical: linear("", lines.flatMap(\.points).map(\.y).max() ?? 1),
            lines: lines
        )
    }

    private static func spread(_ runs: [SimulateCommand.Run]) -> Chart {
        func points(_ sorted: [Double]) -> [(x: Double, y: Double)] {
            (1...100).map { (x: Samples(sorted).percentile($0), y: Double($0)) }
        }
        let lines = runs.enumerated().flatMap { index, run in
            let color = colors[index % colors.count]
            return [
                Chart.Line(name: "\(run.nodes): value", color: color, hasMarks: false, points: points(run.valueTimes)),
                Chart.Line(
                    name: "complete",
                    color: color,
                    isDashed: true,
                    hasMarks: false,
                    points: points(run.completeTimes)
                ),
            ]
        }
        let times = [20.0, 50, 100, 200, 500, 1000, 2000, 5000]
        return Chart(
            title: "How many of 100 lookups within which time",
            horizontal: Chart.Axis(
                title: "ms",
                least: 20,
                greatest: 5000,
                isLogarithmic: true,
                ticks: times.map { ($0, String(Int($0))) }
            ),
            vertical: linear("of 100", 100),
            lines: lines,
            legend: (x: 278, y: 180)
        )
    }

    private static func nodes(_ runs: [SimulateCommand.Run]) -> Chart.Axis {
        let sizes = runs.map { Double($0.nodes) }
        let least = (sizes.first ?? 1000) / 1.5
        return Chart.Axis(
            title: "nodes",
            least: least,
            greatest: (sizes.last ?? 1000) * 1.5,
            isLogarithmic: true,
            ticks: sizes.map { ($0, String(Int($0))) }
        )
    }

    /// An axis from 0 with four to ten ticks.
    private static func linear(_ title: String, _ greatest: Double) -> Chart.Axis {
        let steps = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
        let step = steps.first { greatest / $0 <= 8 } ?? 5000
        let count = Int((greatest / step).rounded(.up))
        return Chart.Axis(
            title: title,
            least: 0,
            greatest: step * Double(max(1, count)),
            ticks: (0...max(1, count)).map { index in
                let value = step * Double(index)
                return (value, value == value.rounded() ? String(Int(value)) : String(value))
            }
        )
    }
}
