package import Availability
package import Cryptography
package import Kademlia
package import Primitives

/// Many DHT nodes in one process, on a virtual network, under a virtual clock: everything follows from one seed.
///
/// The nodes are the machines of the program, fed with the datagrams that they send each other. Only how a network comes
/// about can be cut short (`Configuration.Beginning`).
package struct DHTSimulation {
    /// What commands came to, gathered from all nodes.
    package struct Findings: Hashable, Sendable {
        package var peers: [LookupID: [Endpoint]] = [:]
        /// As they came: each newer than the one before.
        package var items: [LookupID: [Item]] = [:]
        package var records: [LookupID: [FoundRecord]] = [:]
        package var provedKeys: [Endpoint: Ed25519.PublicKey] = [:]
        /// When each of `peers` was handed on.
        package var peersAt: [LookupID: [Instant]] = [:]
        package var finishedAt: [LookupID: Instant] = [:]
        package var summaries: [LookupID: LookupSummary] = [:]
        package var pongs: [PingID: NodeID] = [:]
        package var failedPings: Set<PingID> = []
        package var bootstrapFailures: [Duration] = []
        package var bootstrappedAt: Instant?
    }

    private enum Event {
        case start(Int)
        case arrival(DatagramsInFlight.Slot, at: Int)
        case wakeUp(Int)
        case departure(Int)
    }

    package let configuration: Configuration
    package var network: VirtualNetwork
    package private(set) var trace = TraceHash()
    /// What every node is told when it asks for bootstrap nodes.
    package var bootstrapNodes: [Endpoint]
    package private(set) var departures = 0
    private var random: SeededRandom
    private var events = EventQueue<Event>()
    private var inFlight = DatagramsInFlight()
    private var hosts: [DHTHost] = []
    private var colluders: Colluders?
    private var actions = DHTActionBuffer()

    /// Makes the nodes, and plans their start or tells them of each other.
    package init(_ configuration: Configuration) {
        self.configuration = configuration
        random = SeededRandom(seed: configuration.seed)
        network = VirtualNetwork(conditions: configuration.conditions, seed: random.next())
        switch configuration.beginning {
        case .joining(let interval):
            bootstrapNodes = [DHTSimulation.endpoint(of: 0)]
            for index in 0..<configuration.nodes {
                let isTranslated = index > 0 && isTranslatedByChance()
                let identity = newIdentity()
                let node = DHTNode(
                    identity: identity.source,
                    key: identity.key,
                    at: DHTSimulation.endpoint(of: index).address,
                    limits: configuration.limits,
                    seed: random.next(),
                    now: .zero
                )
                add(node, isTranslated: isTranslated, stays: nil)
                events.schedule(.start(index), after: interval * index)
            }
        case .established(let standing):
            let routers = min(standing.routers, configuration.nodes)
            bootstrapNodes = (0..<routers).map { DHTSimulation.endpoint(of: $0) }
            establish(standing)
        }
    }

    package var now: Instant { events.now }
    /// Hosts that are or were there: each newcomer counts one more.
    package var count: Int { hosts.count }

    package static func endpoint(of index: Int) -> Endpoint { Endpoint(SimulatedAddress.host(index), 6881) }

    private func index(of endpoint: Endpoint) -> Int? {
        guard let index = SimulatedAddress.index(of: endpoint.address) else { return nil }
        return index < hosts.count && hosts[index].endpoint == endpoint ? index : nil
    }

    // MARK: Running

    /// Lets time pass.
    package mutating func run(for duration: Duration) {
        let end = events.now + duration
        while let event = events.next(until: end) { handle(event) }
    }

    package func findings(of index: Int) -> Findings { hosts[index].findings }
    package func id(of index: Int) -> NodeID { hosts[index].node.id }
    package func contacts(of index: Int) -> [Contact] { hosts[index].node.contacts }
    package func buckets(of index: Int) -> [BucketSummary] { hosts[index].node.buckets }
    package func statistics(of index: Int) -> DHTStatistics { hosts[index].node.statistics }
    /// How many hosts hold an item.
    package func holders(of target: NodeID) -> Int {
        hosts.count { $0.isPresent && $0.node.storedItem(at: target) != nil }
    }

    package func storedItem(of index: Int, _ target: NodeID) -> Item? { hosts[index].node.storedItem(at: target) }
    package func storedPeers(of index: Int, _ infoHash: InfoHash) -> [Endpoint] {
        hosts[index].node.storedPeers(of: infoHash)
    }
    package func overlayNodeCount(of index: Int) -> Int { hosts[index].node.overlayNodeCount }
    package func key(of index: Int) -> Ed25519.SigningKey? { hosts[index].node.signingKey }
    package func networkSize(of index: Int) -> Int? { hosts[index].node.networkSize }
    package func isPresent(_ index: Int) -> Bool { hosts[index].isPresent }
    /// One of those that are there, by chance.
    func anyHost(using random: inout SeededRandom) -> Int {
        while true {
            let host = Int.random(in: hosts.indices, using: &random)
            if isPresent(host) { return host }
        }
    }

    package func isTranslated(_ index: Int) -> Bool { hosts[index].translation != nil }

    /// The nodes that in truth are closest to a place, of those that are there and that everybody reaches.
    package func reachableNodes(closestTo target: NodeID, atMost count: Int) -> [NodeID] {
        var closest: [(distance: UInt160, id: NodeID)] = []
        for host in hosts where host.isPresent && host.translation == nil {
            let distance = host.node.id.distance(to: target)
            if closest.count == count, let last = closest.last, last.distance < distance { continue }
            closest.insert((distance, host.node.id), at: closest.firstIndex { distance < $0.distance } ?? closest.count)
            if closest.count > count { closest.removeLast() }
        }
        return closest.map(\.id)
    }

    // MARK: Commands

    package mutating func findPeers(of infoHash: InfoHash, from index: Int, announcing port: UInt16? = nil) -> LookupID
    {
        actions.removeAll()
        let lookup = hosts[index].node.findPeers(of: infoHash, announcingPort: port, at: now, into: &actions)
        carryOut(index)
        return lookup
    }

    package mutating func findItem(_ target: NodeID, salt: [UInt8] = [], from index: Int) -> LookupID {
        actions.removeAll()
        let lookup = hosts[index].node.findItem(target, salt: salt, at: now, into: &actions)
        carryOut(index)
        return lookup
    }

    package mutating func store(_ item: Item, from index: Int) -> LookupID {
        actions.removeAll()
        let lookup = hosts[index].node.store(item, at: now, into: &actions)
        carryOut(index)
        return lookup
    }

    /// Unix milliseconds at the beginning of each simulation.
    package static let epoch: Int64 = 1_700_000_000_000
    static let wallClock = WallClock(unixMilliseconds: epoch, at: .zero)

    package mutating func publish(_ record: AvailabilityRecord, from index: Int) -> LookupID {
        actions.removeAll()
        let lookup = hosts[index].node.publish(record, at: now, into: &actions)
        carryOut(index)
        return lookup
    }

    package mutating func findRecords(of infoHash: InfoHash, from index: Int) -> LookupID {
        actions.removeAll()
        let lookup = hosts[index].node.findRecords(of: infoHash, at: now, into: &actions)
        carryOut(index)
        return lookup
    }

    package mutating func findNode(closestTo target: NodeID, from index: Int) -> LookupID {
        actions.removeAll()
        let lookup = hosts[index].node.findNode(closestTo: target, at: now, into: &actions)
        carryOut(index)
        return lookup
    }

    package mutating func ping(_ endpoint: Endpoint, from index: Int) -> PingID {
        actions.removeAll()
        let ping = hosts[index].node.ping(endpoint, at: now, into: &actions)
        carryOut(index)
        return ping
    }

    /// Puts a datagram on the network as if `source` had sent it: for spoofed and mutilated packets.
    package mutating func inject(_ bytes: [UInt8], from source: Endpoint, to index: Int) {
        events.schedule(.arrival(inFlight.add(bytes[...], from: source), at: index), at: now)
    }

    // MARK: Coming and going

    /// What a host is called by, and what it signs with.
    private struct HostIdentity {
        let source: NodeIDSource
        var key: Ed25519.SigningKey?
    }

    private mutating func newIdentity() -> HostIdentity {
        let number = UInt160.random(using: &random)
        guard configuration.areOwnKind else { return HostIdentity(source: NodeIDSource(number)) }
        let seed = number.bytes + [UInt8](repeating: 0, count: 12)
        let key = Ed25519.SigningKey(seed: seed.span.bytes)
        return HostIdentity(source: key.map { NodeIDSource($0.publicKey) } ?? NodeIDSource(number), key: key)
    }

    private mutating func isTranslatedByChance() -> Bool {
        Int.random(in: 0..<100, using: &random) < configuration.translatedPercent
    }

    /// - Parameter stays: for how long; `nil` for ever.
    private mutating func add(_ node: consuming DHTNode, isTranslated: Bool, stays: Duration?) {
        let index = hosts.count
        let translation = isTranslated ? AddressTranslation() : nil
        let endpoint = DHTSimulation.endpoint(of: index)
        hosts.append(DHTHost(endpoint: endpoint, translation: translation, node: node))
        hosts[index].node.wallClock = DHTSimulation.wallClock
        if let stays { events.schedule(.departure(index), after: stays) }
        schedule(index)
    }

    /// Makes nodes that have been in the network for a while.
    private mutating func establish(_ standing: Configuration.Standing) {
        var planned: [(identity: HostIdentity, isTranslated: Bool)] = []
        var known: [Contact] = []
        for index in 0..<configuration.nodes {
            let identity = newIdentity()
            let isTranslated = index >= standing.routers && isTranslatedByChance()
            planned.append((identity, isTranslated))
            if isTranslated, Int.random(in: 0..<100, using: &random) >= standing.knownTranslatedPercent { continue }
            known.append(DHTSimulation.contact(identity.source, index))
        }
        let size = planned.count { !$0.isTranslated } + addColluders(to: &known)
        for index in 0..<known.count * standing.deadPercent / max(1, 100 - standing.deadPercent) {
            known.append(ghost(index))
        }
        let knownNetwork = KnownNetwork(known)
        for (index, plan) in planned.enumerated() {
            let contact = DHTSimulation.contact(plan.identity.source, index)
            let node = DHTNode(
                identity: plan.identity.source,
                key: plan.identity.key,
                at: contact.endpoint.address,
                limits: configuration.limits,
                seed: random.next(),
                now: now,
                knowing: acquaintances(of: contact, in: knownNetwork),
                networkSize: size,
                isReached: !plan.isTranslated
            )
            let stays = index < standing.routers ? nil : configuration.sessions?.remainder(using: &random)
            add(node, isTranslated: plan.isTranslated, stays: stays)
        }
    }

    private static func contact(_ identity: NodeIDSource, _ index: Int) -> Contact {
        contact(identity, at: SimulatedAddress.host(index))
    }

    private static func contact(_ identity: NodeIDSource, at address: IPAddress) -> Contact {
        Contact(identity.id(at: address), Endpoint(address, 6881))
    }

    private mutating func ghost(_ index: Int) -> Contact {
        DHTSimulation.contact(newIdentity().source, at: SimulatedAddress.ghost(index))
    }

    /// Returns how many there are all over the network: of Sybils beside one key, lookups elsewhere tell nothing.
    private mutating func addColluders(to known: inout [Contact]) -> Int {
        guard let hostility = configuration.hostility else { return 0 }
        let contacts = hostility.contacts(amongReachable: known.count, using: &random)
        colluders = Colluders(contacts, conduct: hostility.conduct)
        known += contacts
        return contacts.count - (hostility.sybils?.count ?? 0)
    }

    private mutating func acquaintances(of own: Contact, in known: KnownNetwork) -> [Acquaintance] {
        known.contacts(of: own.id, limits: configuration.limits, using: &random).map { contact in
            let addresses = (own.endpoint.address, contact.endpoint.address)
            let roundTrip = network.usualRoundTrip(between: addresses.0, and: addresses.1)
            let silence = configuration.limits.freshness * Double.random(in: 0..<1, using: &random)
            return Acquaintance(contact, heardAt: now - silence, roundTrip: roundTrip)
        }
    }

    private mutating func depart(_ index: Int) {
        departures += 1
        hosts[index].depart(at: now)
        let isTranslated = isTranslatedByChance()
        let stays = configuration.sessions?.sample(using: &random)
        // A newcomer does not know its address, so it takes its final identifier when enough others agree on it.
        let identity = newIdentity()
        let node = DHTNode(
            identity: identity.source,
            key: identity.key,
            limits: configuration.limits,
            seed: random.next(),
            now: now
        )
        events.schedule(.start(hosts.count), at: now)
        add(node, isTranslated: isTranslated, stays: stays)
    }

    // MARK: Events

    private mutating func handle(_ event: Event) {
        actions.removeAll()
        switch event {
        case .start(let index):
            trace.add(now)
            let isFirst = DHTSimulation.endpoint(of: index) == bootstrapNodes.first
            hosts[index].node.start(bootstrap: !isFirst, remembered: [], at: now, into: &actions)
            carryOut(index)
        case .arrival(let slot, let index):
            arrive(inFlight.take(slot), at: index)
        case .wakeUp(let index):
            // Timers that an earlier one has replaced stay in the queue.
            guard hosts[index].wakeUp == now else { return }
            trace.add(now)
            hosts[index].wakeUp = .distantFuture
            hosts[index].node.advanced(to: now, into: &actions)
            carryOut(index)
        case .departure(let index):
            trace.add(now)
            depart(index)
        }
    }

    private mutating func arrive(_ datagram: (bytes: [UInt8], sender: Endpoint), at index: Int) {
        let host = hosts[index]
        guard host.isPresent, host.translation?.admits(from: datagram.sender, at: now) ?? true else { return }
        trace.add(now)
        trace.add(UInt64(index))
        trace.add(datagram.bytes)
        host.node.received(datagram.bytes.span.bytes, from: datagram.sender, at: now, into: &actions)
        carryOut(index)
    }

    /// What a driver does: sends, remembers what was found, and sets the timer.
    private mutating func carryOut(_ index: Int) {
        let host = hosts[index]
        var position = 0
        while position < actions.actions.count {
            switch actions.actions[position] {
            case .send(let range, let receiver): send(range, from: host, to: receiver)
            case .resolveBootstrapNodes: host.node.bootstrapNodesResolved(bootstrapNodes, at: now, into: &actions)
            case .bootstrapped: host.findings.bootstrappedAt = host.findings.bootstrappedAt ?? now
            case .bootstrapFailed(_, let pause): host.findings.bootstrapFailures.append(pause)
            case .foundPeers(let lookup, let peers):
                host.findings.peersAt[lookup, default: []] += peers.map { _ in now }
                host.findings.peers[lookup, default: []] += peers
            case .foundItem(let lookup, let item): host.findings.items[lookup, default: []].append(item)
            case .foundRecord(let lookup, let found): host.findings.records[lookup, default: []].append(found)
            case .provedKey(let key, let endpoint): host.findings.provedKeys[endpoint] = key
            case .lookupProgress, .scraped, .sampled, .eclipseSuspected, .addressChanged, .refusedRecord: break
            case .finished(let lookup, let summary):
                host.findings.summaries[lookup] = summary
                host.findings.finishedAt[lookup] = now
            case .pong(let ping, let id, _): host.findings.pongs[ping] = id
            case .pingFailed(let ping): host.findings.failedPings.insert(ping)
            }
            position += 1
        }
        schedule(index)
    }

    private mutating func schedule(_ index: Int) {
        guard let deadline = hosts[index].node.nextDeadline, deadline < hosts[index].wakeUp else { return }
        let wakeUp = max(deadline, now)
        hosts[index].wakeUp = wakeUp
        events.schedule(.wakeUp(index), at: wakeUp)
    }

    private mutating func send(_ range: Range<Int>, from host: DHTHost, to receiver: Endpoint) {
        guard host.isPresent else { return }
        host.translation?.sent(to: receiver, at: now)
        let addresses = (host.endpoint.address, receiver.address)
        let delay = network.delayOfDatagram(from: addresses.0, to: addresses.1, byteCount: range.count)
        guard let delay else { return }
        if let reply = colluders?.reply(to: actions.bytes[range], at: receiver) {
            let back = network.delayOfDatagram(from: addresses.1, to: addresses.0, byteCount: reply.count)
            guard let back, let index = index(of: host.endpoint) else { return }
            return events.schedule(.arrival(inFlight.add(reply[...], from: receiver), at: index), after: delay + back)
        }
        guard let index = index(of: receiver) else { return }
        let slot = inFlight.add(actions.bytes[range], from: host.endpoint)
        events.schedule(.arrival(slot, at: index), after: delay)
    }
}
