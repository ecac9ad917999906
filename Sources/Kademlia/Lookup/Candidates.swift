import Primitives

/// A node that a lookup has heard of.
struct Candidate: Hashable, Sendable {
    enum State: Hashable, Sendable {
        /// Not asked yet.
        case fresh
        case asked
        /// Asked, and late. It no longer holds anything up, but may still answer.
        case slow
        case answered
        case failed
    }

    let contact: Contact
    let distance: UInt160
    /// Steps from our own table.
    let depth: Int
    /// How long it will take until the target is reached through this node, in nanoseconds: what its answer takes, and a
    /// round trip for every few bits that are then still to go. Among nodes of about the same distance the quickest is
    /// the most promising one (proximity route selection, Gummadi et al. 2003).
    var cost: Int64 = 0
    var state: State
    /// Whether its identifier is one that its address allows (D4).
    var fits = true
    /// What a query that stores something at this node has to carry.
    var token: [UInt8]?
}

/// The candidates of a lookup, nearest first.
struct Candidates: Sendable {
    private let target: NodeID
    @SharedLimits private var limits: DHTLimits
    private(set) var sorted: [Candidate] = []
    /// Where the nearest that count stand in `sorted`.
    private var view: [Int] = []
    /// In nanoseconds.
    private let usualRoundTrip: Int64
    /// Most lookups take up so many nodes or fewer, and so need not grow what holds them five times.
    private static let usualCount = 48
    /// Every endpoint ever taken up: none is asked twice.
    private var known: Set<Endpoint> = []

    /// - Parameter usualRoundTrip: what an answer of a node takes of which nothing is known.
    init(target: NodeID, usualRoundTrip: Duration, limits: SharedLimits) {
        self.target = target
        self.usualRoundTrip = usualRoundTrip.wholeNanoseconds
        _limits = limits
        sorted.reserveCapacity(Candidates.usualCount)
        view.reserveCapacity(Candidates.usualCount)
        known.reserveCapacity(Candidates.usualCount)
    }

    /// Marks an endpoint as taken up; `false` if it was.
    mutating func meets(_ endpoint: Endpoint) -> Bool { known.insert(endpoint).inserted }

    /// Whether a node with that endpoint was asked, and did not answer in time.
    func wasSilent(_ endpoint: Endpoint) -> Bool {
        sorted.contains { $0.contact.endpoint == endpoint && ($0.state == .failed || $0.state == .slow) }
    }

    /// Takes up nodes, but none whose endpoint or identifier is known or that is farther than all that we can hold.
    ///
    /// - Parameter roundTrip: what the answers of a node take, where that is known.
    mutating func add(
        _ contacts: [Contact],
        depth: Int,
        state: Candidate.State = .fresh,
        roundTrip: (Contact) -> Duration? = { _ in nil }
    ) {
        for contact in contacts where !known.contains(contact.endpoint) {
            insert(candidate(contact, depth: depth, roundTrip: roundTrip(contact), state: state))
        }
        if !contacts.isEmpty { look() }
    }

    /// Takes up a node that was known by its endpoint alone and has now said who it is.
    mutating func addAnswered(_ contact: Contact, token: [UInt8]?, depth: Int) {
        var candidate = candidate(contact, depth: depth, roundTrip: nil, state: .answered)
        candidate.token = token
        if let index = index(of: contact.id), sorted[index].state != .answered {
            // Somebody named this identifier before, perhaps at another address: who answers is right.
            sorted.remove(at: index)
        }
        insert(candidate)
        look()
    }

    private func candidate(
        _ contact: Contact,
        depth: Int,
        roundTrip: Duration?,
        state: Candidate.State
    ) -> Candidate {
        let distance = contact.id.distance(to: target)
        let bits = Int64(UInt160.bitWidth - distance.leadingZeroBitCount)
        let cost = (roundTrip?.wholeNanoseconds ?? usualRoundTrip) + bits * usualRoundTrip / Int64(limits.bitsPerHop)
        return Candidate(
            contact: contact,
            distance: distance,
            depth: depth,
            cost: cost,
            state: state,
            fits: limits.accepts(contact)
        )
    }

    func index(of id: NodeID) -> Int? {
        let position = position(of: id.distance(to: target))
        return position < sorted.count && sorted[position].contact.id == id ? position : nil
    }

    mutating func update(_ contact: Contact, _ body: (inout Candidate) -> Void) {
        guard let index = index(of: contact.id), sorted[index].contact == contact else { return }
        body(&sorted[index])
        look()
    }

    mutating func setState(_ state: Candidate.State, at index: Int) { sorted[index].state = state }

    /// Where the nearest are that count: those that have failed or are slow do not, and of one network only the nearest
    /// does, else the owner of one /24 could surround any target (hardening D3).
    ///
    /// Those whose identifier does not fit their address fill up what is missing (D4): better to be led by them than by
    /// nobody, but who can choose its place freely shall not crowd anybody out.
    var inView: ArraySlice<Int> { view[...] }

    /// The nearest k of them.
    var nearest: ArraySlice<Int> { view.prefix(limits.bucketSize) }

    /// Looks who the nearest are that count, now that something has changed.
    private mutating func look() {
        view.removeAll(keepingCapacity: true)
        look(atMost: limits.candidatesInView) { $0.fits }
        guard view.count < limits.bucketSize, view.count < sorted.count else { return }
        look(atMost: limits.bucketSize) { !$0.fits }
        view.sort()
    }

    private mutating func look(atMost count: Int, where isIncluded: (Candidate) -> Bool) {
        let first = view.count
        for (index, candidate) in sorted.enumerated() where isIncluded(candidate) {
            if view.count >= count { break }
            if candidate.state == .failed || candidate.state == .slow { continue }
            let address = candidate.contact.endpoint.address
            if !limits.exempts(address) {
                let network = address.network
                if view[first...].contains(where: { sorted[$0].contact.endpoint.address.network == network }) {
                    continue
                }
            }
            view.append(index)
        }
    }

    private mutating func insert(_ candidate: Candidate) {
        let position = position(of: candidate.distance)
        if position < sorted.count, sorted[position].distance == candidate.distance {
            // A false address for a true identifier must not keep the true one out once it has proved useless.
            guard sorted[position].state == .failed || sorted[position].state == .slow else { return }
            known.insert(candidate.contact.endpoint)
            sorted[position] = candidate
            return
        }
        if sorted.count >= limits.candidatesPerLookup {
            // The farthest makes room, but not one with an open query, which has to be found again.
            let farthest = sorted.lastIndex { $0.state != .asked && $0.state != .slow }
            guard let farthest, position <= farthest else { return }
            sorted.remove(at: farthest)
        }
        known.insert(candidate.contact.endpoint)
        sorted.insert(candidate, at: position)
    }

    /// The first index whose distance is not smaller.
    private func position(of distance: UInt160) -> Int {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle].distance < distance { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
