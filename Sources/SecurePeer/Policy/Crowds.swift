/// How many of a table's entries each source has, a network or a key, so that where room is short the most crowded one
/// makes it: who fills a table drives out his own.
struct Crowds<Source: Hashable & Sendable>: Hashable, Sendable {
    private var counts: [Source: Int] = [:]

    func count(of source: Source) -> Int { counts[source] ?? 0 }

    /// Of the most crowded source, or of several that are as crowded.
    var largestCount: Int { counts.values.max() ?? 0 }

    mutating func add(_ source: Source) { counts[source, default: 0] += 1 }

    mutating func remove(_ source: Source) {
        guard let count = counts[source] else { return }
        counts[source] = count > 1 ? count - 1 : nil
    }
}
