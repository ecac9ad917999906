import Primitives

/// What earlier lookups have learnt of nodes, for the next ones: who was nearest to what was looked for, and who did not
/// answer.
///
/// A torrent is announced again and again under the same key. The next lookup then begins where the last one ended, and
/// needs a round trip instead of a search.
struct RecentContacts {
    @SharedLimits private var limits: DHTLimits
    /// The order serves to find the nearest; any origin does.
    private var nodes = OrderedEntries(origin: NodeID(.zero))
    /// In the order in which they came: the first makes room.
    private var arrivals: [NodeID] = []
    /// When an endpoint last left a query unanswered.
    private var silences: LRUCache<Endpoint, Instant>

    init(limits shared: SharedLimits) {
        let limits = shared.wrappedValue
        _limits = shared
        silences = LRUCache(capacity: limits.silentContacts)
    }

    var count: Int { nodes.count }

    // MARK: Facts

    /// Records the nodes that a lookup found to be the nearest to its target, and that have answered.
    mutating func found(_ contacts: [Contact], at now: Instant) {
        for contact in contacts {
            if let index = nodes.index(of: contact.id) {
                // Who answered last under this name is right.
                nodes.remove(at: index)
            } else {
                if arrivals.count >= limits.recentContacts { forget(arrivals.removeFirst()) }
                arrivals.append(contact.id)
            }
            nodes.insert(TableEntry(contact: contact, heardAt: now))
        }
    }

    /// Records that a node has answered.
    mutating func answered(_ contact: Contact) {
        if silences.count > 0 { silences.remove(contact.endpoint) }
    }

    /// Records that a node left a query unanswered, while others answered.
    mutating func failed(_ contact: Contact, at now: Instant) {
        silences.insert(now, for: contact.endpoint)
        guard let index = nodes.index(of: contact.id), nodes[index].contact == contact else { return }
        nodes.remove(at: index)
        arrivals.removeAll { $0 == contact.id }
    }

    // MARK: Questions

    /// Appends the nodes nearest to a target that were heard of lately, nearest first.
    func appendNearest(to target: NodeID, atMost count: Int, at now: Instant, to contacts: inout [Contact]) {
        var room = count
        nodes.forEach(nearestTo: target) { entry in
            guard now - entry.heardAt < limits.freshness else { return true }
            contacts.append(entry.contact)
            room -= 1
            return room > 0
        }
    }

    /// Whether nobody was silent lately, so that there is no need to ask of whom that is true.
    ///
    /// Inlined because a call would copy all this, retain and release included, for each reply.
    @inline(__always)
    var noneIsSilent: Bool { silences.count == 0 }

    /// Whether a node gave no answer so lately that asking it again would be in vain.
    func isSilent(_ contact: Contact, at now: Instant) -> Bool {
        guard let since = silences.value(of: contact.endpoint) else { return false }
        return now - since < limits.silencePause
    }

    private mutating func forget(_ id: NodeID) {
        if let index = nodes.index(of: id) { nodes.remove(at: index) }
    }
}
