/// Rows of words in columns that are as wide as they have to be.
enum TextTable {
    /// - Parameters:
    ///   - heads: the names of the columns; those that begin with `>` stand at the right, as numbers do.
    ///   - rows: as many words each; what strangers wrote must be cleaned before.
    static func text(_ heads: [String], _ rows: [[String]]) -> String {
        let isRight = heads.map { $0.hasPrefix(">") }
        let all = [heads.map { $0.hasPrefix(">") ? String($0.dropFirst()) : $0 }] + rows
        let widths = heads.indices.map { column in all.map { Columns.count($0[column]) }.max() ?? 0 }
        let lines = all.map { row in
            let words = row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - Columns.count(row[column]))
                return isRight[column] ? space + row[column] : row[column] + space
            }
            // What a person copies must not end in spaces.
            var line = words.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
