import Kademlia
import Primitives

/// A node with two halves, the time, and what it did last.
struct DualDialogue: ~Copyable {
    static let ownID = Dialogue.ownID
    static let ownIDv6 = NodeID(0x01, last: 0)

    var node: DualStackNode
    var now = Instant.zero
    private var actions = DHTActionBuffer()
    private var sent: [Dialogue.Sent] = []
    private var others: [DHTAction] = []

    init(families: [AddressFamily] = AddressFamily.allCases, limits: DHTLimits = DHTLimits()) {
        var v4: DHTNode?
        var v6: DHTNode?
        if families.contains(.v4) {
            v4 = DHTNode(id: DualDialogue.ownID, family: .v4, limits: limits, seed: 1, now: .zero)
        }
        if families.contains(.v6) {
            v6 = DHTNode(id: DualDialogue.ownIDv6, family: .v6, limits: limits, seed: 2, now: .zero)
        }
        node = DualStackNode(v4: v4, v6: v6)
    }

    private mutating func gather() {
        for action in actions.actions {
            if case .send(let range, let endpoint) = action {
                sent.append(Dialogue.Sent(text: text(actions.bytes[range]), to: endpoint))
            } else {
                others.append(action)
            }
        }
        actions.removeAll()
    }

    // MARK: What happens to the node

    mutating func start(bootstrap: Bool = false, remembered: [Contact] = []) {
        node.start(bootstrap: bootstrap, remembered: remembered, at: now, into: &actions)
        gather()
    }

    mutating func resolved(_ endpoints: [Endpoint], isComplete: Bool = true) {
        node.bootstrapNodesResolved(endpoints, isComplete: isComplete, at: now, into: &actions)
        gather()
    }

    mutating func receives(_ text: String, from sender: Endpoint) {
        node.received(wire(text).span.bytes, from: sender, at: now, into: &actions)
        gather()
    }

    /// Goes on in steps of the node's own deadlines, as a driver would.
    mutating func passes(_ duration: Duration) {
        let end = now + duration
        while let deadline = node.nextDeadline, deadline <= end {
            now = max(now, deadline)
            node.advanced(to: now, into: &actions)
            gather()
        }
        now = end
    }

    mutating func findPeers(
        of infoHash: InfoHash,
        announcing port: UInt16? = nil,
        overIPv6 port6: UInt16? = nil
    ) -> LookupID {
        defer { gather() }
        return node.findPeers(of: infoHash, announcingPort: port, overIPv6: port6, at: now, into: &actions)
    }

    mutating func findNode(closestTo target: NodeID) -> LookupID {
        defer { gather() }
        return node.findNode(closestTo: target, at: now, into: &actions)
    }

    mutating func ping(_ endpoint: Endpoint) -> PingID {
        defer { gather() }
        return node.ping(endpoint, at: now, into: &actions)
    }

    // MARK: What the node did

    mutating func takeSent() -> [Dialogue.Sent] {
        defer { sent = [] }
        return sent
    }

    mutating func takeActions() -> [DHTAction] {
        defer { others = [] }
        return others
    }

    /// Sends the node a query and returns the first thing that it sent back there.
    mutating func answer(to query: String, from sender: Endpoint) -> String? {
        receives(query, from: sender)
        return takeSent().first { $0.to == sender && !$0.isQuery }?.text
    }

    mutating func replies(to query: Dialogue.Sent, as id: NodeID, _ values: String = "") {
        receives("d1:rd2:id20:\(id.wireText)\(values)e1:t4:\(query.transaction)1:y1:re", from: query.to)
    }

    /// Gets nodes into the tables: they ask, are pinged, and answer.
    mutating func meets(_ contacts: [Contact]) {
        for contact in contacts {
            receives("d1:ad2:id20:\(contact.id.wireText)e1:q4:ping1:t1:x1:y1:qe", from: contact.endpoint)
            answersAll(as: contacts)
        }
        _ = takeActions()
    }

    /// Answers every query of the node's to these contacts with nothing but their names, and returns the others.
    @discardableResult
    mutating func answersAll(as contacts: [Contact], _ values: String = "") -> [Dialogue.Sent] {
        var queries = takeSent().filter(\.isQuery)
        var unanswered: [Dialogue.Sent] = []
        while let query = queries.popLast() {
            guard let contact = contacts.first(where: { $0.endpoint == query.to }) else {
                unanswered.append(query)
                continue
            }
            replies(to: query, as: contact.id, values)
            queries += takeSent().filter(\.isQuery)
        }
        return unanswered
    }
}
