import Availability
import Cryptography
import Kademlia
import Primitives

/// A node, the time, and what it did last: lets a test read as a dialogue.
struct Dialogue: ~Copyable {
    /// One datagram that the node sent.
    struct Sent: Hashable {
        let text: String
        let to: Endpoint
        /// The transaction of a query of ours: the four bytes behind `1:t4:`.
        var transaction: String {
            guard let range = text.firstRange(of: "1:t4:") else { return "" }
            return String(text[range.upperBound...].unicodeScalars.prefix(4))
        }

        var isQuery: Bool { text.contains("1:y1:q") }
        func isQuery(_ method: String) -> Bool { text.contains("1:q\(method.utf8.count):\(method)") }
        /// BEP 43.
        var isReadOnly: Bool { text.contains("2:roi1e1:t4:") }
    }

    static let ownID = NodeID(0x00, last: 0)

    var node: DHTNode
    var now = Instant.zero
    private var actions = DHTActionBuffer()
    /// Everything since the last call of `take`.
    private var sent: [Sent] = []
    private var others: [DHTAction] = []

    init(
        id: NodeID = Dialogue.ownID,
        family: AddressFamily = .v4,
        limits: DHTLimits = DHTLimits(),
        seed: UInt64 = 1
    ) {
        node = DHTNode(id: id, family: family, limits: limits, seed: seed, now: .zero)
    }

    /// A node with a key, which goes by another identifier wherever it is.
    init(identity: NodeIDSource, at address: IPAddress? = nil, limits: DHTLimits = DHTLimits(), seed: UInt64 = 1) {
        node = DHTNode(identity: identity, at: address, limits: limits, seed: seed, now: .zero)
    }

    /// A node of our own kind, which proves its key and signs.
    init(kin: Kin, limits: DHTLimits = DHTLimits(), seed: UInt64 = 1) {
        node = DHTNode(
            identity: NodeIDSource(kin.key.publicKey),
            key: kin.key,
            at: kin.contact.endpoint.address,
            family: kin.contact.endpoint.address.family,
            limits: limits,
            seed: seed,
            now: .zero
        )
        node.wallClock = WallClock(unixMilliseconds: Kin.epoch, at: .zero)
    }

    private mutating func gather() {
        for action in actions.actions {
            if case .send(let range, let endpoint) = action {
                sent.append(Sent(text: text(actions.bytes[range]), to: endpoint))
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

    mutating func resolved(_ endpoints: [Endpoint]) {
        node.bootstrapNodesResolved(endpoints, at: now, into: &actions)
        gather()
    }

    mutating func receives(_ bytes: [UInt8], from sender: Endpoint) {
        node.received(bytes.span.bytes, from: sender, at: now, into: &actions)
        gather()
    }

    mutating func receives(_ text: String, from sender: Endpoint) { receives(wire(text), from: sender) }

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

    /// Lets time pass as a sleeping host does: nobody is told.
    mutating func sleeps(_ duration: Duration) {
        now = now + duration
        node.advanced(to: now, into: &actions)
        gather()
    }

    mutating func findPeers(
        of infoHash: InfoHash,
        announcing port: UInt16? = nil,
        isSeed: Bool = false
    ) -> LookupID {
        defer { gather() }
        return node.findPeers(of: infoHash, announcingPort: port, isSeed: isSeed, at: now, into: &actions)
    }

    mutating func findItem(_ target: NodeID, salt: [UInt8] = [], newerThan sequence: Int64? = nil) -> LookupID {
        defer { gather() }
        return node.findItem(target, salt: salt, newerThan: sequence, at: now, into: &actions)
    }

    mutating func store(_ item: Item, replacing: Int64? = nil, keeping: Bool = false) -> LookupID {
        defer { gather() }
        return node.store(item, replacing: replacing, keeping: keeping, at: now, into: &actions)
    }

    mutating func findNode(closestTo target: NodeID) -> LookupID {
        defer { gather() }
        return node.findNode(closestTo: target, at: now, into: &actions)
    }

    mutating func scrape(_ infoHash: InfoHash) -> LookupID {
        defer { gather() }
        return node.scrape(infoHash, at: now, into: &actions)
    }

    mutating func sample(around target: NodeID) -> LookupID {
        defer { gather() }
        return node.sample(around: target, at: now, into: &actions)
    }

    mutating func publish(_ record: AvailabilityRecord) -> LookupID {
        defer { gather() }
        return node.publish(record, at: now, into: &actions)
    }

    mutating func findRecords(
        of infoHash: InfoHash = Kin.infoHash,
        pieceCount: Int? = nil,
        asking peers: [Endpoint] = []
    ) -> LookupID {
        defer { gather() }
        return node.findRecords(of: infoHash, pieceCount: pieceCount, asking: peers, at: now, into: &actions)
    }

    mutating func askForRecords(from peers: [Endpoint], in lookup: LookupID) -> Bool {
        defer { gather() }
        return node.askForRecords(from: peers, in: lookup, at: now, into: &actions)
    }

    mutating func ping(_ endpoint: Endpoint) -> PingID {
        defer { gather() }
        return node.ping(endpoint, at: now, into: &actions)
    }

    // MARK: What the node did

    /// The datagrams since the last call.
    mutating func takeSent() -> [Sent] {
        defer { sent = [] }
        return sent
    }

    /// The other actions since the last call.
    mutating func takeActions() -> [DHTAction] {
        defer { others = [] }
        return others
    }

    /// Sends the node a query and returns the first thing that it sent back there.
    mutating func answer(to query: String, from sender: Endpoint) -> String? {
        receives(query, from: sender)
        return takeSent().first { $0.to == sender && !$0.isQuery }?.text
    }

    /// Answers a query that the node sent.
    mutating func replies(
        to query: Sent,
        as id: NodeID,
        from endpoint: Endpoint? = nil,
        seeing us: Endpoint? = nil,
        _ values: String = ""
    ) {
        let ip = us.map { "2:ip\($0.compactByteCount):\($0.wireText)" } ?? ""
        receives(
            "d\(ip)1:rd2:id20:\(id.wireText)\(values)e1:t4:\(query.transaction)1:y1:re",
            from: endpoint ?? query.to
        )
    }

    /// Gets nodes into the table the only way there is: they ask, the node pings, they answer, until it has no question
    /// left.
    mutating func meets(_ contacts: [Contact]) {
        for contact in contacts {
            receives("d1:ad2:id20:\(contact.id.wireText)e1:q4:ping1:t1:x1:y1:qe", from: contact.endpoint)
            answersAll(as: contacts)
        }
        _ = takeActions()
    }

    /// Answers every query of the node's to these contacts, with nothing but their names.
    mutating func answersAll(as contacts: [Contact]) {
        var queries = takeSent().filter(\.isQuery)
        while let query = queries.popLast() {
            guard let contact = contacts.first(where: { $0.endpoint == query.to }) else { continue }
            replies(to: query, as: contact.id)
            queries += takeSent().filter(\.isQuery)
        }
    }

    /// The first datagram since the last call; an empty one, that no expectation fits, when there is none.
    mutating func nextSent() -> Sent { takeSent().first ?? Sent(text: "", to: Endpoint(.anyV4, 0)) }
}
