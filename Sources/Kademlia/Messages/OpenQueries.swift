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
    /// Which key does who answers there hold?
    case proveKey
}

extension QueryPurpose {
    /// Whether it goes to who asked us something, for the most part: a source that may be forged, so that its silence says
    /// nothing about the network, and is not worth remembering.
    var isAboutAsker: Bool { self == .verify || self == .proveKey }
}

/// How long an answer is waited for before it is called slow, and the others are enough.
enum Patience: Hashable, Sendable {
    /// For who only reads: it has the value from the others.
    case hurried
    /// For who wants to know the nodes that are in truth the nearest.
    case patient
    /// For a confirmation, of a node that has answered only just now.
    case greatest
}

/// A query that waits for its answer.
struct OpenQuery: Hashable, Sendable {
    let purpose: QueryPurpose
    let endpoint: Endpoint
    /// Who should answer; `nil` for a node known by its address alone.
    let expected: NodeID?
    let sentAt: Instant
    /// When it counts as failed. An answer that comes later is dropped as unmatched.
    var failsAt = Instant.distantFuture
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

    @SharedLimits private var limits: DHTLimits
    private var open: [UInt32: OpenQuery] = [:]
    private var timers = Heap<Timer>()
    /// What the answers of all nodes took.
    private(set) var roundTrips = RoundTrips()
    private var failedInARow = 0

    init(limits: SharedLimits) { _limits = limits }

    var count: Int { open.count }
    var nextDeadline: Instant? { timers.first?.at }

    /// Whether somebody answers: else a silence says nothing about the node that keeps it.
    var areAnswered: Bool { failedInARow < limits.bucketSize }

    /// Records a query and returns its transaction, four bytes that nobody can foresee (hardening D1).
    ///
    /// - Parameter roundTrip: what earlier answers of the same node took, if there were any.
    mutating func add(
        _ query: OpenQuery,
        knowing roundTrip: RoundTrip?,
        patience: Patience,
        using secrets: inout KeyedRandom
    ) -> UInt32 {
        var transaction = UInt32(truncatingIfNeeded: secrets.next())
        while open[transaction] != nil { transaction = UInt32(truncatingIfNeeded: secrets.next()) }
        var query = query
        query.failsAt = query.sentAt + timeout
        open[transaction] = query
        timers.insert(Timer(at: query.sentAt + slowness(patience, knowing: roundTrip), transaction: transaction))
        return transaction
    }

    /// Takes the query that an answer belongs to: the transaction and the source must match (D1).
    mutating func take(_ transaction: UInt32, from endpoint: Endpoint, at now: Instant) -> OpenQuery? {
        guard let index = open.index(forKey: transaction), open.values[index].endpoint == endpoint else { return nil }
        let query = open.remove(at: index).value
        learn(roundTrip: now - query.sentAt)
        dropStaleTimers()
        return query
    }

    /// Takes a measured round trip into account.
    mutating func learn(roundTrip sample: Duration) {
        roundTrips.add(sample)
        failedInARow = 0
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
            if now >= query.failsAt {
                open[timer.transaction] = nil
                if !query.purpose.isAboutAsker { failedInARow += 1 }
                return .failed(query)
            }
            timers.insert(Timer(at: query.failsAt, transaction: timer.transaction))
            if query.isSlow { continue }
            query.isSlow = true
            open[timer.transaction] = query
            return .slow(query)
        }
        dropStaleTimers()
        return nil
    }

    /// How long a query may take: as long as most, and no longer than its node is known to need.
    private func slowness(_ patience: Patience, knowing roundTrip: RoundTrip?) -> Duration {
        let permille: Int
        switch patience {
        case .hurried: permille = limits.hurriedPermille
        case .patient: permille = limits.patientPermille
        case .greatest: return limits.slowestRoundTrip
        }
        let usual = roundTrips.quantile(permille: permille)
        let expected = roundTrip.map { min($0.latest, usual) } ?? usual
        return min(max(expected, limits.quickestRoundTrip), limits.slowestRoundTrip)
    }

    /// When a query has failed: several times what nearly all answers take.
    ///
    /// As long as that is not known, or is no longer true because nobody answers in time, it is as long as may be: too
    /// short a time would never be found out, for the answers that show it come too late.
    private var timeout: Duration {
        guard roundTrips.count >= limits.bucketSize, areAnswered else { return limits.longestTimeout }
        return min(max(roundTrips.quantile(permille: 950) * 4, limits.shortestTimeout), limits.longestTimeout)
    }

    /// Timers of answered queries stay in the heap until they come to its top.
    private mutating func dropStaleTimers() {
        while let timer = timers.first, open[timer.transaction] == nil { _ = timers.popFirst() }
    }
}
