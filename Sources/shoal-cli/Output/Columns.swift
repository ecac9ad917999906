/// How much room text takes on a terminal.
enum Columns {
    /// Columns that `text` fills: none for marks that combine, two for wide characters of East Asia and emoji.
    static func count(_ text: String) -> Int {
        // Nearly every line is printable ASCII, a column a byte.
        if text.utf8.allSatisfy({ (32..<127).contains($0) }) { return text.utf8.count }
        return text.unicodeScalars.reduce(0) { $0 + width(of: $1) }
    }

    /// `text` cut to at most `limit` columns, with `..` in place of what was cut off.
    static func truncated(_ text: String, to limit: Int) -> String {
        guard count(text) > limit else { return text }
        guard limit > 2 else { return String(repeating: ".", count: max(0, limit)) }
        var room = limit - 2
        var kept = ""
        for character in text {
            room -= count(String(character))
            guard room >= 0 else { break }
            kept.append(character)
        }
        return kept + ".."
    }

    private static func width(of scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x4dbf, 0x4e00...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff,
            0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff,
            0x1f900...0x1f9ff, 0x20000...0x3fffd:
            2
        default:
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .format: 0
            default: 1
            }
        }
    }
}
