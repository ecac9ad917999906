import Primitives

/// One iterative search for the nodes closest to a target, and for what they hold (Kademlia, section 2.3; BEP 5).
///
///     searching ── the k closest have answered, or nobody is left ──▶ storing ── confirmed or late ──▶ finished
///         │                                                              ▲
///         └─ something to store, or an eclipse suspected ──▶ widening ───┘ the region was asked
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
        case getPeers(InfoHash)
        /// How many seeds and peers there are (BEP 33).
        case scrape(InfoHash)
        /// Which info-hashes the nodes hold (BEP 51).
        case sample
        /// BEP 44. The salt is what the target was made with.
        case item(salt: [UInt8], newerThan: Int64?)
        /// An item that we hold for others, or keep alive ourselves.
        case republish(salt: [UInt8], newerThan: Int64?)
        /// Who holds which pieces, among the nodes of our kind and the peers of the torrent.
        case records(InfoHash)
        /// More nodes of our kind.
        case overlay
    }

    enum Query: Hashable, Sendable {
        case contact(Contact)
        /// An endpoint whose identifier is not known: a bootstrap node.
        case stranger(Endpoint)
        /// For the nodes nearest to a place beside the target.
        case findNode(NodeID, Contact)
    }

    enum Phase: Hashable, Sendable {
        case searching
        /// All over the region of the target.
        case widening
        case storing
        case finished
    }

    let id: LookupID
    let target: NodeID
    let purpose: Purpose
    /// Who only reads would rather miss a slow node than wait for it.
    let patience: Patience
    /// What it stores, and how far it is with that; `nil` where it only reads.
    var storing: Storing?
    @SharedLimits var limits: DHTLimits
    /// Where those live who might hold the value; `nil` where there is none, or as long as the size of the network is
    /// not known.
    var region: Region?
    var widening: RegionSearch?
    /// Whether it stands in the queue for a free query.
    var isStarved = false

    var phase = Phase.searching
    var candidates: Candidates
    var peers: FoundPeers
    /// What was counted, where that is the purpose.
    var scrape: Scrape?
    /// `nil` where no item is searched for.
    var item: ItemSearch?
    /// `nil` where no records are searched for.
    var records: RecordSearch?
    private var strangers: [Endpoint] = []
    /// Open queries that are not slow, to nodes and to strangers, and those that are.
    var askedInFlight = 0
    private var strangersInFlight = 0
    private var slowInFlight = 0
    var queriesSent = 0
    private(set) var replies = 0

    /// - Parameter usualRoundTrip: what an answer takes of a node of which nothing is known.
    init(
        id: LookupID,
        target: NodeID,
        purpose: Purpose,
        storing value: StoredValue? = nil,
        usualRoundTrip: Duration,
        limits: SharedLimits
    ) {
        self.id = id
        self.target = target
        self.purpose = purpose
        storing = value.map { Storing($0) }
        patience = value == nil && purpose.isHurried ? .hurried : .patient
        _limits = limits
        candidates = Candidates(target: target, usualRoundTrip: usualRoundTrip, limits: limits)
        peers = FoundPeers(limits: limits)
        switch purpose {
        case .scrape: scrape = Scrape(limits: limits)
        case .item(let salt, let known), .republish(let salt, let known):
            item = ItemSearch(target: target, salt: salt, newerThan: known)
        case .records(let infoHash): records = RecordSearch(infoHash: infoHash, limits: limits)
        case .join, .refresh, .findNode, .getPeers, .sample, .overlay: break
        }
    }

    /// Whether somebody outside waits for it.
    var isCommanded: Bool {
        switch purpose {
        case .findNode, .getPeers, .scrape, .sample, .item, .records: true
        case .join, .refresh, .republish, .overlay: false
        }
    }

    // MARK: Input

    /// Takes up nodes that we know ourselves.
    ///
    /// - Parameter roundTrip: what the answers of a node take, where that is known.
    mutating func add(_ contacts: [Contact], roundTrip: (Contact) -> Duration? = { _ in nil }) {
        candidates.add(contacts, depth: 1, roundTrip: roundTrip)
    }

    /// Takes up endpoints whose identifiers are not known, to be asked before those that wait already.
    mutating func add(strangers endpoints: [Endpoint]) {
        // One that was asked in vain is asked again: whoever names it now may know that the network is back.
        let wanted = endpoints.filter { candidates.meets($0) || candidates.wasSilent($0) && !strangers.contains($0) }
        strangers.insert(contentsOf: wanted, at: 0)
    }

    /// Whom to ask now; the caller must then send the query.
    mutating func nextQuery() -> Query? {
        if phase == .widening { return nextRegionQuery() }
        guard phase == .searching, !isSpent else { return nil }
        if strangersInFlight < limits.strangersInFlight, !strangers.isEmpty, isInterestedInStrangers {
            strangersInFlight += 1
            queriesSent += 1
            return .stranger(strangers.removeFirst())
        }
        guard let index = nextCandidate else { return nextFurtherQuery() }
        candidates.setState(.asked, at: index)
        askedInFlight += 1
        queriesSent += 1
        return .contact(candidates.sorted[index].contact)
    }

    /// Records an answer.
    ///
    /// - Parameters:
    ///   - sender: who answered, and so may differ from whom we meant to ask.
    ///   - contacts: whom it names and we may ask.
    ///   - silent: whom it names and who lately did not answer; these are not asked, but they are there.
    mutating func answered(
        _ query: OpenQuery,
        by sender: Contact,
        token: [UInt8]?,
        naming contacts: [Contact],
        silent: [Contact] = []
    ) {
        close(query)
        replies += 1
        heardInRegion(query, sender, token: token, naming: contacts)
        if case .findNode = query.purpose { return }
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
        candidates.add(contacts, depth: depth + 1)
        candidates.add(silent, depth: depth + 1, state: .failed)
    }

    mutating func becameSlow(_ query: OpenQuery) {
        slowInFlight += 1
        guard let expected = query.expected else {
            strangersInFlight -= 1
            return
        }
        askedInFlight -= 1
        widening?.missed(Contact(expected, query.endpoint), .slow)
        if case .findNode = query.purpose { return }
        candidates.update(Contact(expected, query.endpoint)) { $0.state = .slow }
    }

    /// Records that a query failed: no answer, or an error.
    mutating func failed(_ query: OpenQuery) {
        close(query)
        guard let expected = query.expected else { return }
        widening?.missed(Contact(expected, query.endpoint), .failed)
        if case .findNode = query.purpose { return }
        candidates.update(Contact(expected, query.endpoint)) { $0.state = .failed }
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
        if isSurrounded { return .complete }
        if isWaitingForRecords { return .busy }
        let isSpent = isSpent
        var answered = 0
        for index in candidates.nearest {
            switch candidates.sorted[index].state {
            case .asked: return .busy
            case .fresh: if !isSpent { return .busy }
            case .answered: answered += 1
            case .slow, .failed: break
            }
        }
        // A refresh asks strangers for what its near nodes do not know, so it hears them out.
        if purpose == .refresh, strangersInFlight > 0 { return .busy }
        if answered >= limits.bucketSize { return .complete }
        if strangersInFlight > 0 || !isSpent && isInterestedInStrangers && !strangers.isEmpty { return .busy }
        return slowInFlight > 0 ? .onlyLateAnswersMissing : .complete
    }

    /// Whether the search is held up by nobody any more, or by late answers alone; nodes that are behind are brought up to
    /// date then.
    mutating func settles() -> Bool {
        guard progress != .busy else { return false }
        beginRepair()
        return true
    }

    /// The nearest nodes that answered, at most k, without those whose identifier does not fit their address (D4).
    var closest: [Candidate] {
        candidates.nearest.map { candidates.sorted[$0] }.filter { $0.state == .answered && $0.fits }
    }

    /// Goes on to store if nothing holds it in the search.
    mutating func advancePhase() {
        if phase == .searching, progress == .complete || isGoodEnough {
            phase = isWholeRegionWanted ? .widening : .storing
        }
        if phase == .widening, isWideningOver { phase = .storing }
    }

    /// Finishes if everybody who was handed the value has answered, or if there was nothing to store.
    mutating func finishStoring() {
        if phase == .storing, isStoringOver { phase = .finished }
    }

    /// Who found something and stores nothing has what it wants; a late answer could only add to it.
    private var isGoodEnough: Bool { hasFound && progress == .onlyLateAnswersMissing }

    /// Whoever has heard from enough nodes needs no strangers as a way in; of peers that are asked for their own records
    /// each is.
    private var isInterestedInStrangers: Bool { records != nil || replies < limits.bucketSize }

    /// Whether it only reads, and has something to show for it.
    private var hasFound: Bool {
        storing == nil && (peers.count > 0 || item?.newest != nil || records?.isEmpty == false)
    }

    /// Whether it has asked as much as it may.
    var isSpent: Bool {
        // Of records no two nodes have the same, so a reader does not leave it at the first.
        queriesSent >= (hasFound && records == nil ? limits.queriesOfReader : limits.queriesPerLookup)
    }

    /// Ends the search as it is: there is nobody left to ask.
    mutating func abandon() { phase = .finished }

    var summary: LookupSummary {
        let closest = closest
        return LookupSummary(
            outcome: replies > 0 || item?.newest != nil || records?.isEmpty == false ? .complete : .nobodyAnswered,
            closest: closest.map(\.contact),
            queriesSent: queriesSent,
            replies: replies,
            hops: closest.reduce(0) { max($0, $1.depth) },
            peersFound: peers.count,
            storedOn: storedOn,
            refusals: refusals
        )
    }
}

/// The lookups of one node, in the order of their identifiers.
///
/// Asked of the array: a call of a method that only reads a node copies the node (Swift 6.3.1), 1.4 KiB for each reply.
extension [Lookup] {
    func index(of lookup: LookupID) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].id < lookup { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low].id == lookup ? low : nil
    }
}
