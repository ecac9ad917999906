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

    /// Each node numbers its own lookups.
    private struct Name: Hashable {
        let asker: Int
        let lookup: LookupID
    }

    private struct Running {
        /// Which of the stored info-hashes it looks for.
        let entry: Int
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
    private var running: [Name: Running] = [:]
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
            let sorted = nodes.map { $0.id }.sorted { $0.isCloser(to: target, than: $1) }
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
        let entry = Int.random(in: 0..<stored.count, using: &random)
        pending = Running(entry: entry, asker: asker, beganAt: loop.now)
        let id = nodes[asker].findPeers(of: stored[entry].infoHash)
        running[Name(asker: asker, lookup: id)] = pending
        pending = nil
    }

    /// A lookup that has begun and whose identifier is not known yet: its first findings may come before `findPeers`
    /// returns.
    private var pending: Running?

    private func found(_ peers: [Endpoint], _ lookup: LookupID, asker: Int) {
        let name = Name(asker: asker, lookup: lookup)
        if let entry = running[name]?.entry {
            if peers.contains(stored[entry].peer) { running[name]?.hasFound = true }
        } else if let entry = pending?.entry, pending?.asker == asker {
            if peers.contains(stored[entry].peer) { pending?.hasFound = true }
        }
    }

    private func finished(_ lookup: LookupID, _ summary: LookupSummary, asker: Int) {
        guard let ended = running.removeValue(forKey: Name(asker: asker, lookup: lookup)) else { return }
        result.finished += 1
        if ended.hasFound { result.found += 1 }
        result.queries += summary.queriesSent
        result.times.append((loop.now - ended.beganAt).inSeconds * 1000)
        let nearest = stored[ended.entry].closest
        if summary.closest.count == 8, summary.closest.allSatisfy({ nearest.contains($0.id) }) { result.exact += 1 }
        if left > 0 { return begin() }
        if running.isEmpty {
            whenDone?.resume(returning: result)
            whenDone = nil
        }
    }
}
