import Glibc

/// Dates for people.
enum DateText {
    /// `2026-11-21 20:15:03 UTC`, of seconds since 1970.
    static func utc(_ seconds: Int64) -> String {
        var seconds = time_t(seconds)
        var parts = tm()
        // A year that fits no `Int32` has no date.
        guard gmtime_r(&seconds, &parts) != nil else { return "\(seconds) s after 1970" }
        let day = [parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday].map(twoDigits).joined(separator: "-")
        let time = [parts.tm_hour, parts.tm_min, parts.tm_sec].map(twoDigits).joined(separator: ":")
        return "\(day) \(time) UTC"
    }

    private static func twoDigits(_ number: Int32) -> String { 0..<10 ~= number ? "0\(number)" : "\(number)" }
}
