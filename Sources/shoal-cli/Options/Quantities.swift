import Shoal

/// Numbers as people write them on a command line.
enum Quantity {
    /// More than this is a slip of the finger, and all arithmetic below stays inside `Int` (hardening F9: 2^60).
    private static let greatest = Double(1 << 60)

    private static let multipliers: [(suffix: String, factor: Double)] = [
        ("", 1), ("B", 1),
        ("K", 0x1p10), ("KB", 0x1p10), ("KIB", 0x1p10),
        ("M", 0x1p20), ("MB", 0x1p20), ("MIB", 0x1p20),
        ("G", 0x1p30), ("GB", 0x1p30), ("GIB", 0x1p30),
    ]

    /// Bytes: a number with an optional suffix K, M or G (also KB, KiB; always 1024) in either case.
    static func byteCount(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let suffix = text.dropFirst(digits.count).uppercased()
        guard let number = decimal(digits), let factor = multipliers.first(where: { $0.suffix == suffix })?.factor
        else { return nil }
        let bytes = (number * factor).rounded()
        return bytes < greatest ? Int(bytes) : nil
    }

    /// Seconds, with an optional `s`.
    static func seconds(_ text: String) -> Duration? {
        let digits = text.hasSuffix("s") ? text.dropLast() : text[...]
        // A century: what is longer is no time-out, and a `Duration` in nanoseconds has room for three.
        guard let number = decimal(digits), number <= 3_155_760_000 else { return nil }
        return .milliseconds(Int64((number * 1000).rounded()))
    }

    /// Digits with at most one dot among them: neither `1e5` nor `nan` nor `0x10`.
    private static func decimal(_ text: Substring) -> Double? {
        let isNumber = text.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 }
        guard isNumber, text.utf8.first != 46, text.utf8.last != 46, text.utf8.count <= 24 else { return nil }
        return Double(text)
    }
}
