import Primitives

/// One iterative search for the nodes closest to a target, and for what they hold (Kademlia, section 2.3; BEP 5).
///
///     searching ── the k closest have answered, or nobody is left ──▶ announcing ── confirmed or late ──▶ finished
///
/// It asks the nearest candidates, a few at a time, and learns nearer ones from the replies. It sends nothing itself:
/// the node asks `nextQuery()` and reports what became of the queries.
struct Lookup: Sendable {
    enum Purpose: Hashable, Sendable {
        /// Our own neighbourhood, at the start.
        case join
        /// A part of the table that was silent for long.
        case refresh
        case findNode
        case getPeers(InfoHash, announcing: UInt16?)
    }

    enum Query: Hashable, Sendable {
        case contact(Contact)
        /// An endpoint whose identifier is not known: a bootstrap node.
        case stranger(Endpoint)
    }

    enum Phase: Hashable, Sendable {
        case searching
        case announcing
        case finished
    }

    let id: LookupID
    let target: NodeID
    let purpose: Purpose
    private let limits: DHTLimits
    /// Whether it stands in the queue for a free query.
    var isStarved = false

    private(set) var phase = Phase.searching
    private(set) var candidates: Candidates
    var peers: FoundPeers
    private var strangers: [Endpoint] = []
    /// Open queries that are not slow, to nodes and to strangers, and those that are.
    private var askedInFlight = 0
    private var strangersInFlight = 0
    private var slowInFlight = 0
    private var announcesInFlight = 0
    private var lateAnnounces = 0
    private(set) var queriesSent = 0
    private(set) var replies = 0
    private(set) var announcedTo = 0

    init(id: LookupID, target: NodeID, purpose: Purpose, limits: DHTLimits) {
        self.id = id
        self.target = target
        self.purpose = purpose
        self.limits = limits
        candidates = Candidates(target: target, limits: limits)
        peers = FoundPeers(limits: limits)
    }

    /// Whether somebody outside waits for it.
    var isCommanded: Bool {
        switch purpose {
        case .findNode, .getPeers: true
        case .join, .refresh: false
        }
    }

    // MARK: Input

    mutating func add(_ contacts: [Contact], depth: Int = 1) {
        for contact in contacts { candidates.add(contact, depth: depth) }
    }

    /// Takes up endpoints whose identifiers are not known, to be asked before those that wait already.
    mutating func add(strangers endpoints: [Endpoint]) {
        strangers.insert(contentsOf: endpoints.filter { candidates.meets($0) }, at: 0)
    }

    /// Whom to ask now; the caller must then send the query.
    mutating func nextQuery() -> Query? {
        guard phase == .searching, queriesSent < limits.queriesPerLookup else { return nil }
        // Strangers are a way in; whoever has heard from enough nodes needs no more of them.
        if strangersInFlight < limits.strangersInFlight, !strangers.isEmpty, replies < limits.bucketSize {
            strangersInFlight += 1
            queriesSent += 1
            return .stranger(strangers.removeFirst())
        }
        guard askedInFlight < limits.queriesInFlight,
            let index = candidates.counting.first(where: { candidates.sorted[$0].state == .fresh })
        else { return nil }
        candidates.setState(.asked, at: index)
        askedInFlight += 1
        queriesSent += 1
        return .contact(candidates.sorted[index].contact)
    }

    /// Records an answer; `sender` is who answered, and so may differ from whom we meant to ask.
    mutating func answered(_ query: OpenQuery, by sender: Contact, token: [UInt8]?, naming contacts: [Contact]) {
        close(query)
        replies += 1
        var depth = 1
        if let expected = query.expected {
            candidates.update(Contact(expected, query.endpoint)) {
                depth = $0.depth
                // One who goes by another name than the one we were told is no candidate.
                $0.state = expected == sender.id ? .answered : .failed
                $0.token = token
            }
        } else {
            candidates.addAnswered(sender, token: token, depth: depth)
        }
        guard phase == .searching else { return }
        for contact in contacts { candidates.add(contact, depth: depth + 1) }
    }

    mutating func becameSlow(_ query: OpenQuery) {
        slowInFlight += 1
        guard let expected = query.expected else {
            strangersInFlight -= 1
            return
        }
        askedInFlight -= 1
        candidates.update(Contact(expected, query.endpoint)) { $0.state = .slow }
    }

    /// Records that a query failed: no answer, or an error.
    mutating func failed(_ query: OpenQuery) {
        close(query)
        guard let expected = query.expected else { return }
        candidates.update(Contact(expected, query.endpoint)) { $0.state = .failed }
    }

    mutating func announceConfirmed(_ query: OpenQuery) {
        closeAnnounce(query)
        announcedTo += 1
    }

    mutating func announceFailed(_ query: OpenQuery) { closeAnnounce(query) }

    mutating func announceBecameSlow() {
        announcesInFlight -= 1
        lateAnnounces += 1
    }

    private mutating func closeAnnounce(_ query: OpenQuery) {
        if query.isSlow { lateAnnounces -= 1 } else { announcesInFlight -= 1 }
    }

    private mutating func close(_ query: OpenQuery) {
        if query.isSlow {
            slowInFlight -= 1
        } else if query.expected == nil {
            strangersInFlight -= 1
        } else {
            askedInFlight -= 1
        }
    }

    // MARK: Progress

    /// How far the search is.
    enum Progress: Hashable, Sendable {
        case busy
        /// Only late answers are missing: what is known so far is good enough to act upon.
        case onlyLateAnswersMissing
        case complete
    }

    var progress: Progress {
        let isSpent = queriesSent >= limits.queriesPerLookup
        let counting = candidates.counting.map { candidates.sorted[$0].state }
        if counting.contains(.asked) || !isSpent && counting.contains(.fresh) { return .busy }
        // A refresh asks strangers for what its near nodes do not know, so it hears them out.
        if purpose == .refresh, strangersInFlight > 0 { return .busy }
        let answered = counting.count { $0 == .answered }
        if answered >= limits.bucketSize { return .complete }
        if strangersInFlight > 0 || !isSpent && replies < limits.bucketSize && !strangers.isEmpty { return .busy }
        return slowInFlight > 0 ? .onlyLateAnswersMissing : .complete
    }

    /// The nearest nodes that answered, at most k.
    var closest: [Candidate] {
        candidates.counting.map { candidates.sorted[$0] }.filter { $0.state == .answered }
    }

    /// Whom to announce to now, each once; the caller must then send the announcements.
    mutating func nextAnnounces() -> [(contact: Contact, token: [UInt8])] {
        guard case .getPeers(_, announcing: .some) = purpose else { return [] }
        var announces: [(contact: Contact, token: [UInt8])] = []
        for candidate in closest where !candidate.isAnnouncedTo {
            guard let token = candidate.token else { continue }
            candidates.update(candidate.contact) { $0.isAnnouncedTo = true }
            announces.append((candidate.contact, token))
        }
        announcesInFlight += announces.count
        return announces
    }

    /// Goes to the next phase if nothing holds it in this one.
    ///
    /// Late confirmations are waited for only while there is none at all: they count, but hold nobody up.
    mutating func advancePhase() {
        if phase == .searching, progress == .complete || isGoodEnough { phase = .announcing }
        if phase == .announcing, announcesInFlight == 0, lateAnnounces == 0 || announcedTo > 0 { phase = .finished }
    }

    /// Who asks for peers without announcing has what it wants; a late answer could only name more of them.
    private var isGoodEnough: Bool {
        guard case .getPeers(_, announcing: nil) = purpose else { return false }
        return peers.count > 0 && progress == .onlyLateAnswersMissing
    }

    /// Ends the search as it is: there is nobody left to ask.
    mutating func abandon() { phase = .finished }

    var summary: LookupSummary {
        let closest = closest
        return LookupSummary(
            outcome: replies > 0 ? .complete : .nobodyAnswered,
            closest: closest.map(\.contact),
            queriesSent: queriesSent,
            replies: replies,
            hops: closest.reduce(0) { max($0, $1.depth) },
            peersFound: peers.count,
            announcedTo: announcedTo
        )
    }
}
