import Primitives

/// The nodes we know, few of the far ones and many of the near ones (BEP 5 "Routing Table").
///
/// Bucket `i` holds nodes that share exactly `i` leading bits with us, the last bucket those that share at least as
/// many. Only the last bucket splits, for it alone covers our own identifier.
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
    private let limits: DHTLimits
    private(set) var buckets: [Bucket]
    /// The addresses of all entries that the limits apply to: one node for each (hardening D3).
    private var addresses: Set<IPAddress> = []

    init(own: NodeID, limits: DHTLimits, now: Instant) {
        self.own = own
        self.limits = limits
        buckets = [Bucket(changedAt: now)]
    }

    // MARK: Facts

    /// Records that `contact` has answered one of our queries; there is no other way into the table (D6).
    mutating func answered(_ contact: Contact, at now: Instant) -> Admission {
        guard contact.id != own else { return .refused }
        var index = bucketIndex(of: contact.id)
        if let position = buckets[index].index(of: contact.id) {
            return answeredAgain(contact, at: position, in: index, now)
        }
        removeBadConflicts(with: contact, in: index)
        guard allows(contact, in: index) else { return .refused }
        while buckets[index].entries.count >= limits.bucketSize, index == buckets.count - 1, split() {
            index = bucketIndex(of: contact.id)
        }
        let entry = TableEntry(contact: contact, heardAt: now)
        if buckets[index].entries.count < limits.bucketSize {
            insert(entry, in: index)
        } else if let bad = buckets[index].entries.firstIndex(where: { $0.failures >= TableEntry.failuresOfBad }) {
            remove(at: bad, in: index)
            insert(entry, in: index)
        } else {
            return wait(entry, for: index, now)
        }
        buckets[index].changedAt = now
        return .added
    }

    /// Records a query of a node that may be in the table.
    mutating func queried(by contact: Contact, at now: Instant) {
        let index = bucketIndex(of: contact.id)
        guard let position = buckets[index].index(of: contact.id),
            buckets[index].entries[position].contact.endpoint == contact.endpoint
        else { return }
        buckets[index].entries[position].heardAt = now
    }

    /// Records that a query to `contact` found no answer. The second failure in a row lets a waiting node in.
    mutating func failed(_ contact: Contact, at now: Instant) {
        let index = bucketIndex(of: contact.id)
        guard let position = buckets[index].index(of: contact.id),
            buckets[index].entries[position].contact.endpoint == contact.endpoint
        else {
            buckets[index].replacements.removeAll { $0.contact == contact }
            return
        }
        buckets[index].entries[position].failures += 1
        guard buckets[index].entries[position].failures >= TableEntry.failuresOfBad else { return }
        let old = buckets[index].entries[position]
        remove(at: position, in: index)
        while let waiting = buckets[index].replacements.popLast() {
            guard allows(waiting.contact, in: index) else { continue }
            insert(waiting, in: index)
            buckets[index].changedAt = now
            return
        }
        // Nobody waits: a bad node keeps its place, so that a network that was away for a while is found again.
        insert(old, in: index)
    }

    // MARK: Questions

    func bucketIndex(of id: NodeID) -> Int { min(own.distance(to: id).leadingZeroBitCount, buckets.count - 1) }

    /// Whether a node that asked us something is worth a ping.
    func hasRoom(for contact: Contact) -> Bool {
        guard contact.id != own else { return false }
        let index = bucketIndex(of: contact.id)
        let bucket = buckets[index]
        guard bucket.index(of: contact.id) == nil, allows(contact, in: index) else { return false }
        return bucket.entries.count < limits.bucketSize || index == buckets.count - 1
            || bucket.entries.contains { $0.failures > 0 }
    }

    func contains(_ contact: Contact) -> Bool {
        let bucket = buckets[bucketIndex(of: contact.id)]
        return bucket.index(of: contact.id).map { bucket.entries[$0].contact == contact } ?? false
    }

    var count: Int { buckets.reduce(0) { $0 + $1.entries.count } }

    /// Whether anybody in the table may still answer.
    var hasReachableNodes: Bool {
        buckets.contains { $0.entries.contains { $0.failures < TableEntry.failuresOfBad } }
    }

    func contacts(where isIncluded: (TableEntry) -> Bool) -> [Contact] {
        buckets.flatMap { $0.entries.filter(isIncluded).map(\.contact) }
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
            for entry in bucket.entries {
                switch entry.status(at: now, freshness: limits.freshness) {
                case .good: summary.good += 1
                case .questionable: summary.questionable += 1
                case .bad: summary.bad += 1
                }
            }
            return summary
        }
    }

    /// Marks that a lookup goes into the part of the key space around `target`.
    mutating func refreshing(_ target: NodeID, at now: Instant) {
        buckets[bucketIndex(of: target)].refreshedAt = now
    }

    // MARK: Private

    private mutating func answeredAgain(
        _ contact: Contact,
        at position: Int,
        in index: Int,
        _ now: Instant
    ) -> Admission {
        let old = buckets[index].entries[position]
        // Another host that claims an identifier of the table does not get its place while the first one lives (D6).
        guard old.contact.endpoint == contact.endpoint else {
            guard old.failures >= TableEntry.failuresOfBad else { return .refused }
            remove(at: position, in: index)
            removeBadConflicts(with: contact, in: index)
            guard allows(contact, in: index) else { return .refused }
            insert(TableEntry(contact: contact, heardAt: now), in: index)
            buckets[index].changedAt = now
            return .added
        }
        buckets[index].entries[position].heardAt = now
        buckets[index].entries[position].failures = 0
        buckets[index].changedAt = now
        return .updated
    }

    /// Queues a node behind a full bucket. The newest takes the place of the oldest waiting one.
    private mutating func wait(_ entry: TableEntry, for index: Int, _ now: Instant) -> Admission {
        buckets[index].replacements.removeAll { $0.contact.id == entry.contact.id }
        if buckets[index].replacements.count >= limits.bucketSize { buckets[index].replacements.removeFirst() }
        buckets[index].replacements.append(entry)
        let questionable = buckets[index].entries
            .filter { $0.status(at: now, freshness: limits.freshness) == .questionable }
            .min { $0.heardAt < $1.heardAt }
        return .waiting(ping: questionable?.contact)
    }

    private func allows(_ contact: Contact, in index: Int) -> Bool {
        let address = contact.endpoint.address
        if limits.exempts(address) { return true }
        return !addresses.contains(address) && !buckets[index].hasNetwork(of: address)
    }

    /// A node that restarted with another identifier is not kept out by its own bad entry.
    private mutating func removeBadConflicts(with contact: Contact, in index: Int) {
        let address = contact.endpoint.address
        guard !limits.exempts(address), !allows(contact, in: index) else { return }
        for other in buckets.indices {
            while let position = buckets[other].entries.firstIndex(where: {
                $0.failures >= TableEntry.failuresOfBad
                    && ($0.contact.endpoint.address == address
                        || other == index && $0.contact.endpoint.address.network == address.network)
            }) {
                remove(at: position, in: other)
            }
        }
    }

    private mutating func insert(_ entry: TableEntry, in index: Int) {
        let address = entry.contact.endpoint.address
        if !limits.exempts(address) { addresses.insert(address) }
        buckets[index].entries.append(entry)
    }

    private mutating func remove(at position: Int, in index: Int) {
        addresses.remove(buckets[index].entries.remove(at: position).contact.endpoint.address)
    }

    /// Splits the last bucket; `false` when its nodes share all bits but one with us.
    private mutating func split() -> Bool {
        let bits = buckets.count - 1
        guard bits < UInt160.bitWidth - 1, let last = buckets.last else { return false }
        func belongsFarther(_ entry: TableEntry) -> Bool {
            own.distance(to: entry.contact.id).leadingZeroBitCount == bits
        }
        // Whatever lookup went into the old bucket went to our own neighbourhood, most likely.
        var far = Bucket(changedAt: last.changedAt)
        var near = Bucket(changedAt: last.changedAt, refreshedAt: last.refreshedAt)
        for entry in last.entries {
            if belongsFarther(entry) { far.entries.append(entry) } else { near.entries.append(entry) }
        }
        for entry in last.replacements {
            if belongsFarther(entry) { far.replacements.append(entry) } else { near.replacements.append(entry) }
        }
        buckets[bits] = far
        buckets.append(near)
        return true
    }
}
