import Glibc

/// One diagram of a drawing in SVG: axes, and lines between points.
struct Chart {
    /// What a position along an axis means.
    struct Axis {
        var title: String
        var least: Double
        var greatest: Double
        var isLogarithmic = false
        /// Values that get a line across the chart, and what is written beside them.
        var ticks: [(value: Double, text: String)]

        /// From 0 at the least to 1 at the greatest.
        fileprivate func part(of value: Double) -> Double {
            let bounded = min(max(value, least), greatest)
            guard isLogarithmic else { return (bounded - least) / (greatest - least) }
            return log(bounded / least) / log(greatest / least)
        }
    }

    struct Line {
        var name: String
        var color: String
        var isDashed = false
        /// Whether each point is marked.
        var hasMarks = true
        var points: [(x: Double, y: Double)]
    }

    var title: String
    var horizontal: Axis
    var vertical: Axis
    var lines: [Line]
    /// Where the names of the lines stand: where the lines are not.
    var legend = (x: 62.0, y: 44.0)

    static let width = 400.0
    static let height = 330.0
    private static let frame = (left: 55.0, right: 385.0, top: 30.0, bottom: 280.0)

    /// A drawing with some charts side by side.
    static func drawing(_ charts: [Chart]) -> String {
        let size = "width=\"\(number(width * Double(charts.count)))\" height=\"\(number(height))\""
        var text = "<svg xmlns=\"http://www.w3.org/2000/svg\" \(size) font-family=\"sans-serif\" font-size=\"11\">\n"
        text += "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        for (index, chart) in charts.enumerated() {
            text += "<g transform=\"translate(\(number(width * Double(index))) 0)\">\n" + chart.body + "</g>\n"
        }
        return text + "</svg>\n"
    }

    private var body: String {
        var text = label(title, (Chart.frame.left + Chart.frame.right) / 2, 16, anchor: "middle", isBold: true)
        for tick in horizontal.ticks {
            let x = x(tick.value)
            text += rule(x, Chart.frame.top, x, Chart.frame.bottom)
            text += label(tick.text, x, Chart.frame.bottom + 15, anchor: "middle")
        }
        for tick in vertical.ticks {
            let y = y(tick.value)
            text += rule(Chart.frame.left, y, Chart.frame.right, y)
            text += label(tick.text, Chart.frame.left - 5, y + 4, anchor: "end")
        }
        text += label(horizontal.title, (Chart.frame.left + Chart.frame.right) / 2, 312, anchor: "middle")
        text += label(vertical.title, Chart.frame.left - 45, Chart.frame.top - 10, anchor: "start")
        for (index, line) in lines.enumerated() { text += drawn(line) + name(line, index) }
        return text
    }

    private func drawn(_ line: Line) -> String {
        let points = line.points.map { (Chart.number(x($0.x)), Chart.number(y($0.y))) }
        let path = points.map { $0 + "," + $1 }.joined(separator: " ")
        let dashes = line.isDashed ? " stroke-dasharray=\"5 4\"" : ""
        var text =
            "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(line.color)\" stroke-width=\"1.8\"\(dashes)/>\n"
        for point in points where line.hasMarks {
            text += "<circle cx=\"\(point.0)\" cy=\"\(point.1)\" r=\"3\" fill=\"\(line.color)\"/>\n"
        }
        return text
    }

    private func name(_ line: Line, _ index: Int) -> String {
        let (x, y) = (legend.x, legend.y + 15 * Double(index))
        let dashes = line.isDashed ? " stroke-dasharray=\"5 4\"" : ""
        let ends = [("x1", x), ("y1", y - 4), ("x2", x + 22), ("y2", y - 4)].map { "\($0)=\"\(Chart.number($1))\"" }
        return "<line \(ends.joined(separator: " ")) stroke=\"\(line.color)\" stroke-width=\"1.8\"\(dashes)/>\n"
            + label(line.name, x + 27, y, anchor: "start")
    }

    private func x(_ value: Double) -> Double {
        Chart.frame.left + horizontal.part(of: value) * (Chart.frame.right - Chart.frame.left)
    }

    private func y(_ value: Double) -> Double {
        Chart.frame.bottom - vertical.part(of: value) * (Chart.frame.bottom - Chart.frame.top)
    }

    private func rule(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
        let ends = [("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2)].map { "\($0)=\"\(Chart.number($1))\"" }
        return "<line \(ends.joined(separator: " ")) stroke=\"#ddd\"/>\n"
    }

    /// - Parameter text: our own, without anything that XML would escape.
    private func label(_ text: String, _ x: Double, _ y: Double, anchor: String, isBold: Bool = false) -> String {
        let weight = isBold ? " font-weight=\"bold\"" : ""
        let place = "x=\"\(Chart.number(x))\" y=\"\(Chart.number(y))\""
        return "<text \(place) text-anchor=\"\(anchor)\"\(weight)>\(text)</text>\n"
    }

    /// A length with one digit after the point, which is finer than any screen.
    private static func number(_ value: Double) -> String { String((value * 10).rounded() / 10) }
}
