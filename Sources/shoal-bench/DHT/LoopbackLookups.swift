import EventLoop
import Kademlia
import Primitives

/// A network of DHT nodes on real UDP sockets of this host, and lookups in it: so many at once, each begun by a node
/// chosen at random as soon as another one ends.
///
/// All nodes share one loop, and so one thread: a lookup costs its asker's work and that of all whom it asks.
actor LoopbackLookups {
    struct Result: Sendable {
        var finished = 0
        /// Lookups that were handed the peer that was stored.
        var found = 0
        /// Lookups whose eight closest are the eight closest of all nodes.
        var exact = 0
        var queries = 0
        /// Milliseconds, of every lookup.
        var times: [Double] = []
    }

    private struct Running {
        let infoHash: InfoHash
        let asker: Int
        let beganAt: Instant
        var hasFound = false
    }

    nonisolated let loop: Loop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private var nodes: [LoopbackNode] = []
    private var random = SeededRandom(seed: 33)
    /// What was announced, and who announced it.
    private var stored: [(infoHash: InfoHash, peer: Endpoint, closest: Set<NodeID>)] = []
    /// By asker and lookup.
    private var running: [Int: [LookupID: Running]] = [:]
    private var left = 0
    private var result = Result()
    private var whenDone: CheckedContinuation<Result, Never>?

    init(loop: Loop) { self.loop = loop }

    // MARK: The network

    /// Starts the nodes at 127.9.0.1 and the addresses that follow; all join through the first.
    func open(nodes count: Int) throws(SocketError) {
        for index in 0..<count {
            let address = IPAddress.v4(0x7f09_0001 + UInt32(index))
            let through = nodes.first.map { [$0.endpoint] } ?? []
            let node = try LoopbackNode(at: address, on: loop, through: through, seed: UInt64(index + 1))
            node.listener = LoopbackNode.Listener(
                foundPeers: { [unowned self] lookup, peers in found(peers, lookup, asker: index) },
                finished: { [unowned self] lookup, summary in finished(lookup, summary, asker: index) }
            )
            nodes.append(node)
            node.start()
        }
    }

    func close() {
        for node in nodes { node.stop() }
        nodes = []
    }

    var joined: Int { nodes.count { $0.node.isJoined } }

    /// Announces a peer under each of so many info-hashes, each by another node.
    func announce(_ count: Int) {
        for index in 0..<count {
            let infoHash = InfoHash(.random(using: &random))
            let port = UInt16(10_000 + index)
            let node = nodes[index % nodes.count]
            let target = NodeID(infoHash)
            let sorted = nodes.map { $0.node.id }.sorted { $0.isCloser(to: target, than: $1) }
            stored.append((infoHash, Endpoint(node.endpoint.address, port), Set(sorted.prefix(9))))
            _ = node.findPeers(of: infoHash, announcing: port)
        }
    }

    /// How many of the info-hashes are stored with eight nodes.
    var storedFully: Int {
        stored.count { entry in nodes.count { !$0.node.storedPeers(of: entry.infoHash).isEmpty } >= 8 }
    }

    // MARK: Lookups

    /// Runs `count` lookups, so many of them at once.
    func run(_ count: Int, atOnce: Int) async -> Result {
        result = Result()
        left = count
        return await withCheckedContinuation { continuation in
            whenDone = continuation
            for _ in 0..<atOnce { begin() }
        }
    }

    private func begin() {
        guard left > 0 else { return }
        left -= 1
        let asker = Int.random(in: 0..<nodes.count, using: &random)
        let entry = stored[Int.random(in: 0..<stored.count, using: &random)]
        let began = loop.now
        pending = (asker, Running(infoHash: entry.infoHash, asker: asker, beganAt: began))
        let id = nodes[asker].findPeers(of: entry.infoHash)
        if let pending { running[asker, default: [:]][id] = pending.running }
        pending = nil
    }

    /// A lookup that has begun and whose identifier is not known yet: its first findings may come before `findPeers`
    /// returns.
    private var pending: (asker: Int, running: Running)?

    private func found(_ peers: [Endpoint], _ lookup: LookupID, asker: Int) {
        if running[asker]?[lookup] != nil {
            guard let infoHash = running[asker]?[lookup]?.infoHash, holds(peers, infoHash) else { return }
            running[asker]?[lookup]?.hasFound = true
        } else if let waiting = pending, waiting.asker == asker, holds(peers, waiting.running.infoHash) {
            pending?.running.hasFound = true
        }
    }

    private func holds(_ peers: [Endpoint], _ infoHash: InfoHash) -> Bool {
        stored.contains { $0.infoHash == infoHash && peers.contains($0.peer) }
    }

    private func finished(_ lookup: LookupID, _ summary: LookupSummary, asker: Int) {
        guard let ended = running[asker]?.removeValue(forKey: lookup) else { return }
        result.finished += 1
        if ended.hasFound { result.found += 1 }
        result.queries += summary.queriesSent
        result.times.append((loop.now - ended.beganAt).inSeconds * 1000)
        if let entry = stored.first(where: { $0.infoHash == ended.infoHash }), summary.closest.count == 8,
            entry.closest.isSuperset(of: summary.closest.map(\.id))
        {
            result.exact += 1
        }
        if left > 0 { return begin() }
        if running.values.allSatisfy(\.isEmpty) {
            whenDone?.resume(returning: result)
            whenDone = nil
        }
    }
}
