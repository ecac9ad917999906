import Cryptography
import Primitives

/// The nodes of our own kind that we know: a Kademlia inside Kademlia, for what only they understand (secure-peer.md, §2).
///
/// The same metric and the same table, but every bucket holds k, a place is had by proving a key (`sp_id`), and one key
/// has one place: identities that are one owner's in truth cannot be told apart, copies of one identity can.
struct Overlay: Sendable {
    private(set) var table: RoutingTable
    private var contacts: [Ed25519.PublicKey: Contact] = [:]
    /// The search for more of them, while it runs.
    var refresh: LookupID?
    private let mostNodes: Int

    /// - Parameter limits: of the node.
    init(own: NodeID, limits shared: SharedLimits, now: Instant) {
        var limits = shared.wrappedValue
        limits.farthestBucketSize = limits.bucketSize
        // Among all nodes those of our kind may be so few that no bucket is ever full; then there is nothing to look for.
        limits.underfullPause = limits.freshness
        mostNodes = limits.records.overlayNodes
        table = RoutingTable(own: own, limits: SharedLimits(limits), now: now)
    }

    var count: Int { table.count }

    // MARK: Facts

    /// Records that a node proved its key; the old place of that key is free then.
    ///
    /// - Returns: a node of whom nothing was heard for long, and who stands in the way of this one.
    mutating func proved(
        _ contact: Contact,
        _ key: Ed25519.PublicKey,
        after roundTrip: Duration,
        at now: Instant
    ) -> Contact? {
        if let former = contacts[key], former != contact { table.forget(former, at: now) }
        guard table.count < mostNodes || table.contains(contact) else { return nil }
        if contacts.count >= mostNodes * 2 { contacts = contacts.filter { table.contains($0.value) } }
        contacts[key] = contact
        if case .waiting(let questionable) = table.answered(contact, after: roundTrip, at: now) { return questionable }
        return nil
    }

    /// Records an answer of a node, of whatever kind; `false` where it has no place here.
    mutating func answered(_ contact: Contact, after roundTrip: Duration, at now: Instant) -> Bool {
        guard table.contains(contact) else { return false }
        _ = table.answered(contact, after: roundTrip, at: now)
        return true
    }

    mutating func failed(_ contact: Contact, at now: Instant) { table.failed(contact, at: now) }

    /// Removes a node that could not prove what it proved before, or that goes by another name.
    mutating func forget(_ contact: Contact, at now: Instant) { table.forget(contact, at: now) }

    /// Goes by another identifier; keys stay with whom they are.
    mutating func move(to own: NodeID, at now: Instant) {
        table = table.moved(to: own, at: now)
        refresh = nil
    }

    mutating func refreshing(_ target: NodeID, at now: Instant) { table.refreshing(target, at: now) }

    // MARK: Questions

    /// Whether a node is worth a question: it is not here, and there is room for it. One that goes by a name of the table
    /// somewhere else may have moved, which only its key can show.
    func hasRoom(for contact: Contact) -> Bool {
        if table.contains(contact) { return false }
        return table.knows(contact.id) || table.count < mostNodes && table.hasRoom(for: contact)
    }
}
