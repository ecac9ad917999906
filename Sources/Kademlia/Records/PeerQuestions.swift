import Primitives

/// Peers that wait to be asked for their own records, so many a second, and how many signatures their answers may cost.
///
/// They are the peers of a torrent, most of them mainline clients, to whom `get_have` means nothing: somebody named them
/// to us, so they must not get more than a packet now and then.
struct PeerQuestions {
    private struct Waiting: Sendable {
        let lookup: LookupID
        let peer: Endpoint
    }

    private let capacity: Int
    private var waiting: [Waiting] = []
    private var pace: Allowance
    private var checks: Allowance

    init(limits: RecordLimits, now: Instant) {
        // As many as ten searches ask: beyond that a peer is not asked.
        capacity = limits.peersAsked * 10
        pace = Allowance(perSecond: limits.peersAskedPerSecond, now: now)
        checks = Allowance(perSecond: limits.readChecksPerSecond, now: now)
    }

    var hasRoom: Bool { waiting.count < capacity }

    mutating func add(_ peer: Endpoint, of lookup: LookupID) { waiting.append(Waiting(lookup: lookup, peer: peer)) }

    /// Takes the next one whose turn has come.
    mutating func next(at now: Instant) -> (lookup: LookupID, peer: Endpoint)? {
        guard !waiting.isEmpty, pace.admits(at: now) else { return nil }
        let next = waiting.removeFirst()
        return (next.lookup, next.peer)
    }

    var nextDeadline: Instant? { waiting.isEmpty ? nil : pace.nextAdmission }

    /// Forgets the peers of a lookup that is over.
    mutating func remove(_ lookup: LookupID) { waiting.removeAll { $0.lookup == lookup } }

    /// Whether the signature of a record in a reply may be checked; counts it if so.
    mutating func affordsCheck(at now: Instant) -> Bool { checks.admits(at: now) }
}
