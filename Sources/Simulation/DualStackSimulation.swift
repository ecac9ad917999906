package import Kademlia
package import Primitives

/// A network in which some hosts have IPv4, some IPv6, and some both (BEP 32): everything follows from one seed.
package struct DualStackSimulation {
    /// What a host has.
    package struct Plan: Hashable, Sendable {
        package var families: Set<AddressFamily>
        /// Over which families it knows the first host, which has both.
        package var bootstrapFamilies: Set<AddressFamily>

        package init(_ families: Set<AddressFamily>, knowing bootstrapFamilies: Set<AddressFamily>) {
            self.families = families
            self.bootstrapFamilies = bootstrapFamilies
        }
    }

    /// A node with what its driver would keep. A class, because arrays do not hold types that cannot be copied.
    private final class Host {
        let endpoints: [AddressFamily: Endpoint]
        /// What it is told when it asks for bootstrap nodes.
        let bootstrapNodes: [Endpoint]
        var node: DualStackNode
        var peers: [LookupID: [Endpoint]] = [:]
        var summaries: [LookupID: LookupSummary] = [:]
        /// The earliest wake-up that is scheduled.
        var wakeUp = Instant.distantFuture

        init(endpoints: [AddressFamily: Endpoint], bootstrapNodes: [Endpoint], node: consuming DualStackNode) {
            self.endpoints = endpoints
            self.bootstrapNodes = bootstrapNodes
            self.node = node
        }
    }

    private enum Event {
        case start(Int)
        case arrival([UInt8], from: Endpoint, to: Int)
        case wakeUp(Int)
    }

    private var network: VirtualNetwork
    private var events = EventQueue<Event>()
    private var hosts: [Host] = []
    private var indices: [Endpoint: Int] = [:]
    private var actions = DHTActionBuffer()
    /// Datagrams that a host sent to a family of its own and those, if any, to one that it does not have.
    package private(set) var datagramsSent = 0
    package private(set) var datagramsAstray = 0

    /// Makes the hosts and plans their start, one every 50 ms.
    package init(_ plans: [Plan], seed: UInt64) {
        var random = SeededRandom(seed: seed)
        network = VirtualNetwork(conditions: .init(), seed: random.next())
        for (index, plan) in plans.enumerated() {
            let source = NodeIDSource(UInt160.random(using: &random))
            let seeds = [AddressFamily.v4: random.next(), .v6: random.next()]
            func half(_ family: AddressFamily) -> DHTNode? {
                guard plan.families.contains(family), let seed = seeds[family] else { return nil }
                let id = source.id(at: DualStackSimulation.endpoint(of: index, family).address)
                return DHTNode(id: id, family: family, seed: seed, now: .zero)
            }
            var endpoints: [AddressFamily: Endpoint] = [:]
            for family in plan.families { endpoints[family] = DualStackSimulation.endpoint(of: index, family) }
            let known = AddressFamily.allCases.filter { plan.bootstrapFamilies.contains($0) }
            let host = Host(
                endpoints: endpoints,
                bootstrapNodes: known.map { DualStackSimulation.endpoint(of: 0, $0) },
                node: DualStackNode(v4: half(.v4), v6: half(.v6))
            )
            hosts.append(host)
            for endpoint in endpoints.values { indices[endpoint] = index }
            events.schedule(.start(index), after: .milliseconds(50) * index)
        }
    }

    /// Public addresses, each in a network of its own: IPv4 as in `SimulatedAddress`, and 2400::1, 2400:0:0:1::1, ...
    package static func endpoint(of index: Int, _ family: AddressFamily) -> Endpoint {
        switch family {
        case .v4: Endpoint(SimulatedAddress.host(index), 6881)
        case .v6: Endpoint(.v6(high: 0x2400 << 48 | UInt64(index), low: 1), 6881)
        }
    }

    // MARK: Running

    /// Lets time pass.
    package mutating func run(for duration: Duration) {
        let end = events.now + duration
        while let event = events.next(until: end) { handle(event) }
    }

    package mutating func findPeers(of infoHash: InfoHash, from index: Int, announcing port: UInt16? = nil) -> LookupID
    {
        actions.removeAll()
        let now = events.now
        let lookup = hosts[index].node.findPeers(of: infoHash, announcingPort: port, at: now, into: &actions)
        carryOut(index)
        return lookup
    }

    /// The peers that a lookup of one host has found.
    package func peers(of index: Int, _ lookup: LookupID) -> Set<Endpoint> { Set(hosts[index].peers[lookup] ?? []) }

    package func summary(of index: Int, _ lookup: LookupID) -> LookupSummary? { hosts[index].summaries[lookup] }

    package func contacts(of index: Int, _ family: AddressFamily) -> [Contact] { hosts[index].node.contacts(family) }

    // MARK: Events

    private mutating func handle(_ event: Event) {
        actions.removeAll()
        let now = events.now
        switch event {
        case .start(let index):
            hosts[index].node.start(bootstrap: index != 0, remembered: [], at: now, into: &actions)
            carryOut(index)
        case .arrival(let bytes, let sender, let index):
            hosts[index].node.received(bytes.span.bytes, from: sender, at: now, into: &actions)
            carryOut(index)
        case .wakeUp(let index):
            if hosts[index].wakeUp <= now { hosts[index].wakeUp = .distantFuture }
            hosts[index].node.advanced(to: now, into: &actions)
            carryOut(index)
        }
    }

    /// What a driver does: sends, remembers what was found, and sets the timer.
    private mutating func carryOut(_ index: Int) {
        let host = hosts[index]
        var position = 0
        while position < actions.actions.count {
            switch actions.actions[position] {
            case .send(let range, let receiver): send(Array(actions.bytes[range]), from: host, to: receiver)
            case .resolveBootstrapNodes:
                host.node.bootstrapNodesResolved(host.bootstrapNodes, at: events.now, into: &actions)
            case .foundPeers(let lookup, let peers): host.peers[lookup, default: []] += peers
            case .finished(let lookup, let summary): host.summaries[lookup] = summary
            default: break
            }
            position += 1
        }
        if let deadline = host.node.nextDeadline, deadline < host.wakeUp {
            host.wakeUp = deadline
            events.schedule(.wakeUp(index), at: deadline)
        }
    }

    private mutating func send(_ bytes: [UInt8], from host: Host, to receiver: Endpoint) {
        guard let sender = host.endpoints[receiver.address.family] else { return datagramsAstray += 1 }
        datagramsSent += 1
        let delay = network.delayOfDatagram(from: sender.address, to: receiver.address, byteCount: bytes.count)
        guard let delay, let index = indices[receiver] else { return }
        events.schedule(.arrival(bytes, from: sender, to: index), after: delay)
    }
}
