import Cryptography
import Primitives

/// One announce as the registry sees it.
struct Visit {
    let endpoint: Endpoint
    let id: RowID
    let isSeed: Bool
    let event: AnnounceRequest.Event
    let wanted: Int?
    let reach: Reach
    let wantsIDs: Bool
    let now: Instant

    init(_ request: AnnounceRequest, from sender: IPAddress, wantsIDs: Bool, at now: Instant) {
        endpoint = Endpoint(sender, request.port)
        id = RowID(request.peerID, key: request.key)
        // Who does not say how much is left has no metadata yet, and so nothing to give.
        isSeed = request.left == 0
        event = request.event
        wanted = request.wanted
        reach = Reach(sender)
        self.wantsIDs = wantsIDs
        self.now = now
    }
}

/// What all swarms have in common: limits, chance, and how many peers each host has.
struct AnnounceDesk {
    /// What became of a visit beside the answer.
    struct Outcome {
        /// The peer had not said so before.
        var isNewlyComplete = false
        /// An endpoint that is no longer listed.
        var gone: Endpoint?
        var failure: TrackerFailure?
    }

    let limits: RegistryLimits
    let key: RowKey
    var totals = PeerTotals()
    /// For the limit on peers of one host (T7).
    private var shares: AddressShares
    private var random: SeededRandom
    private var choice: PeerChoice
    private let youngUntil: Instant
    // In whole seconds: a `Duration` has 128 bits, and dividing one costs more than the rest of the answer's head.
    private let interval: Int
    private let minInterval: Int
    private let shortInterval: Int

    init(limits: RegistryLimits, random: SeededRandom, startedAt now: Instant) {
        var random = random
        self.limits = limits
        key = RowKey(using: &random)
        shares = AddressShares(capacity: limits.peers, using: &random)
        choice = PeerChoice(limits: limits)
        self.random = random
        youngUntil = now + limits.lifetime
        interval = Int(limits.interval.components.seconds)
        minInterval = Int(limits.minInterval.components.seconds)
        shortInterval = Int(limits.shortInterval.components.seconds)
    }

    /// Lists, renews or takes out a peer, and answers it.
    mutating func receive<Row: PeerRow>(
        _ visit: Visit,
        in table: inout PeerTable<Row>,
        into reply: inout AnnounceReply
    ) -> Outcome {
        guard let row = Row(visit.endpoint, visit.id, RowStamp(at: visit.now)) else { return Outcome() }
        var outcome = Outcome()
        let seedsBefore = table.seedCount
        let countBefore = table.count
        var own: Int?
        reply.warning = nil
        if visit.event == .stopped {
            outcome.gone = leave(row, visit, &table)
        } else {
            own = list(row, visit, &table, &outcome, &reply.warning)
        }
        let newSeeds = table.seedCount - seedsBefore
        totals.add(visit.endpoint.address.family, seeds: newSeeds, leechers: table.count - countBefore - newSeeds)
        answer(visit, table, own, into: &reply)
        return outcome
    }

    // MARK: Listing

    /// The peer's row, `nil` where there is no room for it.
    private mutating func list<Row: PeerRow>(
        _ row: Row,
        _ visit: Visit,
        _ table: inout PeerTable<Row>,
        _ outcome: inout Outcome,
        _ warning: inout StaticString?
    ) -> Int? {
        let kind = PeerKind(isSeed: visit.isSeed, visit.reach)
        guard let position = table.position(of: row, key) else {
            return enter(row, as: kind, visit, &table, &outcome, &warning)
        }
        outcome.isNewlyComplete = !table.rows[position].stamp.hasCompleted
        table.update(at: position) { old in
            old.id = row.id
            old.stamp.renew(at: visit.now)
            old.stamp.isForeign = false
            if visit.event == .completed { old.stamp.hasCompleted = true }
        }
        guard table.kind(at: position) != kind.number else { return position }
        let changed = table.remove(at: position, key)
        table.insert(changed, as: kind, key)
        return table.position(of: row, key)
    }

    private mutating func enter<Row: PeerRow>(
        _ row: Row,
        as kind: PeerKind,
        _ visit: Visit,
        _ table: inout PeerTable<Row>,
        _ outcome: inout Outcome,
        _ warning: inout StaticString?
    ) -> Int? {
        let address = visit.endpoint.address
        guard hasShare(address, in: table) else {
            outcome.failure = .tooManyPeers
            return nil
        }
        var row = row
        outcome.isNewlyComplete = true
        // Only a peer that announced before can have moved; a new session has a new key.
        if visit.event != .started, let old = table.position(provenBy: row.id) {
            row.stamp.hasCompleted = table.rows[old].stamp.hasCompleted
            outcome.isNewlyComplete = !row.stamp.hasCompleted
            outcome.gone = remove(at: old, from: &table)
        } else if table.count >= limits.peersPerSwarm || totals.peers >= limits.peers {
            warning = "the tracker is full: others cannot find you here"
            return nil
        }
        if visit.event == .completed { row.stamp.hasCompleted = true }
        add(row, as: kind, to: &table)
        return table.position(of: row, key)
    }

    private mutating func add<Row: PeerRow>(_ row: Row, as kind: PeerKind, to table: inout PeerTable<Row>) {
        let address = row.endpoint.address
        table.insert(row, as: kind, key)
        if counts(address) { shares.add(address) }
    }

    private mutating func remove<Row: PeerRow>(at position: Int, from table: inout PeerTable<Row>) -> Endpoint {
        let gone = table.remove(at: position, key).endpoint
        if counts(gone.address) { shares.remove(gone.address) }
        return gone
    }

    /// Whether there is a limit on the peers of a host.
    private func counts(_ address: IPAddress) -> Bool { !(address.isLoopback && limits.exemptsLoopback) }

    /// Whether a host may have another peer (T7).
    private func hasShare<Row: PeerRow>(_ address: IPAddress, in table: PeerTable<Row>) -> Bool {
        guard counts(address) else { return true }
        let peers = shares.count(of: address)
        guard peers < limits.peersPerHost else { return false }
        // Never too low: a host with few peers in all has few in this swarm, and the rows need not be looked through.
        return peers < limits.peersPerHostAndSwarm || table.count(ofHost: address) < limits.peersPerHostAndSwarm
    }

    /// Takes a peer out that says so from its own address, or proves that it was there (T8).
    private mutating func leave<Row: PeerRow>(
        _ row: Row,
        _ visit: Visit,
        _ table: inout PeerTable<Row>
    ) -> Endpoint? {
        guard let position = table.position(of: row, key) ?? table.position(provenBy: row.id) else { return nil }
        return remove(at: position, from: &table)
    }

    // MARK: Answering

    private mutating func answer<Row: PeerRow>(
        _ visit: Visit,
        _ table: PeerTable<Row>,
        _ own: Int?,
        into reply: inout AnnounceReply
    ) {
        writeHead(visit, listed: table.count, seeds: table.seedCount, into: &reply)
        guard visit.event != .stopped else { return }
        let wanted = min(visit.wanted ?? limits.usualWanted, limits.mostWanted)
        let range = table.range(of: PeerKind.told(asSeed: visit.isSeed, visit.reach))
        choice.choose(wanted, of: range, except: own, using: &random)
        let length = reply.family.compactEndpointByteCount
        reply.peers.append(atMost: choice.positions.count * length) { room in
            for position in choice.positions { table.rows[Int(position)].endpoint.writeCompact(to: &room) }
        }
        guard visit.wantsIDs else { return }
        for position in choice.positions { reply.peerIDs.append(table.rows[Int(position)].id.peerID) }
    }

    /// The answer where there is no swarm and none begins.
    func answerNobody(
        _ request: AnnounceRequest,
        from sender: IPAddress,
        at now: Instant,
        into reply: inout AnnounceReply
    ) {
        reply.warning = request.event == .stopped ? nil : "the tracker is full: others cannot find you here"
        writeHead(Visit(request, from: sender, wantsIDs: false, at: now), listed: 0, seeds: 0, into: &reply)
    }

    private func writeHead(_ visit: Visit, listed: Int, seeds: Int, into reply: inout AnnounceReply) {
        reply.interval = listed <= 1 || visit.now < youngUntil ? shortInterval : interval
        reply.minInterval = min(minInterval, reply.interval)
        reply.seeds = seeds
        reply.leechers = listed - seeds
        reply.family = visit.endpoint.address.family
        reply.peers.removeAll()
        reply.peerIDs.removeAll(keepingCapacity: true)
    }

    // MARK: Upkeep

    /// Lists a peer that was written down, where it is not listed already and there is room.
    ///
    /// A peer that announced here is newer than anything that was written down.
    mutating func restore<Row: PeerRow>(_ row: Row, isSeed: Bool, in table: inout PeerTable<Row>, at now: Instant) {
        let (seedsBefore, countBefore) = (table.seedCount, table.count)
        if let position = table.position(of: row, key) {
            let old = table.rows[position].stamp
            guard old.isForeign, row.stamp.ticks(until: now) < old.ticks(until: now) else { return }
            _ = remove(at: position, from: &table)
        }
        let address = row.endpoint.address
        if table.count < limits.peersPerSwarm, totals.peers < limits.peers, hasShare(address, in: table) {
            add(row, as: PeerKind(isSeed: isSeed, Reach(address)), to: &table)
        }
        let newSeeds = table.seedCount - seedsBefore
        totals.add(address.family, seeds: newSeeds, leechers: table.count - countBefore - newSeeds)
    }

    /// Whether a peer is listed.
    func lists(_ peer: Endpoint, in swarm: Swarm) -> Bool {
        let (id, stamp) = (RowID(PeerID(.zero), key: nil), RowStamp(at: .zero))
        if let row = RowV4(peer, id, stamp) { return swarm.v4.position(of: row, key) != nil }
        if let row = RowV6(peer, id, stamp) { return swarm.v6.position(of: row, key) != nil }
        return false
    }

    /// Takes out who was not heard of for too long, and tells whom. Peers that another tracker told of live half as long:
    /// that one tells of them at every interval again.
    mutating func expire<Row: PeerRow>(
        _ table: inout PeerTable<Row>,
        at now: Instant,
        gone: (Endpoint) -> Void
    ) {
        guard let first = table.rows.first else { return }
        let (countBefore, seedsBefore) = (table.count, table.seedCount)
        // From the end: a row that moves into a hole comes from behind it, and was looked at.
        for position in table.rows.indices.reversed() {
            let stamp = table.rows[position].stamp
            guard stamp.age(at: now) > (stamp.isForeign ? limits.interval : limits.lifetime) else { continue }
            gone(remove(at: position, from: &table))
        }
        let newSeeds = table.seedCount - seedsBefore
        let newLeechers = table.count - countBefore - newSeeds
        totals.add(first.endpoint.address.family, seeds: newSeeds, leechers: newLeechers)
        table.shrink(key)
    }
}
