package import Cryptography
package import Primitives

/// A node of the mainline DHT (BEP 5) as a pure machine: datagrams and the time go in, datagrams and findings come out.
///
///     idle ── start ──▶ joining ── a node answered ──▶ joined
///                       ▲  │                             │
///            pause over │  ▼ nobody answered             │ everybody fell silent
///                      pausing                joining ◀──┘
///
/// In every state it answers the queries of others and runs lookups with whatever nodes it knows.
package struct DHTNode: ~Copyable {
    package internal(set) var id: NodeID
    /// Which of the two DHTs it belongs to (BEP 32).
    package let family: AddressFamily
    /// A wrapped property of a type that cannot be copied crashes the compiler (Swift 6.3.1), so this one is spelled out.
    let sharedLimits: SharedLimits
    var limits: DHTLimits { _read { yield sharedLimits.wrappedValue } }
    /// For what others must not foresee, and for what they may see.
    var secrets: KeyedRandom
    var random: SeededRandom

    var identity: Identity
    var table: RoutingTable
    var queries: OpenQueries
    /// In the order of their identifiers.
    var lookups: [Lookup] = []
    var starved: [LookupID] = []
    var refresh: LookupID?
    var size: NetworkSize
    var recent: RecentContacts
    var joining = Joining()
    var companionship = Companionship()
    /// Endpoints with an open ping that decides about a place in the table.
    var verifying: Set<Endpoint> = []
    /// Endpoints that are our own, found out by meeting ourselves there.
    var ownEndpoints: Set<Endpoint> = []

    var tokens: Tokens
    var peers: PeerStore
    var items: ItemStore
    var queryLimits: QueryLimits
    var announcements: OwnAnnouncements
    /// Who proved lately that it receives what we send to it (hardening D9).
    var validated: RecentAddresses
    let kind: OwnKind
    var reachability: Reachability
    var sample: InfoHashSample

    var nextUpkeep: Instant?
    /// The time as it was last told, for questions that come without one.
    var toldTime: Instant
    var lastNumber: UInt64 = 0
    package internal(set) var statistics = DHTStatistics()
    /// Reused for answers.
    var contactScratch: [Contact] = []
    var named = NamedContacts()
    var peerScratch: [Endpoint] = []

    /// A node that does nothing yet but answer.
    ///
    /// - Parameters:
    ///   - source: makes its identifiers, one for each external address (BEP 42).
    ///   - key: proves the identifier to nodes of our own kind and signs nothing else here; `source` is made of it.
    ///   - address: the external address, where somebody knows it; the votes of others correct it.
    ///   - former: the identifier of a former run. Most likely the address is still the same, and who begins with the right
    ///     identifier need not join twice.
    ///   - family: whose addresses it talks to, names and stores.
    ///   - seed: where all its randomness comes from; must be unpredictable outside of tests.
    package init(
        identity source: NodeIDSource,
        key: Ed25519.SigningKey? = nil,
        at address: IPAddress? = nil,
        formerly former: NodeID? = nil,
        family: AddressFamily = .v4,
        limits: DHTLimits = DHTLimits(),
        seed: UInt64,
        now: Instant
    ) {
        let limits = SharedLimits(limits)
        let identity = Identity(source: source, key: key, address: address, limits: limits)
        let known = former.flatMap { source.made($0) ? $0 : nil }
        self.init(id: known ?? source.id(at: address), identity, family, limits, seed, now)
    }

    /// A node that goes by one identifier wherever it is: for tests, which write identifiers down, those of others too.
    package init(
        id: NodeID,
        family: AddressFamily = .v4,
        limits: DHTLimits = DHTLimits(),
        seed: UInt64,
        now: Instant
    ) {
        var limits = limits
        limits.checksIdentifiers = false
        let shared = SharedLimits(limits)
        self.init(id: id, Identity(source: nil, address: nil, limits: shared), family, shared, seed, now)
    }

    private init(
        id: NodeID,
        _ identity: Identity,
        _ family: AddressFamily,
        _ shared: SharedLimits,
        _ seed: UInt64,
        _ now: Instant
    ) {
        self.id = id
        self.identity = identity
        self.family = family
        let limits = shared.wrappedValue
        sharedLimits = shared
        secrets = KeyedRandom(seed: seed)
        random = SeededRandom(seed: secrets.next())
        table = RoutingTable(own: id, limits: shared, now: now)
        queries = OpenQueries(limits: shared)
        size = NetworkSize(limits: shared)
        recent = RecentContacts(limits: shared)
        tokens = Tokens(rotation: limits.tokenRotation, now: now, using: &secrets)
        peers = PeerStore(limits: shared, now: now, using: &secrets)
        items = ItemStore(limits: shared, now: now)
        queryLimits = QueryLimits(limits: shared, now: now)
        announcements = OwnAnnouncements(limits: limits)
        validated = RecentAddresses(lifetime: limits.validation, capacity: limits.validatedSources, now: now)
        reachability = Reachability(limits: shared, now: now)
        // Of its own, so that what nodes of no kind do is not changed by what ours keep.
        var lots = KeyedRandom(seed: ~seed)
        kind = OwnKind(id: id, limits: shared, now: now, using: &lots)
        sample = InfoHashSample(limits: shared)
        toldTime = now
    }

    // MARK: Commands

    /// Joins the network.
    ///
    /// - Parameters:
    ///   - bootstrap: whether there are bootstrap nodes to resolve; a network's first node has none.
    ///   - remembered: nodes of a former run. They are asked, not believed (hardening D16).
    package mutating func start(
        bootstrap: Bool,
        remembered: [Contact],
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard !joining.isStarted else { return }
        joining.isStarted = true
        joining.usesBootstrap = bootstrap
        joining.remembered = Array(
            remembered.filter { $0.id != id && $0.endpoint.isUsable(in: family) }.prefix(limits.remembered)
        )
        reachability.started(isFirst: !bootstrap && joining.remembered.isEmpty)
        toldTime = now
        nextUpkeep = now + limits.upkeepInterval
        join(at: now, into: &actions)
    }

    /// Finds the nodes closest to a place in the key space.
    package mutating func findNode(
        closestTo target: NodeID,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        begin(.findNode, target: target, at: now, into: &actions)
    }

    /// Finds peers, and announces us to the nodes closest to the info-hash where a port is given; from then on we name
    /// ourselves to whoever asks us, until `withdraw`.
    ///
    /// - Parameter isSeed: whether we have all of it: then whoever counts (BEP 33) counts us as a seed.
    package mutating func findPeers(
        of infoHash: InfoHash,
        announcingPort port: UInt16?,
        isSeed: Bool = false,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        if let port { announcements.add(infoHash, port: port) }
        return begin(
            .getPeers(infoHash),
            target: NodeID(infoHash),
            storing: port.map { .peer(port: $0, isSeed: isSeed) },
            at: now,
            into: &actions
        )
    }

    /// Ends a lookup without a word; an unknown one is ignored.
    package mutating func cancel(_ lookup: LookupID) {
        guard let index = lookups.index(of: lookup), lookups[index].isCommanded else { return }
        lookups.remove(at: index)
        kind.peerQuestions.remove(lookup)
        starved.removeAll { $0 == lookup }
    }

    /// Asks whether a node is there.
    package mutating func ping(
        _ endpoint: Endpoint,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> PingID {
        let ping = PingID(number: nextNumber())
        if endpoint.isUsable(in: family) {
            send(.ping, to: endpoint, expecting: nil, for: .ping(ping), at: now, into: &actions)
        } else {
            actions.append(.pingFailed(ping))
        }
        return ping
    }

    // MARK: Questions

    /// When `advanced` is next needed.
    package var nextDeadline: Instant? {
        var next = Instant.distantFuture
        if let deadline = queries.nextDeadline { next = min(next, deadline) }
        if let deadline = joining.resolveDeadline { next = min(next, deadline) }
        if let deadline = joining.retryAt { next = min(next, deadline) }
        if let deadline = kind.proving.nextDeadline { next = min(next, deadline) }
        if let deadline = kind.peerQuestions.nextDeadline { next = min(next, deadline) }
        if let deadline = nextUpkeep { next = min(next, deadline) }
        return next == .distantFuture ? nil : next
    }

    /// What the calendar says, as it was last told; without it no record can be judged, so none is taken.
    package var wallClock: WallClock? {
        get { kind.wallClock }
        set { kind.wallClock = newValue }
    }

    /// Whether somebody answered since we were last alone.
    package var isJoined: Bool { joining.hasJoined }

    /// The good nodes: for the file of remembered nodes.
    package var contacts: [Contact] { table.goodContacts(at: toldTime) }

    package var buckets: [BucketSummary] { table.summaries(at: toldTime) }

    /// How many nodes the network has, as our own lookups suggest; `nil` before there were enough of them.
    package var networkSize: Int? { size.estimate }

    /// What the answers of other nodes take.
    package var roundTrips: RoundTripSummary { RoundTripSummary(queries.roundTrips) }

    /// The peers that others announced to us under an info-hash.
    package func storedPeers(of infoHash: InfoHash) -> [Endpoint] {
        peers.peers(of: infoHash, at: toldTime).map(\.endpoint)
    }

    package var storedInfoHashCount: Int { peers.infoHashCount }

    /// The item that others put here.
    package func storedItem(at target: NodeID) -> Item? { items.item(at: target, toldTime) }

    package var storedItemCount: Int { items.count }

    /// Records that others put here.
    package var storedRecordCount: Int { kind.records.count }

    /// What we prove our identifier by.
    package var signingKey: Ed25519.SigningKey? { identity.key }

    /// Nodes of our own kind that proved their key.
    package var overlayNodeCount: Int { kind.overlay.count }

    // MARK: Sending

    mutating func nextNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    mutating func send(
        _ query: OutgoingQuery,
        to endpoint: Endpoint,
        expecting expected: NodeID?,
        for purpose: QueryPurpose,
        patience: Patience = .patient,
        asServer: Bool = false,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        let open = OpenQuery(purpose: purpose, endpoint: endpoint, expected: expected, sentAt: now)
        let known = expected.flatMap { table.roundTrip(of: Contact($0, endpoint)) }
        let transaction = queries.add(open, knowing: known, patience: patience, using: &secrets)
        let isReadOnly = !asServer && reachability.isReadOnly(toward: endpoint.address, at: now)
        reachability.sent(to: endpoint.address, at: now)
        let count = actions.send(to: endpoint) { [id] in
            $0.query(query, from: id, transaction: transaction, isReadOnly: isReadOnly)
        }
        statistics.queriesSent += 1
        statistics.datagramsSent += 1
        statistics.bytesSent += count
    }

    /// Pings a node to learn whether it belongs into the table.
    ///
    /// - Parameter asServer: whether it may take us for one that serves (BEP 43), whatever we know of that.
    mutating func verify(
        _ contact: Contact,
        asServer: Bool = false,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard !ownEndpoints.contains(contact.endpoint), verifying.insert(contact.endpoint).inserted else { return }
        send(
            .ping,
            to: contact.endpoint,
            expecting: contact.id,
            for: .verify,
            asServer: asServer,
            at: now,
            into: &actions
        )
    }
}
