import Cryptography
import Primitives

/// Which endpoints are asked to prove their key, and which did.
///
///     claimed or met ──▶ waiting ── the pace allows ──▶ open ── proof ──▶ proved
///                                                         └─── silence ──▶ silent for half an hour, if only claimed
struct Proving {
    /// A question that waits for its answer.
    struct Question: Hashable, Sendable {
        let nonce: UInt256
        /// Whether a record says that its owner is there; then the owner of this node hears of the proof.
        var isClaimed: Bool
    }

    private struct Waiting: Sendable {
        let endpoint: Endpoint
        let expected: NodeID?
    }

    private struct Proved {
        let key: Ed25519.PublicKey
        let at: Instant
    }

    @SharedLimits private var limits: DHTLimits
    private var open: [Endpoint: Question] = [:]
    private var waiting: [Waiting] = []
    /// Of those that wait, which are claimed.
    private var claimed: Set<Endpoint> = []
    private var proved: LRUCache<Endpoint, Proved>
    /// When an endpoint was last asked for the table's sake.
    private var met: LRUCache<Endpoint, Instant>
    private var silences: SilentAddresses
    private var pace: Allowance
    /// What others may ask of us.
    private(set) var answers: Allowance

    init(limits shared: SharedLimits, now: Instant) {
        let limits = shared.wrappedValue.records
        _limits = shared
        proved = LRUCache(capacity: limits.provedEndpoints)
        met = LRUCache(capacity: limits.provedEndpoints)
        silences = SilentAddresses(limits: shared)
        pace = Allowance(perSecond: limits.questionsPerSecond, now: now)
        answers = Allowance(perSecond: limits.proofsPerSecond, perAddress: limits.proofsPerAddress, now: now)
    }

    // MARK: Questions of ours

    /// Puts an endpoint into the queue, unless it is in it already, was silent lately, or there is no room.
    mutating func add(_ endpoint: Endpoint, expecting expected: NodeID?, isClaimed: Bool, at now: Instant) {
        if open[endpoint] != nil {
            if isClaimed { open[endpoint]?.isClaimed = true }
            return
        }
        if isClaimed {
            guard !silences.contains(endpoint, at: now) else { return }
        } else if let asked = met.value(of: endpoint), now - asked < limits.records.questionPause {
            return
        }
        if waiting.contains(where: { $0.endpoint == endpoint }) {
            if isClaimed { claimed.insert(endpoint) }
            return
        }
        // What is only for the table leaves half of the queue to what somebody waits for.
        let room = isClaimed ? limits.records.questionsWaiting : limits.records.questionsWaiting / 2
        guard waiting.count < room else { return }
        waiting.append(Waiting(endpoint: endpoint, expected: expected))
        if isClaimed { claimed.insert(endpoint) } else { met.insert(now, for: endpoint) }
    }

    /// Takes the next endpoint whose turn has come, and opens its question.
    mutating func next(at now: Instant, using secrets: inout KeyedRandom) -> (Endpoint, NodeID?, UInt256)? {
        guard !waiting.isEmpty, pace.admits(at: now) else { return nil }
        let next = waiting.removeFirst()
        let nonce = UInt256(
            first: secrets.next(),
            second: secrets.next(),
            third: secrets.next(),
            fourth: secrets.next()
        )
        open[next.endpoint] = Question(nonce: nonce, isClaimed: claimed.remove(next.endpoint) != nil)
        return (next.endpoint, next.expected, nonce)
    }

    /// When the next question may be asked; `nil` where none waits.
    var nextDeadline: Instant? { waiting.isEmpty ? nil : pace.nextAdmission }

    /// Whether some node may prove its key any moment.
    var isAsking: Bool { !open.isEmpty || !waiting.isEmpty }

    /// Whether the table may grow now without keeping anybody waiting.
    var isIdle: Bool { waiting.count < limits.records.questionsWaiting / 2 }

    mutating func close(_ endpoint: Endpoint) -> Question? { open.removeValue(forKey: endpoint) }

    /// Records that a question found no answer.
    mutating func wasSilent(_ endpoint: Endpoint, at now: Instant) {
        if open.removeValue(forKey: endpoint)?.isClaimed == true { silences.insert(endpoint, at: now) }
    }

    // MARK: What is known

    mutating func proved(_ key: Ed25519.PublicKey, at endpoint: Endpoint, _ now: Instant) {
        proved.insert(Proved(key: key, at: now), for: endpoint)
        silences.remove(endpoint)
    }

    /// The key that an endpoint proved lately.
    func key(at endpoint: Endpoint, _ now: Instant) -> Ed25519.PublicKey? {
        guard let known = proved.value(of: endpoint), now - known.at < limits.records.proofLifetime else { return nil }
        return known.key
    }

    func isSilent(_ endpoint: Endpoint, at now: Instant) -> Bool { silences.contains(endpoint, at: now) }
    mutating func foundSilent(_ endpoint: Endpoint, at now: Instant) { silences.insert(endpoint, at: now) }

    // MARK: Questions of others

    /// Whether we sign for `address` now; counts it if so.
    mutating func answers(_ address: IPAddress, at now: Instant) -> Bool {
        answers.admits(limits.exempts(address) ? nil : address, at: now)
    }
}
