package import Kademlia
package import Primitives

/// Many DHT nodes in one process, on a virtual network, under a virtual clock: everything follows from one seed.
package struct DHTSimulation {
    package struct Configuration: Hashable, Sendable {
        package var nodes = 200
        package var conditions = VirtualNetwork.Conditions()
        package var limits = DHTLimits()
        /// Nodes start one after the other, so far apart.
        package var startInterval = Duration.milliseconds(50)
        package var seed: UInt64

        package init(seed: UInt64) { self.seed = seed }
    }

    /// What commands came to, gathered from all nodes.
    package struct Findings: Hashable, Sendable {
        package var peers: [LookupID: [Endpoint]] = [:]
        package var firstPeerAt: [LookupID: Instant] = [:]
        package var summaries: [LookupID: LookupSummary] = [:]
        package var pongs: [PingID: NodeID] = [:]
        package var failedPings: Set<PingID> = []
        package var bootstrapFailures: [Duration] = []
        package var bootstrappedAt: Instant?
    }

    /// A node with what its driver would keep. A class, because arrays do not hold types that cannot be copied.
    private final class Host {
        let endpoint: Endpoint
        var node: DHTNode
        var findings = Findings()
        /// The earliest wake-up that is scheduled.
        var wakeUp = Instant.distantFuture

        init(endpoint: Endpoint, node: consuming DHTNode) {
            self.endpoint = endpoint
            self.node = node
        }
    }

    private enum Event {
        case start(Int)
        case arrival([UInt8], from: Endpoint, to: Int)
        case wakeUp(Int)
    }

    package let configuration: Configuration
    package var network: VirtualNetwork
    package private(set) var trace = TraceHash()
    /// What every node is told when it asks for bootstrap nodes.
    package var bootstrapNodes: [Endpoint]
    private var events = EventQueue<Event>()
    private var hosts: [Host] = []
    private var indices: [Endpoint: Int] = [:]
    private var actions = DHTActionBuffer()

    /// Makes the nodes and plans their start; node 0 is the one that the others bootstrap from.
    package init(_ configuration: Configuration) {
        self.configuration = configuration
        var random = SeededRandom(seed: configuration.seed)
        network = VirtualNetwork(conditions: configuration.conditions, seed: random.next())
        bootstrapNodes = [DHTSimulation.endpoint(of: 0)]
        for index in 0..<configuration.nodes {
            let endpoint = DHTSimulation.endpoint(of: index)
            let id = NodeID(UInt160.random(using: &random))
            let node = DHTNode(id: id, limits: configuration.limits, seed: random.next(), now: .zero)
            hosts.append(Host(endpoint: endpoint, node: node))
            indices[endpoint] = index
            events.schedule(.start(index), after: configuration.startInterval * index)
        }
    }

    package var now: Instant { events.now }
    package var count: Int { hosts.count }

    /// Public addresses, each in a /24 of its own: 20.0.0.1, 20.0.1.1, ...
    package static func endpoint(of index: Int) -> Endpoint {
        Endpoint(.v4(0x1400_0001 + UInt32(index) << 8), 6881)
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
    package func storedPeers(of index: Int, _ infoHash: InfoHash) -> [Endpoint] {
        hosts[index].node.storedPeers(of: infoHash)
    }

    // MARK: Commands

    package mutating func findPeers(of infoHash: InfoHash, from index: Int, announcing port: UInt16? = nil) -> LookupID
    {
        actions.removeAll()
        let lookup = hosts[index].node.findPeers(of: infoHash, announcingPort: port, at: now, into: &actions)
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
        events.schedule(.arrival(bytes, from: source, to: index), at: now)
    }

    // MARK: Events

    private mutating func handle(_ event: Event) {
        actions.removeAll()
        trace.add(now)
        switch event {
        case .start(let index):
            hosts[index].node.start(bootstrap: index != 0, remembered: [], at: now, into: &actions)
            carryOut(index)
        case .arrival(let bytes, let sender, let index):
            trace.add(UInt64(index))
            trace.add(bytes)
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
            case .send(let range, let receiver): send(Array(actions.bytes[range]), from: host.endpoint, to: receiver)
            case .resolveBootstrapNodes: host.node.bootstrapNodesResolved(bootstrapNodes, at: now, into: &actions)
            case .bootstrapped: host.findings.bootstrappedAt = host.findings.bootstrappedAt ?? now
            case .bootstrapFailed(_, let pause): host.findings.bootstrapFailures.append(pause)
            case .foundPeers(let lookup, let peers):
                host.findings.firstPeerAt[lookup] = host.findings.firstPeerAt[lookup] ?? now
                host.findings.peers[lookup, default: []] += peers
            case .lookupProgress, .scraped, .sampled, .eclipseSuspected, .addressChanged: break
            case .finished(let lookup, let summary): host.findings.summaries[lookup] = summary
            case .pong(let ping, let id, _): host.findings.pongs[ping] = id
            case .pingFailed(let ping): host.findings.failedPings.insert(ping)
            }
            position += 1
        }
        if let deadline = host.node.nextDeadline, deadline < host.wakeUp {
            host.wakeUp = deadline
            events.schedule(.wakeUp(index), at: deadline)
        }
    }

    private mutating func send(_ bytes: [UInt8], from sender: Endpoint, to receiver: Endpoint) {
        let delay = network.delayOfDatagram(from: sender.address, to: receiver.address, byteCount: bytes.count)
        guard let delay, let index = indices[receiver] else { return }
        events.schedule(.arrival(bytes, from: sender, to: index), after: delay)
    }
}
