package import Primitives

/// Who told us of a peer; earlier ones are dialled first.
package enum PeerSource: UInt8, Hashable, Comparable, Sendable {
    case user
    case lan
    case tracker
    /// It came to us and said where it listens.
    case incoming
    case exchange
    case dht
    /// It proved the key of a signed record that says what it holds, and nobody else named it.
    case record

    /// Records come last: they cost nothing to make, and whoever reads the same ones would dial the same peers.
    package static func < (left: PeerSource, right: PeerSource) -> Bool { left.rawValue < right.rawValue }
}

/// How a connection ended, for deciding when to dial again.
package enum Parting: Hashable, Sendable {
    /// Data went over it.
    case useful
    /// It was closed or refused before anything useful happened; counts as a failed dial.
    case useless
    /// Neither has anything for the other (both complete), now or later.
    case settled
}

/// Where a torrent's peers may be: whom to dial next, whom not yet, whom never.
///
///     idle ── next ──▶ dialling ── connected ──▶ connected
///       ▲                 │ failed                  │ disconnected
///       └── 1, 5, 30 ─────┴─────────────────────────┘
///
/// The pauses are minutes, and seconds for peers that the user named and for loopback (hardening D14).
package struct PeerDirectory {
    package struct Limits: Hashable, Sendable {
        /// A candidate costs about 80 bytes, and choosing looks at each.
        package var capacity = 2000
        /// Ports of one address, loopback excepted (hardening D14, D19).
        package var portsPerAddress = 2
        package var banned = 1000
        package var maxConnections = 200
        /// Dials under way at a time.
        package var maxDialling = 16
        package var records = GuidanceLimits()

        package init() {}
    }

    enum State: Hashable {
        case idle
        case dialling
        case connected
    }

    struct Candidate {
        var endpoint: Endpoint
        var source: PeerSource
        var state = State.idle
        var failures = 0
        var dialAt: Instant
        /// Equals are dialled in random order, or every node would begin with the same peer.
        var ticket: UInt64

        func isReady(at now: Instant) -> Bool { state == .idle && dialAt <= now }
    }

    let limits: Limits
    private var random: SeededRandom
    private(set) var candidates: [Candidate] = []
    private var indices: [Endpoint: Int] = [:]
    private var perAddress: [IPAddress: Int] = [:]
    private var banned: LRUCache<HostKey, Bool>
    private var own: LRUCache<Endpoint, Bool>
    private var dialling = 0
    private var connections = 0
    var guide: RecordGuide
    var shares: DialShares

    package init(limits: Limits = .init(), seed: UInt64) {
        self.limits = limits
        random = SeededRandom(seed: seed)
        banned = LRUCache(capacity: limits.banned)
        own = LRUCache(capacity: 16)
        // A seed of its own: where there are no records all is as if there were none.
        guide = RecordGuide(limits: limits.records, seed: ~seed)
        shares = DialShares(recordsOfTen: limits.records.recordsOfTen)
    }

    package var count: Int { candidates.count }
    package var connectedCount: Int { connections }
    package var diallingCount: Int { dialling }

    /// Adds a candidate. Returns whether it is one now that was none before.
    ///
    /// Refused are what nobody can listen on, ourselves, the banned, a third port of one address, and, when strangers named
    /// it, ports below 1024 other than 80 and 443: they could make us knock at other people's services (hardening D14).
    @discardableResult
    package mutating func add(_ endpoint: Endpoint, source: PeerSource, at now: Instant) -> Bool {
        guard endpoint.port != 0, !endpoint.address.isReserved, !own.contains(endpoint), !isBanned(endpoint)
        else { return false }
        if source >= .exchange, endpoint.port < 1024, endpoint.port != 80, endpoint.port != 443 { return false }
        if let index = indices[endpoint] {
            candidates[index].source = min(candidates[index].source, source)
            return false
        }
        if !endpoint.address.isLoopback, source != .user,
            perAddress[endpoint.address, default: 0] >= limits.portsPerAddress
        {
            return false
        }
        if candidates.count >= limits.capacity, !makeRoom(for: source) { return false }
        indices[endpoint] = candidates.count
        candidates.append(Candidate(endpoint: endpoint, source: source, dialAt: now, ticket: random.next()))
        perAddress[endpoint.address, default: 0] += 1
        return true
    }

    /// The peer to dial now, if there is one and the limits leave room; it counts as being dialled.
    ///
    /// Peers that the user named come first. Of the others seven in ten are chosen by the plan that `Swarm.guide` makes of
    /// records, as long as it names any, and the rest by their turn: `reason(of:)` tells which.
    package mutating func next(at now: Instant) -> Endpoint? {
        guard dialling < limits.maxDialling, connections + dialling < limits.maxConnections else { return nil }
        var best: Int?
        for (index, candidate) in candidates.enumerated() where candidate.isReady(at: now) {
            if best.map({ PeerDirectory.isBetter(candidate, than: candidates[$0]) }) ?? true { best = index }
        }
        guard var chosen = best else { return nil }
        var reason = candidates[chosen].source == .user ? DialReason.user : .chance
        let isTurnOfRecords = reason == .chance && (shares.isTurnOfRecords || guide.isRoomHeld)
        if isTurnOfRecords, let pick = takePick(at: now), let index = indices[pick.endpoint] {
            (chosen, reason) = (index, pick.reason)
        }
        setState(.dialling, of: chosen)
        shares.began(candidates[chosen].endpoint, reason)
        return candidates[chosen].endpoint
    }

    /// When `next` may have another answer; `nil` where that depends on other events only.
    package var nextDeadline: Instant? {
        guard dialling < limits.maxDialling, connections + dialling < limits.maxConnections else { return nil }
        return candidates.lazy.filter { $0.state == .idle && $0.dialAt < .distantFuture }.map(\.dialAt).min()
    }

    /// Whether a connection from this host is to be taken: not banned, and there is room.
    package func accepts(_ endpoint: Endpoint) -> Bool { !isBanned(endpoint) && connections < limits.maxConnections }

    /// A connection stands, dialled by us or by the peer.
    package mutating func connected(_ endpoint: Endpoint) {
        guard let index = indices[endpoint] else { return }
        setState(.connected, of: index)
    }

    /// Dialling failed.
    package mutating func failed(_ endpoint: Endpoint, at now: Instant) {
        guard let index = indices[endpoint] else { return }
        setState(.idle, of: index)
        candidates[index].failures += 1
        candidates[index].dialAt = now + pause(candidates[index])
    }

    /// A connection ended.
    package mutating func disconnected(_ endpoint: Endpoint, _ parting: Parting, at now: Instant) {
        guard let index = indices[endpoint] else { return }
        switch parting {
        case .useless:
            failed(endpoint, at: now)
        case .useful:
            setState(.idle, of: index)
            candidates[index].failures = 1
            candidates[index].dialAt = now + pause(candidates[index])
        case .settled:
            setState(.idle, of: index)
            candidates[index].dialAt = .distantFuture
        }
    }

    /// More is wanted than before: whoever had nothing for us may be dialled again.
    package mutating func reconsider(at now: Instant) {
        for index in candidates.indices where candidates[index].dialAt == .distantFuture {
            candidates[index].dialAt = now
        }
    }

    /// The peer behind this endpoint is ourselves.
    package mutating func isSelf(_ endpoint: Endpoint) {
        own.insert(true, for: endpoint)
        remove { $0 == endpoint }
    }

    package mutating func ban(_ endpoint: Endpoint) {
        let key = HostKey(endpoint)
        banned.insert(true, for: key)
        remove { HostKey($0) == key }
    }

    /// Who told us of a candidate.
    package func source(of endpoint: Endpoint) -> PeerSource? { indices[endpoint].map { candidates[$0].source } }

    package func isBanned(_ endpoint: Endpoint) -> Bool { banned.contains(HostKey(endpoint)) }

    /// Candidates that are not connected, best first: what peer exchange and a restart are told.
    package func known(atMost count: Int) -> [Endpoint] {
        Array(candidates.filter { $0.failures == 0 }.sorted(by: PeerDirectory.isBetter).prefix(count).map(\.endpoint))
    }

    private func pause(_ candidate: Candidate) -> Duration {
        let steps = [1, 5, 30]
        let step = steps[min(max(candidate.failures, 1), steps.count) - 1]
        let isNear = candidate.source == .user || candidate.endpoint.address.isLoopback
        return isNear ? .seconds(step) : .seconds(60 * step)
    }

    private static func isBetter(_ left: Candidate, than right: Candidate) -> Bool {
        if left.failures != right.failures { return left.failures < right.failures }
        if left.source != right.source { return left.source < right.source }
        return left.ticket < right.ticket
    }

    private mutating func setState(_ state: State, of index: Int) {
        let old = candidates[index].state
        dialling += (state == .dialling ? 1 : 0) - (old == .dialling ? 1 : 0)
        connections += (state == .connected ? 1 : 0) - (old == .connected ? 1 : 0)
        candidates[index].state = state
        if state == .idle { shares.ended(candidates[index].endpoint) }
    }

    func candidate(at endpoint: Endpoint) -> Candidate? { indices[endpoint].map { candidates[$0] } }

    /// The candidate that failed most often goes, or one of a lesser source; never one that is in use or that the user named.
    private mutating func makeRoom(for source: PeerSource) -> Bool {
        var worst: Int?
        for (index, candidate) in candidates.enumerated() where candidate.state == .idle && candidate.source != .user {
            if worst.map({ PeerDirectory.isBetter(candidates[$0], than: candidate) }) ?? true { worst = index }
        }
        guard let worst, candidates[worst].failures > 0 || candidates[worst].source > source else { return false }
        remove(at: worst)
        return true
    }

    private mutating func remove(where isGone: (Endpoint) -> Bool) {
        for index in candidates.indices.reversed() where isGone(candidates[index].endpoint) { remove(at: index) }
    }

    private mutating func remove(at index: Int) {
        setState(.idle, of: index)
        let endpoint = candidates[index].endpoint
        guide.forget(endpoint)
        let last = candidates.count - 1
        candidates.swapAt(index, last)
        indices[candidates[index].endpoint] = index
        candidates.removeLast()
        indices[endpoint] = nil
        let rest = perAddress[endpoint.address, default: 1] - 1
        perAddress[endpoint.address] = rest > 0 ? rest : nil
    }
}
