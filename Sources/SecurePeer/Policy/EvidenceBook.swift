package import Cryptography
package import Primitives

/// Who speaks SPS/1: what keeps a man in the middle from talking us down to plain (secure-peer.md, §3, Policy).
///
/// What an endpoint itself showed is evidence for seven days: from then on it is dialled with SPS/1 and nothing else. What
/// others say of it is hearsay, and only makes us try SPS/1 first; else one lie would keep us from a peer that is plain.
///
///     nothing ── hearsay ──▶ tried first ── fails once ──▶ nothing
///        └─────── evidence ──▶ insisted on ── seven days, or three failures in more than an hour ──▶ nothing
package struct EvidenceBook: Sendable {
    /// How we came to know.
    package enum Source: Hashable, Sendable {
        /// It answered `sp_id`, or a question for records, over UDP: the key is proved, and expected until the given time.
        case proof(until: Instant)
        /// A session that we dialled.
        case session
        /// The key `sp` in its extension handshake (BEP 10), on a plain connection that we dialled.
        case announcement
        /// The person gave its key. Neither time nor failures change that.
        case pin
        /// Others said so; or it did itself, but of a port that we did not dial: whoever shares its address could.
        case hearsay
    }

    /// What is known of one endpoint.
    struct Evidence: Hashable, Sendable {
        var key: Ed25519.PublicKey
        var seenAt: Instant
        /// Until then the key is proved by a record or by `sp_id`, and failures do not count.
        var provedUntil: Instant?
        var failures = 0
        /// Of those, the first.
        var firstFailureAt: Instant?

        /// Only a session shows that one can be had; of what is blocked on the way, the failures go on counting.
        mutating func continueFailures(of known: Evidence?) {
            failures = known?.failures ?? 0
            firstFailureAt = known?.firstFailureAt
        }
    }

    let limits: EvidenceLimits
    private(set) var evidence: [Endpoint: Evidence] = [:]
    private var pins: [Endpoint: Ed25519.PublicKey] = [:]
    private var hearsay: LRUCache<Endpoint, Instant>
    private var networks = Crowds<IPAddress>()
    private var keys = Crowds<Ed25519.PublicKey>()

    package init(limits: EvidenceLimits = EvidenceLimits()) {
        self.limits = limits
        hearsay = LRUCache(capacity: limits.hearsay)
    }

    /// Endpoints that there is evidence of, also such as is stale by now.
    package var count: Int { evidence.count }

    // MARK: Facts

    /// Somebody at an endpoint has a key and speaks SPS/1.
    package mutating func learned(
        _ key: Ed25519.PublicKey,
        at endpoint: Endpoint,
        by source: Source,
        at now: Instant
    ) {
        let known = evidence[endpoint]
        var entry = Evidence(key: key, seenAt: now)
        // What was proved of the same key before stays proved.
        if let known, known.key == key { entry.provedUntil = known.provedUntil }
        switch source {
        case .pin:
            pins[endpoint] = key
            return
        case .hearsay:
            hearsay.insert(now, for: endpoint)
            return
        case .session: break
        case .announcement:
            // Said in plain, it takes nothing from what was proved: else a man in the middle would put his own key there.
            if let known, known.key != key, isProved(known, at: now) { return }
            entry.continueFailures(of: known)
        case .proof(let until):
            entry.provedUntil = min(until, now + limits.freshness)
            entry.continueFailures(of: known)
        }
        enter(entry, endpoint)
    }

    /// An endpoint was reached and dialled with SPS/1, and answered with something else or not at all.
    ///
    /// What proves that it speaks SPS/1 is no failure of this kind: a certificate that is not valid, a key that was not
    /// expected. Nor is a connection that did not come about.
    package mutating func failed(at endpoint: Endpoint, at now: Instant) {
        hearsay.remove(endpoint)
        guard var entry = evidence[endpoint] else { return }
        let first = entry.firstFailureAt ?? now
        entry.failures = min(entry.failures + 1, limits.failures)
        entry.firstFailureAt = first
        evidence[endpoint] = entry
        // It may have passed to somebody who is plain. An unexpired record says that it has not.
        if entry.failures >= limits.failures, now - first > limits.failurePeriod, !isProved(entry, at: now) {
            remove(endpoint)
        }
    }

    /// The owner of a key says that it does not speak SPS/1, and the endpoint has proved that key. What another key has shown
    /// there stays: nobody undoes that who only stands between.
    package mutating func declined(_ key: Ed25519.PublicKey, at endpoint: Endpoint) {
        if evidence[endpoint]?.key == key { remove(endpoint) }
    }

    /// Nothing is known of an endpoint any more: it turned out to be ourselves, or the person withdrew the key.
    package mutating func forget(_ endpoint: Endpoint) {
        pins[endpoint] = nil
        hearsay.remove(endpoint)
        remove(endpoint)
    }

    // MARK: Questions

    /// How an endpoint is to be dialled.
    ///
    /// - Parameters:
    ///   - requiresSecure: a trust list or the key of a private swarm is set, which only SPS/1 can honour.
    ///   - pin: the key that this dial is to find, the `sp` of a plain connection just now. What the person said wins over
    ///     what was said in plain.
    package func dialPlan(
        for endpoint: Endpoint,
        policy: SecurePolicy,
        requiresSecure: Bool = false,
        pin: Ed25519.PublicKey? = nil,
        at now: Instant
    ) -> DialPlan {
        let entry = evidence[endpoint].flatMap { isValid($0, at: now) ? $0 : nil }
        let expected = pins[endpoint] ?? pin ?? entry.flatMap { isProved($0, at: now) ? $0.key : nil }
        if requiresSecure || pin != nil || pins[endpoint] != nil {
            return .secure(expecting: expected, mayFallBack: false)
        }
        switch policy {
        case .off: return .plain
        case .require: return .secure(expecting: expected, mayFallBack: false)
        case .prefer:
            if entry != nil { return .secure(expecting: expected, mayFallBack: false) }
            let isSaid = hearsay.value(of: endpoint).map { now - $0 < limits.freshness } ?? false
            return isSaid ? .secure(expecting: nil, mayFallBack: true) : .plain
        }
    }

    /// Whether an endpoint itself showed lately that it speaks SPS/1.
    package func isEvident(_ endpoint: Endpoint, at now: Instant) -> Bool {
        evidence[endpoint].map { isValid($0, at: now) } ?? false
    }

    /// Where a key was met lately, the latest first: who is trusted is found there again.
    package func endpoints(of key: Ed25519.PublicKey, at now: Instant) -> [Endpoint] {
        evidence.filter { $0.value.key == key && isValid($0.value, at: now) }
            .sorted { EvidenceBook.isOlder($1, $0) }.map(\.key)
    }

    private func isProved(_ entry: Evidence, at now: Instant) -> Bool { entry.provedUntil.map { $0 > now } ?? false }

    func isValid(_ entry: Evidence, at now: Instant) -> Bool {
        isProved(entry, at: now) || now - entry.seenAt < limits.freshness
    }

    // MARK: Room

    /// Takes an entry up; the oldest of its key, or of the most crowded network, makes room for it.
    mutating func enter(_ entry: Evidence, _ endpoint: Endpoint) {
        hearsay.remove(endpoint)
        remove(endpoint)
        evidence[endpoint] = entry
        networks.add(endpoint.address.network)
        keys.add(entry.key)
        if keys.count(of: entry.key) > limits.endpointsOfKey {
            removeOldest(but: endpoint) { $1.key == entry.key }
        } else if evidence.count > limits.endpoints {
            let (networks, largest) = (networks, networks.largestCount)
            removeOldest(but: endpoint) { endpoint, _ in networks.count(of: endpoint.address.network) == largest }
        }
    }

    private mutating func removeOldest(but newest: Endpoint, where isMeant: (Endpoint, Evidence) -> Bool) {
        var oldest: (key: Endpoint, value: Evidence)?
        for entry in evidence where entry.key != newest && isMeant(entry.key, entry.value) {
            if oldest.map({ EvidenceBook.isOlder(entry, $0) }) ?? true { oldest = entry }
        }
        remove(oldest?.key ?? newest)
    }

    /// Of the same age, always in the same order.
    static func isOlder(_ one: (key: Endpoint, value: Evidence), _ other: (key: Endpoint, value: Evidence)) -> Bool {
        if one.value.seenAt != other.value.seenAt { return one.value.seenAt < other.value.seenAt }
        let (left, right) = (one.key.address.mapped, other.key.address.mapped)
        return (left.high, left.low, one.key.port) < (right.high, right.low, other.key.port)
    }

    private mutating func remove(_ endpoint: Endpoint) {
        guard let entry = evidence.removeValue(forKey: endpoint) else { return }
        networks.remove(endpoint.address.network)
        keys.remove(entry.key)
    }
}
