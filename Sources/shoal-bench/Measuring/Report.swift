import Glibc

/// How figures are printed.
enum ReportFormat {
    case table
    /// One object a line.
    case jsonLines
}

/// One figure of a row.
enum Cell {
    case number(Double, digits: Int)
    case none

    fileprivate var text: String {
        switch self {
        case .number(let value, let digits): Decimal.text(value, digits: digits)
        case .none: "-"
        }
    }

    fileprivate var json: String {
        switch self {
        case .number: text
        case .none: "null"
        }
    }
}

/// Prints the figures of one verb: a short table, or JSON.
struct Report {
    struct Column {
        /// Of the JSON object's member.
        var key: String
        var heading: String
    }

    let verb: String
    let format: ReportFormat

    /// Prints rows below their headings; names are our own, without anything that JSON would escape.
    func show(_ title: String, _ columns: [Column], _ rows: [(name: String, cells: [Cell])]) {
        switch format {
        case .jsonLines: for row in rows { print(Report.object(verb: verb, columns, row)) }
        case .table: showTable(title, columns, rows)
        }
        fflush(nil)
    }

    /// Says something to a person; nothing in JSON.
    func say(_ text: String) {
        guard case .table = format else { return }
        print(text)
        fflush(nil)
    }

    private func showTable(_ title: String, _ columns: [Column], _ rows: [(name: String, cells: [Cell])]) {
        let nameWidth = max(title.count, rows.map(\.name.count).max() ?? 0)
        let widths = columns.indices.map { index in
            max(columns[index].heading.count, rows.map { $0.cells[index].text.count }.max() ?? 0)
        }
        func line(_ name: String, _ texts: [String]) -> String {
            let padded = zip(texts, widths).map { "  " + String(repeating: " ", count: $1 - $0.count) + $0 }
            return name + String(repeating: " ", count: nameWidth - name.count) + padded.joined()
        }
        print(line(title, columns.map(\.heading)))
        for row in rows { print(line(row.name, row.cells.map(\.text))) }
    }

    private static func object(verb: String, _ columns: [Column], _ row: (name: String, cells: [Cell])) -> String {
        let members = zip(columns, row.cells).map { "\"\($0.key)\":\($1.json)" }
        return "{" + (["\"verb\":\"\(verb)\"", "\"name\":\"\(row.name)\""] + members).joined(separator: ",") + "}"
    }
}

/// Decimal numbers without a formatter.
private enum Decimal {
    static func text(_ value: Double, digits: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "-" }
        var scale: Int64 = 1
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int64((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && scaled != 0 ? "-" : ""
        guard digits > 0 else { return sign + String(scaled) }
        let fraction = String(scaled % scale)
        return "\(sign)\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}
