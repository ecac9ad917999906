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
    var state: State
    /// Whether its identifier is one that its address allows (D4).
    var fits = true
    /// What a query that stores something at this node has to carry.
    var token: [UInt8]?
}

/// The candidates of a lookup, nearest first.
struct Candidates: Sendable {
    private let target: NodeID
    private let limits: DHTLimits
    private(set) var sorted: [Candidate] = []
    /// Every endpoint ever taken up: none is asked twice.
    private var known: Set<Endpoint> = []

    init(target: NodeID, limits: DHTLimits) {
        self.target = target
        self.limits = limits
    }

    /// Marks an endpoint as taken up; `false` if it was.
    mutating func meets(_ endpoint: Endpoint) -> Bool { known.insert(endpoint).inserted }

    /// Takes up a node, unless its endpoint or its identifier is known or it is farther than all that we can hold.
    mutating func add(_ contact: Contact, depth: Int) {
        guard !known.contains(contact.endpoint) else { return }
        insert(candidate(contact, depth: depth, .fresh))
    }

    /// Takes up a node that was known by its endpoint alone and has now said who it is.
    mutating func addAnswered(_ contact: Contact, token: [UInt8]?, depth: Int) {
        var candidate = candidate(contact, depth: depth, .answered)
        candidate.token = token
        if let index = index(of: contact.id), sorted[index].state != .answered {
            // Somebody named this identifier before, perhaps at another address: who answers is right.
            sorted.remove(at: index)
        }
        insert(candidate)
    }

    func index(of id: NodeID) -> Int? {
        let position = position(of: id.distance(to: target))
        return position < sorted.count && sorted[position].contact.id == id ? position : nil
    }

    mutating func update(_ contact: Contact, _ body: (inout Candidate) -> Void) {
        guard let index = index(of: contact.id), sorted[index].contact == contact else { return }
        body(&sorted[index])
    }

    mutating func setState(_ state: Candidate.State, at index: Int) { sorted[index].state = state }

    /// Where the nearest k are that count: those that have failed or are slow do not, and of one network only the
    /// nearest does, else the owner of one /24 could surround any target (hardening D3).
    ///
    /// Those whose identifier does not fit their address fill up what is missing (D4): better to be led by them than by
    /// nobody, but who can choose its place freely shall not crowd anybody out.
    var counting: [Int] {
        let fitting = nearest { $0.fits }
        guard fitting.count < limits.bucketSize, fitting.count < sorted.count else { return fitting }
        let others = nearest { !$0.fits }
        return (fitting + others.prefix(limits.bucketSize - fitting.count)).sorted()
    }

    private func nearest(where isIncluded: (Candidate) -> Bool) -> [Int] {
        var indices: [Int] = []
        var networks: [IPAddress] = []
        for (index, candidate) in sorted.enumerated() where isIncluded(candidate) {
            if candidate.state == .failed || candidate.state == .slow { continue }
            let address = candidate.contact.endpoint.address
            if !limits.exempts(address) {
                if networks.contains(address.network) { continue }
                networks.append(address.network)
            }
            indices.append(index)
            if indices.count == limits.bucketSize { break }
        }
        return indices
    }

    private func candidate(_ contact: Contact, depth: Int, _ state: Candidate.State) -> Candidate {
        Candidate(
            contact: contact,
            distance: contact.id.distance(to: target),
            depth: depth,
            state: state,
            fits: limits.accepts(contact)
        )
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
