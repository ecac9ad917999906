import Primitives

/// The nodes we know, few of the far ones and many of the near ones (BEP 5 "Routing Table").
///
/// Bucket `i` holds nodes that share exactly `i` leading bits with us, the last bucket those that share at least as
/// many. Only the last bucket splits, for it alone covers our own identifier. The far buckets, through which all lookups
/// start, are larger than the others (`DHTLimits.capacity(ofBucket:)`).
struct RoutingTable: Sendable {
    /// What became of a node that answered.
    enum Admission: Hashable, Sendable {
        case updated
        case added
        /// The bucket is full. The node waits, and `ping`, of whom nothing was heard for long, should prove that it
        /// lives.
        case waiting(ping: Contact?)
        case refused
    }

    let own: NodeID
    @SharedLimits var limits: DHTLimits
    private(set) var buckets: [Bucket]
    /// The entries of all buckets, those of the last one first.
    private(set) var nodes: OrderedEntries
    /// The addresses of all entries that the limits apply to: one node for each (hardening D3).
    private var addresses: Set<IPAddress> = []

    init(own: NodeID, limits: SharedLimits, now: Instant) {
        self.own = own
        _limits = limits
        buckets = [Bucket(changedAt: now)]
        nodes = OrderedEntries(origin: own)
    }

    // MARK: Facts

    /// Records that `contact` has answered one of our queries; there is no other way into the table (D6).
    ///
    /// - Parameter sample: what the answer took, where it was measured.
    mutating func answered(_ contact: Contact, after sample: Duration? = nil, at now: Instant) -> Admission {
        guard contact.id != own else { return .refused }
        if let position = nodes.index(of: contact.id) {
            return answeredAgain(contact, sample, at: position, now)
        }
        var index = bucketIndex(of: contact.id)
        removeBadConflicts(with: contact, in: index)
        guard allows(contact, in: index) else { return .refused }
        while isFull(index), index == buckets.count - 1, split() { index = bucketIndex(of: contact.id) }
        let entry = TableEntry(contact: contact, heardAt: now, roundTrip: sample.map { RoundTrip(first: $0) })
        if isFull(index) {
            guard let useless = replaceable(by: contact, in: index) else { return wait(entry, for: index, now) }
            remove(at: useless)
        }
        insert(entry)
        buckets[index].changedAt = now
        return .added
    }

    /// A bad node, or else, for one whose identifier fits its address, one whose does not (D4).
    private func replaceable(by contact: Contact, in index: Int) -> Int? {
        let range = range(ofBucket: index)
        if let bad = range.first(where: { nodes[$0].isBad }) { return bad }
        guard limits.accepts(contact) else { return nil }
        return range.first { !nodes[$0].fits }
    }

    /// Takes an entry of another table over as it is, where there is room for it.
    mutating func take(_ entry: TableEntry) {
        guard entry.contact.id != own, nodes.index(of: entry.contact.id) == nil else { return }
        var index = bucketIndex(of: entry.contact.id)
        while isFull(index), index == buckets.count - 1, split() { index = bucketIndex(of: entry.contact.id) }
        if !isFull(index), allows(entry.contact, in: index) { insert(entry) }
    }

    /// Records a query of a node that may be in the table.
    mutating func queried(by contact: Contact, at now: Instant) {
        if let position = position(of: contact) { nodes[position].heardAt = now }
    }

    /// Records that a query to `contact` found no answer. The second failure in a row lets a waiting node in.
    mutating func failed(_ contact: Contact, at now: Instant) {
        let index = bucketIndex(of: contact.id)
        guard let position = position(of: contact) else {
            buckets[index].replacements.removeAll { $0.contact == contact }
            return
        }
        nodes[position].failed()
        guard nodes[position].isBad else { return }
        let old = remove(at: position)
        // Where nobody waits a bad node keeps its place, so that a network that was away for a while is found again.
        if !moveUp(into: index, at: now) { insert(old) }
    }

    /// Removes a node that goes by another name now, as its own endpoint said.
    mutating func forget(_ contact: Contact, at now: Instant) {
        guard let position = position(of: contact) else { return }
        remove(at: position)
        _ = moveUp(into: bucketIndex(of: contact.id), at: now)
    }

    /// Marks that a lookup goes into the part of the key space around `target`.
    mutating func refreshing(_ target: NodeID, at now: Instant) {
        buckets[bucketIndex(of: target)].refreshedAt = now
    }

    // MARK: Questions

    func bucketIndex(of id: NodeID) -> Int { min(own.distance(to: id).leadingZeroBitCount, buckets.count - 1) }

    /// Where the nodes of a bucket stand among all.
    func range(ofBucket index: Int) -> Range<Int> {
        index == buckets.count - 1 ? 0..<nodes.end(sharing: index) : nodes.range(sharing: index)
    }

    /// Whether a node that asked us something is worth a ping.
    func hasRoom(for contact: Contact) -> Bool {
        guard contact.id != own, nodes.index(of: contact.id) == nil else { return false }
        let index = bucketIndex(of: contact.id)
        guard allows(contact, in: index) else { return false }
        return !isFull(index) || index == buckets.count - 1
            || range(ofBucket: index).contains { nodes[$0].failures > 0 } || replaceable(by: contact, in: index) != nil
    }

    func contains(_ contact: Contact) -> Bool { position(of: contact) != nil }

    /// Whether somebody goes by that name here.
    func knows(_ id: NodeID) -> Bool { nodes.index(of: id) != nil }

    /// What the answers of a node take, if it is here and any was measured.
    func roundTrip(of contact: Contact) -> RoundTrip? { position(of: contact).flatMap { nodes[$0].roundTrip } }

    var count: Int { nodes.count }

    /// Whether anybody in the table may still answer.
    var hasReachableNodes: Bool { nodes.entries.contains { !$0.isBad } }

    func contacts(where isIncluded: (TableEntry) -> Bool) -> [Contact] {
        nodes.entries.lazy.filter(isIncluded).map(\.contact)
    }

    func goodContacts(at now: Instant) -> [Contact] {
        contacts { $0.status(at: now, freshness: limits.freshness) == .good }
    }

    func summaries(at now: Instant) -> [BucketSummary] {
        buckets.enumerated().map { index, bucket in
            var summary = BucketSummary(
                sharedBits: index,
                good: 0,
                questionable: 0,
                bad: 0,
                replacements: bucket.replacements.count
            )
            for position in range(ofBucket: index) {
                switch nodes[position].status(at: now, freshness: limits.freshness) {
                case .good: summary.good += 1
                case .questionable: summary.questionable += 1
                case .bad: summary.bad += 1
                }
            }
            return summary
        }
    }

    /// Marks that lookups went into all parts of the key space, each at some time of the last `pause`.
    mutating func refreshed(within pause: Duration, before now: Instant, using random: inout SeededRandom) {
        for index in buckets.indices {
            buckets[index].refreshedAt = now - pause * Double.random(in: 0..<1, using: &random)
        }
    }

    // MARK: Private

    private func position(of contact: Contact) -> Int? {
        nodes.index(of: contact.id).flatMap { nodes[$0].contact == contact ? $0 : nil }
    }

    /// Whether a bucket has no room; the last one, which may split, never holds more than k.
    private func isFull(_ index: Int) -> Bool {
        let isLast = index == buckets.count - 1
        return range(ofBucket: index).count >= (isLast ? limits.bucketSize : limits.capacity(ofBucket: index))
    }

    private mutating func answeredAgain(
        _ contact: Contact,
        _ sample: Duration?,
        at position: Int,
        _ now: Instant
    ) -> Admission {
        let index = bucketIndex(of: contact.id)
        // Another host that claims an identifier of the table does not get its place while the first one lives (D6).
        guard nodes[position].contact.endpoint == contact.endpoint else {
            guard nodes[position].isBad else { return .refused }
            remove(at: position)
            removeBadConflicts(with: contact, in: index)
            guard allows(contact, in: index) else { return .refused }
            insert(TableEntry(contact: contact, heardAt: now, roundTrip: sample.map { RoundTrip(first: $0) }))
            buckets[index].changedAt = now
            return .added
        }
        nodes[position].heardAt = now
        nodes[position].failures = 0
        if let sample {
            if nodes[position].roundTrip?.add(sample) == nil { nodes[position].roundTrip = RoundTrip(first: sample) }
        }
        buckets[index].changedAt = now
        return .updated
    }

    /// Lets the node in that waits since last; `false` where none may.
    private mutating func moveUp(into index: Int, at now: Instant) -> Bool {
        while let waiting = buckets[index].replacements.popLast() {
            guard allows(waiting.contact, in: index) else { continue }
            insert(waiting)
            buckets[index].changedAt = now
            return true
        }
        return false
    }

    /// Queues a node behind a full bucket. The newest takes the place of the oldest waiting one.
    private mutating func wait(_ entry: TableEntry, for index: Int, _ now: Instant) -> Admission {
        buckets[index].replacements.removeAll { $0.contact.id == entry.contact.id }
        if buckets[index].replacements.count >= limits.bucketSize { buckets[index].replacements.removeFirst() }
        buckets[index].replacements.append(entry)
        let questionable = range(ofBucket: index)
            .filter { nodes[$0].status(at: now, freshness: limits.freshness) == .questionable }
            .min { nodes[$0].heardAt < nodes[$1].heardAt }
        return .waiting(ping: questionable.map { nodes[$0].contact })
    }

    private func allows(_ contact: Contact, in index: Int) -> Bool {
        let address = contact.endpoint.address
        if limits.exempts(address) { return true }
        guard !addresses.contains(address) else { return false }
        // One owner of a /24 must not own the bucket (hardening D3).
        let network = address.network
        return !range(ofBucket: index).contains { nodes[$0].contact.endpoint.address.network == network }
    }

    /// Bad nodes must not keep a living one out by the limits: it may be the same host, restarted.
    private mutating func removeBadConflicts(with contact: Contact, in index: Int) {
        let address = contact.endpoint.address
        if limits.exempts(address) { return }
        let isNeighbour = range(ofBucket: index).contains {
            nodes[$0].isBad && nodes[$0].contact.endpoint.address.network == address.network
        }
        guard isNeighbour || addresses.contains(address) else { return }
        for position in nodes.indices.reversed() where nodes[position].isBad {
            let other = nodes[position].contact
            if other.endpoint.address == address
                || other.endpoint.address.network == address.network && bucketIndex(of: other.id) == index
            {
                remove(at: position)
            }
        }
    }

    private mutating func insert(_ entry: TableEntry) {
        let address = entry.contact.endpoint.address
        if !limits.exempts(address) { addresses.insert(address) }
        var entry = entry
        entry.fits = limits.accepts(entry.contact)
        nodes.insert(entry)
    }

    @discardableResult
    private mutating func remove(at position: Int) -> TableEntry {
        let entry = nodes.remove(at: position)
        addresses.remove(entry.contact.endpoint.address)
        return entry
    }

    /// Splits the last bucket; `false` when its nodes share all bits but one with us.
    private mutating func split() -> Bool {
        let bits = buckets.count - 1
        guard bits < UInt160.bitWidth - 1, let last = buckets.last else { return false }
        // Whatever lookup went into the old bucket went to our own neighbourhood, most likely.
        var far = Bucket(changedAt: last.changedAt)
        var near = Bucket(changedAt: last.changedAt, refreshedAt: last.refreshedAt)
        for entry in last.replacements {
            if own.distance(to: entry.contact.id).leadingZeroBitCount == bits {
                far.replacements.append(entry)
            } else {
                near.replacements.append(entry)
            }
        }
        buckets[bits] = far
        buckets.append(near)
        return true
    }
}
