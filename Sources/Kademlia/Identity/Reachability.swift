import Primitives

/// Whether hosts of the internet reach us uninvited, and so whether we serve them (BEP 43).
///
///     read-only ── a query came from an address that we had sent nothing to ──▶ serving
///         ▲                                                                        │
///         └──────────── nothing uninvited came for an hour, or we moved ◀──────────┘
///
/// A node behind address translation would cost everybody who tries to reach it a timeout, so it says `ro` in its
/// queries, and nobody takes it up. Somebody must know us before anybody can come uninvited: now and then some
/// neighbours are asked without `ro`, and get answers. What is said here holds for public addresses alone: hosts of a
/// private network, or of this one, reach each other.
struct Reachability: Sendable {
    @SharedLimits private var limits: DHTLimits
    private var uninvitedAt: Instant?
    /// The first node of a network serves: it would wait for ever.
    private var isFirst = false
    /// Whom we sent something that would let their answers, and more, through an address translation.
    private var contacted: RecentAddresses
    /// Whom we asked without `ro`, so that they take us up.
    private var probed: RecentAddresses
    private var nextProbe: Instant?
    private var probePause: Duration

    init(limits shared: SharedLimits, now: Instant) {
        let limits = shared.wrappedValue
        _limits = shared
        contacted = RecentAddresses(lifetime: limits.mapping * 2, capacity: limits.contactedAddresses, now: now)
        probed = RecentAddresses(lifetime: limits.mapping * 2, capacity: limits.contactedAddresses, now: now)
        probePause = limits.firstProbePause
    }

    // MARK: Facts

    /// - Parameter isFirst: there is nobody to join.
    mutating func started(isFirst: Bool) { self.isFirst = isFirst }

    mutating func sent(to address: IPAddress, at now: Instant) {
        guard address.isPublic, !isFirst else { return }
        contacted.insert(address, at: now)
    }

    /// An answer lets more queries in as well. Whoever serves need not count those that it answers.
    mutating func answered(_ address: IPAddress, at now: Instant) {
        if !isServing(at: now) { sent(to: address, at: now) }
    }

    /// Records a query, and says whether it is answered.
    ///
    /// - Parameter isJoined: a node that is in no network yet answers everybody. After a blackout all nodes start at
    ///   once, each asks those it remembers, and nobody is ever uninvited.
    mutating func answers(_ address: IPAddress, isJoined: Bool, at now: Instant) -> Bool {
        guard address.isPublic, limits.serving == .whenReachable, !isFirst else { return limits.serving != .never }
        // While it is fresh there is nothing to find out: an answer costs no search.
        if let uninvitedAt, now - uninvitedAt < limits.mapping { return true }
        // Who has contacted so many that not all are known goes on as it was.
        if !contacted.contains(address, at: now), !contacted.isIncomplete || isServing(at: now) {
            reached(at: now)
            return true
        }
        return isServing(at: now) || !isJoined || probed.contains(address, at: now)
    }

    /// Records that somebody came uninvited.
    mutating func reached(at now: Instant) {
        uninvitedAt = now
        probePause = limits.firstProbePause
    }

    /// Starts over: what was true at another address says nothing about this one.
    mutating func moved() {
        uninvitedAt = nil
        nextProbe = nil
        probePause = limits.firstProbePause
    }

    // MARK: Decisions

    /// Whether our queries to `address` have to say `ro`.
    func isReadOnly(toward address: IPAddress, at now: Instant) -> Bool {
        switch limits.serving {
        case .never: true
        case .always: false
        case .whenReachable: address.isPublic && !isServing(at: now)
        }
    }

    func isServing(at now: Instant) -> Bool {
        switch limits.serving {
        case .never: false
        case .always: true
        case .whenReachable: isFirst || uninvitedAt.map { now - $0 < limits.reachabilityLifetime } ?? false
        }
    }

    /// Whether some neighbours should be asked now as if we were serving. The pauses double, because those that cannot
    /// be reached remain so mostly.
    mutating func shouldProbe(at now: Instant) -> Bool {
        guard limits.serving == .whenReachable, !isServing(at: now), nextProbe.map({ $0 <= now }) ?? true else {
            return false
        }
        nextProbe = now + probePause
        probePause = min(probePause * 2, limits.longestProbePause)
        return true
    }

    mutating func probed(_ address: IPAddress, at now: Instant) { probed.insert(address, at: now) }
}
