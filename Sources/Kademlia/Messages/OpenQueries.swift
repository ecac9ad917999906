import Primitives

/// What an open query is for, and so who is told of its outcome.
enum QueryPurpose: Hashable, Sendable {
    /// A command asked for it.
    case ping(PingID)
    /// Does this node belong, or still belong, into the table?
    case verify
    case lookup(LookupID)
    /// A lookup asks about a place beside its target.
    case findNode(LookupID)
    case store(LookupID)
}

/// A query that waits for its answer.
struct OpenQuery: Hashable, Sendable {
    let purpose: QueryPurpose
    let endpoint: Endpoint
    /// Who should answer; `nil` for a node known by its address alone.
    let expected: NodeID?
    let sentAt: Instant
    var isSlow = false
}

/// The queries that wait for an answer, by transaction.
struct OpenQueries {
    /// What time did to a query.
    enum Lapse: Hashable, Sendable {
        /// Its answer is late, but still welcome.
        case slow(OpenQuery)
        /// It failed and is forgotten.
        case failed(OpenQuery)
    }

    private struct Timer: Comparable, Sendable {
        let at: Instant
        let transaction: UInt32

        static func < (left: Timer, right: Timer) -> Bool {
            left.at != right.at ? left.at < right.at : left.transaction < right.transaction
        }
    }

    private let limits: DHTLimits
    private var open: [UInt32: OpenQuery] = [:]
    private var timers = Heap<Timer>()
    /// Smoothed as TCP does (RFC 6298: 1/8 of the newest); `nil` before the first reply.
    private(set) var roundTrip: Duration?

    init(limits: DHTLimits) { self.limits = limits }

    var count: Int { open.count }
    var nextDeadline: Instant? { timers.first?.at }

    /// Records a query and returns its transaction, four bytes that nobody can foresee (hardening D1).
    mutating func add(_ query: OpenQuery, using secrets: inout KeyedRandom) -> UInt32 {
        var transaction = UInt32(truncatingIfNeeded: secrets.next())
        while open[transaction] != nil { transaction = UInt32(truncatingIfNeeded: secrets.next()) }
        open[transaction] = query
        timers.insert(Timer(at: query.sentAt + slowness, transaction: transaction))
        return transaction
    }

    /// Takes the query that an answer belongs to: the transaction and the source must match (D1).
    mutating func take(_ transaction: UInt32, from endpoint: Endpoint, at now: Instant) -> OpenQuery? {
        guard let query = open[transaction], query.endpoint == endpoint else { return nil }
        open[transaction] = nil
        learn(roundTrip: now - query.sentAt)
        dropStaleTimers()
        return query
    }

    /// Takes a measured round trip into account.
    mutating func learn(roundTrip sample: Duration) {
        roundTrip = roundTrip.map { $0 + (sample - $0) / 8 } ?? sample
    }

    /// Takes a query of ours that came back to us: it was sent to one of our own endpoints.
    ///
    /// The source says nothing here (a NAT may have changed it). Nobody but the node that was asked knows the
    /// transaction, and a node that mirrors our query only has itself taken for us.
    mutating func takeEcho(_ transaction: UInt32) -> OpenQuery? {
        defer { dropStaleTimers() }
        return open.removeValue(forKey: transaction)
    }

    /// Takes all queries, in the order in which they would have failed.
    mutating func takeAll() -> [OpenQuery] {
        defer {
            open.removeAll()
            timers.removeAll()
        }
        return open.sorted { ($0.value.sentAt, $0.key) < ($1.value.sentAt, $1.key) }.map(\.value)
    }

    /// The next query that became slow or failed until `now`.
    mutating func nextLapse(at now: Instant) -> Lapse? {
        while let timer = timers.first, timer.at <= now {
            _ = timers.popFirst()
            guard var query = open[timer.transaction] else { continue }
            let failsAt = query.sentAt + limits.queryTimeout
            if now >= failsAt {
                open[timer.transaction] = nil
                return .failed(query)
            }
            timers.insert(Timer(at: failsAt, transaction: timer.transaction))
            if query.isSlow { continue }
            query.isSlow = true
            open[timer.transaction] = query
            return .slow(query)
        }
        dropStaleTimers()
        return nil
    }

    /// Three round trips: a node that takes longer than that is worth being overtaken, not yet worth being given up.
    private var slowness: Duration {
        guard let roundTrip else { return limits.slowestRoundTrip }
        return min(max(roundTrip * 3, limits.quickestRoundTrip), limits.slowestRoundTrip)
    }

    /// Timers of answered queries stay in the heap until they come to its top.
    private mutating func dropStaleTimers() {
        while let timer = timers.first, open[timer.transaction] == nil { _ = timers.popFirst() }
    }
}
