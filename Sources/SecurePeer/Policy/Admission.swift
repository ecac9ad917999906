package import Primitives

/// Who may connect to us: the limits of secure-peer.md, §3, on accepted connections.
///
///     accepted ──▶ half-open ── hello within its rate ──▶ shaking hands ── settled ──▶ open ── closed
///        │             └─────────── too slow, evicted, failed: closed ◀────┘
///        └──▶ refused: closed without a byte
///
/// Every accepted connection is half-open until its handshake is done, a plain one too. TCP has proved the address, so no
/// cookie is needed, and what is counted by host cannot be forged. One host has a whole /64 of IPv6 (`IPAddress.host`).
package struct Admission {
    package enum Verdict: Hashable, Sendable {
        case admit
        /// Close it without a byte.
        case refuse
        /// The connection of this number makes room: close that one without a byte.
        case admitEvicting(UInt32)
    }

    /// Why a handshake came to nothing.
    package enum Failure: Hashable, Sendable {
        /// Anything that is wrong with SPS/1: it counts towards a ban, once the connection has said that it speaks that.
        case handshake
        /// A plain peer, and sessions have to be secure (hardening N20).
        case plainRefused
        /// Neither a plain handshake nor SPS/1: clients try their encryption (MSE) first and come back plain, so this
        /// counts towards nothing (hardening N21).
        case mseOrUnknown
    }

    /// What has happened since the start, for whoever runs the node.
    package struct Counters: Hashable, Sendable {
        /// Refused because their host was banned.
        package var refusedBanned: UInt64 = 0
        /// Refused because their host had its eight.
        package var refusedCrowded: UInt64 = 0
        /// Closed to make room for another.
        package var evicted: UInt64 = 0
        /// Refused after the magic, before any calculation.
        package var refusedHellos: UInt64 = 0
        package var failedHandshakes: UInt64 = 0
        package var bans: UInt64 = 0
        package var plainRefused: UInt64 = 0
        package var mseOrUnknown: UInt64 = 0
    }

    private struct Connection: Hashable, Sendable {
        let endpoint: Endpoint
        /// Whom its rates and failures are laid to.
        let host: Endpoint
        let acceptedAt: Instant
        var isHalfOpen = true
        var isShakingHands = false
    }

    /// The handshakes of one host that failed of late, the oldest first; once there are too many, when it may come back.
    private struct Record: Hashable, Sendable {
        var failures: [Instant] = []
        var bannedUntil: Instant?
    }

    private let limits: AdmissionLimits
    package private(set) var counters = Counters()
    private var connections: [UInt32: Connection] = [:]
    /// Half-open ones by network.
    private var crowds = Crowds<IPAddress>()
    private var halfOpenCount = 0
    private var hellos: TokenBucket
    /// Hosts that have taken tokens lately: as all take theirs from one bucket too, there are at most 300.
    private var hellosOfHosts: [Endpoint: TokenBucket] = [:]
    /// Swift's dictionaries hash with a secret key (SipHash-1-3), so nobody can aim at one of their buckets.
    private var records: LRUCache<Endpoint, Record>

    package init(limits: AdmissionLimits = AdmissionLimits(), at now: Instant) {
        self.limits = limits
        hellos = TokenBucket(at: now)
        records = LRUCache(capacity: limits.rememberedHosts)
    }

    /// Connections that have not finished their handshake.
    package var halfOpen: Int { halfOpenCount }

    /// Hosts whose rate of handshakes is remembered.
    var ratedHosts: Int { hellosOfHosts.count }

    // MARK: Facts

    /// A connection was accepted.
    ///
    /// - Parameter id: a number that no other open connection has.
    package mutating func accepted(_ id: UInt32, from endpoint: Endpoint, at now: Instant) -> Verdict {
        let host = host(endpoint)
        if let until = records.use(host)?.bannedUntil, now < until {
            counters.refusedBanned += 1
            return .refuse
        }
        let isNear = isNear(endpoint)
        if !isNear, connections.values.count(where: { $0.host == host }) >= limits.connectionsOfHost {
            counters.refusedCrowded += 1
            return .refuse
        }
        let victim = makeRoom(for: endpoint, of: host, isNear: isNear, at: now)
        connections[id] = Connection(endpoint: endpoint, host: host, acceptedAt: now)
        crowds.add(Admission.network(endpoint))
        halfOpenCount += 1
        return victim.map { .admitEvicting($0) } ?? .admit
    }

    /// A connection sent the magic of SPS/1. Nothing was calculated for it yet.
    ///
    /// - Returns: whether the handshake may go on; else close without a byte.
    package mutating func helloArrived(_ id: UInt32, at now: Instant) -> Bool {
        guard let connection = connections[id] else { return false }
        let host = connection.host
        // Its own share first: who has used that up takes nothing from the others (hardening N37).
        let bucket = hellosOfHosts[host] ?? TokenBucket(at: now)
        let own = isExempt(connection.endpoint) ? bucket : bucket.taking(limits.hellosOfHost, at: now)
        guard let own, let all = hellos.taking(limits.hellos, at: now) else {
            counters.refusedHellos += 1
            return false
        }
        hellos = all
        hellosOfHosts = hellosOfHosts.filter { !$0.value.isFull(at: now) }
        hellosOfHosts[host] = own
        connections[id]?.isShakingHands = true
        return true
    }

    /// The handshake of a connection is done, plain or secure.
    package mutating func settled(_ id: UInt32) { leaveHalfOpen(id) }

    /// The handshake of a connection came to nothing; `closed` follows.
    package mutating func failed(_ id: UInt32, _ failure: Failure, at now: Instant) {
        switch failure {
        case .plainRefused: counters.plainRefused += 1
        case .mseOrUnknown: counters.mseOrUnknown += 1
        case .handshake:
            guard let connection = connections[id], connection.isShakingHands else { return }
            connections[id]?.isShakingHands = false
            counters.failedHandshakes += 1
            blame(connection.host, at: now)
        }
    }

    /// A connection is gone, from whichever side.
    package mutating func closed(_ id: UInt32) {
        leaveHalfOpen(id)
        connections[id] = nil
    }

    // MARK: Room

    /// The connection that has to go: of a network that has its four, its oldest, and where all slots are taken, the oldest
    /// of the most crowded network. So silent connections lock nobody out (hardening N38).
    private mutating func makeRoom(
        for endpoint: Endpoint,
        of host: Endpoint,
        isNear: Bool,
        at now: Instant
    ) -> UInt32? {
        let own = Admission.network(endpoint)
        let isOwnFull = !isNear && crowds.count(of: own) >= limits.halfOpenOfNetwork
        guard isOwnFull || halfOpenCount >= limits.halfOpen else { return nil }
        let (crowds, largest) = (crowds, crowds.largestCount)
        let oldest = connections.lazy
            .filter { entry in
                guard entry.value.isHalfOpen else { return false }
                let network = Admission.network(entry.value.endpoint)
                return isOwnFull ? network == own : crowds.count(of: network) == largest
            }
            .min { ($0.value.acceptedAt, $0.key) < ($1.value.acceptedAt, $1.key) }
        guard let oldest else { return nil }
        counters.evicted += 1
        // Who floods pushes out its own handshakes, which then never fail by themselves; one of another host would be no
        // sign of anything, nor is a host's that still has hellos to say.
        if oldest.value.isShakingHands, oldest.value.host == host, hasSaidAllHellos(host, at: now) {
            counters.failedHandshakes += 1
            blame(host, at: now)
        }
        leaveHalfOpen(oldest.key)
        connections[oldest.key] = nil
        return oldest.key
    }

    private mutating func leaveHalfOpen(_ id: UInt32) {
        guard let connection = connections[id], connection.isHalfOpen else { return }
        connections[id]?.isHalfOpen = false
        connections[id]?.isShakingHands = false
        crowds.remove(Admission.network(connection.endpoint))
        halfOpenCount -= 1
    }

    private func hasSaidAllHellos(_ host: Endpoint, at now: Instant) -> Bool {
        hellosOfHosts[host].map { $0.taking(limits.hellosOfHost, at: now) == nil } ?? false
    }

    private mutating func blame(_ host: Endpoint, at now: Instant) {
        var record = records.use(host) ?? Record()
        record.failures = record.failures.filter { now - $0 < limits.failurePeriod } + [now]
        if record.failures.count >= limits.failures {
            record = Record(bannedUntil: now + limits.ban)
            counters.bans += 1
        }
        records.insert(record, for: host)
    }

    // MARK: Who is meant

    private func isExempt(_ endpoint: Endpoint) -> Bool { endpoint.address.isLoopback && !limits.holdLocally }

    /// Whether many nodes of one network or host are no sign of an attack: a network inside one building has one /24, whose
    /// nodes may all dial at the same moment (hardening D19).
    private func isNear(_ endpoint: Endpoint) -> Bool {
        (endpoint.address.isLoopback || endpoint.address.isPrivate) && !limits.holdLocally
    }

    /// A host, for which the port is 0, and where many nodes share one, an endpoint.
    private func host(_ endpoint: Endpoint) -> Endpoint {
        isExempt(endpoint) ? endpoint : Endpoint(endpoint.address.host, 0)
    }

    /// The /24 or /56 of an address, or loopback as a whole.
    private static func network(_ endpoint: Endpoint) -> IPAddress {
        switch endpoint.address {
        case .v4(let bits): .v4(bits & 0xffff_ff00)
        case .v6(let high, _): endpoint.address.isLoopback ? endpoint.address : .v6(high: high & ~0xff, low: 0)
        }
    }
}
