/// The sequence numbers of one key's records: Unix time in milliseconds, and more each time whatever the clock does.
package struct RecordSequence: Hashable, Sendable {
    /// The last one that was used; 0 before the first.
    package private(set) var last: Int64

    /// - Parameter last: of a former run.
    package init(last: Int64 = 0) { self.last = max(0, last) }

    /// The next one.
    ///
    /// One that lies too far in the future is forgotten: it comes of a clock that was wrong, and nobody whose own is right
    /// has taken that record.
    package mutating func next(at unixMilliseconds: Int64) -> Int64 {
        let now = max(1, unixMilliseconds)
        let isBelievable = last.subtractingReportingOverflow(now).partialValue <= AvailabilityRecord.clockTolerance
        last = isBelievable ? max(now, last + 1) : now
        return last
    }
}
