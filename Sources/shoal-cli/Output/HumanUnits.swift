/// Sizes, rates and times for people.
enum HumanUnits {
    /// `0 B`, `1023 B`, `1.5 KiB`, `834 MiB`.
    static func size(_ bytes: Int64) -> String {
        guard bytes.magnitude >= 1024 else { return "\(bytes) B" }
        var value = Double(bytes)
        for unit in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
            value /= 1024
            // What rounds to 1024 belongs to the next unit.
            guard abs(value) >= 1023.5, unit != "PiB" else {
                return "\(DecimalText.fixed(value, digits: abs(value) < 99.95 ? 1 : 0) ?? "?") \(unit)"
            }
        }
        return "\(bytes) B"
    }

    /// Bytes a second: `41.0 MiB/s`.
    static func rate(_ bytesPerSecond: Int) -> String { size(Int64(bytesPerSecond)) + "/s" }

    /// `<1 s`, `14 s`, `2 min 05 s`, `1 h 03 min`, `3 d 4 h`.
    static func duration(seconds: Double) -> String {
        guard seconds.isFinite, seconds < 100 * 86_400 else { return "over 99 d" }
        guard seconds >= 1 else { return "<1 s" }
        let whole = Int(seconds)
        return switch whole {
        case ..<60: "\(whole) s"
        case ..<3600: "\(whole / 60) min \(twoDigits(whole % 60)) s"
        case ..<86_400: "\(whole / 3600) h \(twoDigits(whole / 60 % 60)) min"
        default: "\(whole / 86_400) d \(whole / 3600 % 24) h"
        }
    }

    /// Time that something took, where fractions matter: `0.087 s`, `3.2 s`, `2 min 05 s`.
    static func elapsed(seconds: Double) -> String {
        guard seconds < 60 else { return duration(seconds: seconds) }
        return "\(DecimalText.fixed(max(0, seconds), digits: seconds < 1 ? 3 : 1) ?? "?") s"
    }

    /// `1 peer`, `4 peers`.
    static func count(_ number: Int, _ noun: String, plural: String? = nil) -> String {
        "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
