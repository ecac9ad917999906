import Primitives

/// Finds the nodes of a whole region, when the nearest nodes alone are not enough or not to be trusted.
///
/// Two things are asked: `find_node` about places all over the region, to learn who lives there, and what the lookup
/// is about, of those who live there. Where an eclipse is suspected this goes along two paths with disjoint beginnings
/// that never ask the same node (Baumgart and Mies, "S/Kademlia", 2007): who poisons one does not steer the other.
///
/// Whoever invents nodes without end, or puts hundreds into one spot, fills one shell: each takes up and asks only so
/// many, one for each network (D3), and which of them is drawn by lot.
struct RegionSearch: Sendable {
    enum Query: Hashable, Sendable {
        /// Ask what the lookup asks.
        case ask(Contact)
        /// Ask for the nodes nearest to a place.
        case findNode(NodeID, Contact)
    }

    /// A node, and what it was asked.
    private struct Resident: Sendable {
        let contact: Contact
        let distance: UInt160
        /// Its shell, or how many times its distance must double to leave the space: of one group nobody counts more
        /// than once, so that a crowd in one spot, wherever it is, does not outvote the rest.
        let group: Int
        var shell: Int? { group < Region.shellCount ? group : nil }
        var state = Candidate.State.fresh
        var token: [UInt8]?
    }

    /// One place that is asked about on one path, and who was asked about it.
    private struct Sweep: Sendable {
        let place: NodeID
        let path: Int
        var asked: Set<Endpoint> = []
    }

    private let region: Region
    @SharedLimits private var limits: DHTLimits
    private var random: SeededRandom
    /// Of each path; only nodes of the region are asked for what the lookup is about.
    private var paths: [[Resident]]
    private var sweeps: [Sweep] = []
    /// Which path a node belongs to: to the one that heard of it first.
    private var owners: [Endpoint: Int] = [:]
    /// Nodes that did not answer a `find_node`, but may have answered what they were asked before.
    private var unhelpful: Set<Endpoint> = []
    /// Those asked for what the lookup is about, of each shell and of each network, without those that failed.
    private var askedCounts = [Int](repeating: 0, count: Region.shellCount)
    private var askedNetworks: Set<IPAddress> = []
    private(set) var queriesSent = 0
    /// Whether there was nobody left to ask, and nothing has been learnt since.
    private(set) var isExhausted = false

    /// - Parameters:
    ///   - found: what the lookup has found so far; it begins the first path.
    ///   - known: the beginnings of further paths; none where there is nothing to fear.
    init(_ region: Region, found: [Candidate], known: [[Contact]], limits: SharedLimits, seed: UInt64) {
        self.region = region
        _limits = limits
        random = SeededRandom(seed: seed)
        paths = [[Resident]](repeating: [], count: max(1, known.count))
        for candidate in found {
            add(candidate.contact, to: 0, state: candidate.state, token: candidate.token)
        }
        for (path, contacts) in known.enumerated() {
            for contact in contacts { add(contact, to: path) }
        }
        sweeps = region.places.flatMap { place in paths.indices.map { Sweep(place: place, path: $0) } }
    }

    // MARK: Input

    /// Whom to ask what; the caller must then send the query.
    mutating func nextQuery() -> Query? {
        guard queriesSent < limits.queriesPerRegion, let query = nextFindNode() ?? nextAsk() else {
            isExhausted = true
            return nil
        }
        queriesSent += 1
        return query
    }

    /// Records an answer, and takes up whom it names.
    mutating func answered(by contact: Contact, token: [UInt8]?, naming contacts: [Contact]) {
        isExhausted = false
        if owners[contact.endpoint] == nil { add(contact, to: 0, state: .answered, token: token) }
        guard let path = owners[contact.endpoint] else { return }
        update(contact, in: path) {
            // An answer to a `find_node` has no token and says nothing about the rest.
            guard let token else { return }
            $0.state = .answered
            $0.token = token
        }
        for contact in contacts.prefix(limits.bucketSize) { add(contact, to: path) }
    }

    /// Records that a query is late, or that it failed.
    mutating func missed(_ contact: Contact, _ state: Candidate.State) {
        isExhausted = false
        unhelpful.insert(contact.endpoint)
        guard let path = owners[contact.endpoint] else { return }
        guard let index = paths[path].firstIndex(where: { $0.contact == contact }),
            paths[path][index].state == .asked || paths[path][index].state == .slow
        else { return }
        paths[path][index].state = state
        // Who fails makes room for another one.
        if state == .failed { count(paths[path][index], as: -1) }
    }

    /// Those who can be given a value, at most `count`: of each shell the first ones, then of each the second ones.
    ///
    /// So a crowd in one place does not use up the places of all.
    func residents(atMost count: Int) -> [Candidate] {
        var shells = [[Resident]](repeating: [], count: Region.shellCount)
        var networks: Set<IPAddress> = []
        for resident in paths.joined() where resident.state == .answered && resident.token != nil {
            guard let shell = resident.shell, isFirst(resident.contact, in: &networks) else { continue }
            shells[shell].append(resident)
        }
        var chosen: [Candidate] = []
        for rank in 0..<limits.residentsPerShell {
            for shell in shells where rank < shell.count && chosen.count < count {
                let resident = shell[rank]
                chosen.append(
                    Candidate(
                        contact: resident.contact,
                        distance: resident.distance,
                        depth: 1,
                        state: .answered,
                        token: resident.token
                    )
                )
            }
        }
        return chosen
    }

    // MARK: Private

    /// The next one to be asked for what the lookup is about: of the shell where fewest were asked, by lot.
    private mutating func nextAsk() -> Query? {
        var best: [(path: Int, index: Int)] = []
        var fewest = limits.residentsPerShell
        for path in paths.indices {
            for (index, resident) in paths[path].enumerated() where resident.state == .fresh {
                guard let shell = resident.shell, askedCounts[shell] < limits.residentsPerShell,
                    askedCounts[shell] <= fewest, isFree(resident.contact)
                else { continue }
                if askedCounts[shell] < fewest { best = [] }
                fewest = askedCounts[shell]
                best.append((path, index))
            }
        }
        guard let (path, index) = best.randomElement(using: &random) else { return nil }
        paths[path][index].state = .asked
        count(paths[path][index], as: 1)
        return .ask(paths[path][index].contact)
    }

    /// The next one to be asked about a place: one of the nearest to it that are known on the path.
    private mutating func nextFindNode() -> Query? {
        let count = paths.count > 1 ? limits.sweepersOfSuspect : limits.sweepers
        for index in sweeps.indices where sweeps[index].asked.count < limits.queriesPerSweep {
            let (place, path) = (sweeps[index].place, sweeps[index].path)
            let nearest = sweepers(of: place, on: path, count)
            guard let next = nearest.first(where: { !sweeps[index].asked.contains($0.endpoint) }) else { continue }
            sweeps[index].asked.insert(next.endpoint)
            return .findNode(place, next)
        }
        return nil
    }

    /// The nearest to a place that may answer, one of each group and network: Sybils beside the target are nearer to
    /// every place than whom we know from afar, and would be all that is asked.
    private func sweepers(of place: NodeID, on path: Int, _ count: Int) -> [Contact] {
        var nearest: [Resident] = []
        for resident in paths[path] where resident.state != .failed {
            let contact = resident.contact
            if nearest.count == count, let last = nearest.last, last.contact.id.isCloser(to: place, than: contact.id) {
                continue
            }
            if unhelpful.contains(contact.endpoint) { continue }
            let twins = nearest.filter { isTwin($0, of: resident) }
            if twins.contains(where: { $0.contact.id.isCloser(to: place, than: contact.id) }) { continue }
            nearest.removeAll { isTwin($0, of: resident) }
            let position = nearest.firstIndex { contact.id.isCloser(to: place, than: $0.contact.id) } ?? nearest.count
            nearest.insert(resident, at: position)
            if nearest.count > count { nearest.removeLast() }
        }
        return nearest.map(\.contact)
    }

    private mutating func add(
        _ contact: Contact,
        to path: Int,
        state: Candidate.State = .fresh,
        token: [UInt8]? = nil
    ) {
        guard owners[contact.endpoint] == nil, limits.accepts(contact) else { return }
        let distance = contact.id.distance(to: region.target)
        let group = region.shell(at: distance) ?? Region.shellCount + distance.leadingZeroBitCount
        let crowd = paths[path].count { $0.group == group && $0.state != .failed }
        guard crowd < limits.candidatesPerShell else { return }
        owners[contact.endpoint] = path
        let resident = Resident(contact: contact, distance: distance, group: group, state: state, token: token)
        paths[path].append(resident)
        if state != .fresh, state != .failed { count(resident, as: 1) }
    }

    private mutating func update(_ contact: Contact, in path: Int, _ body: (inout Resident) -> Void) {
        guard let index = paths[path].firstIndex(where: { $0.contact == contact }) else { return }
        body(&paths[path][index])
    }

    private func isTwin(_ resident: Resident, of other: Resident) -> Bool {
        let address = resident.contact.endpoint.address
        return resident.group == other.group
            || !limits.exempts(address) && address.network == other.contact.endpoint.address.network
    }

    private mutating func count(_ resident: Resident, as change: Int) {
        guard let shell = resident.shell else { return }
        askedCounts[shell] += change
        let network = resident.contact.endpoint.address.network
        if change > 0 { askedNetworks.insert(network) } else { askedNetworks.remove(network) }
    }

    private func isFree(_ contact: Contact) -> Bool {
        let address = contact.endpoint.address
        return limits.exempts(address) || !askedNetworks.contains(address.network)
    }

    private func isFirst(_ contact: Contact, in networks: inout Set<IPAddress>) -> Bool {
        limits.exempts(contact.endpoint.address) || networks.insert(contact.endpoint.address.network).inserted
    }
}
