import EventLoop
import Kademlia
import Primitives

/// One DHT node of many on one loop, with a UDP socket of its own: `DHTDriver` without a program around it. As
/// there, a `DualStackNode` runs it, which has one half here.
///
/// Confined to the loop's thread.
final class LoopbackNode {
    /// Whom a node tells of its lookups.
    struct Listener {
        var foundPeers: (LookupID, [Endpoint]) -> Void
        var finished: (LookupID, LookupSummary) -> Void
    }

    let endpoint: Endpoint
    private(set) var node: DualStackNode
    let id: NodeID
    var listener: Listener?

    private let loop: Loop
    private let socket: DatagramSocket
    private let timer: Timer
    /// Whom it joins through; the first node of a network has nobody.
    private let bootstrap: [Endpoint]
    private var actions = DHTActionBuffer()
    private var isPerforming = false
    private var batchTime: Instant?

    init(at address: IPAddress, on loop: Loop, through bootstrap: [Endpoint], seed: UInt64) throws(SocketError) {
        self.loop = loop
        self.bootstrap = bootstrap
        var random = SeededRandom(seed: seed)
        id = NodeID(.random(using: &random))
        node = DualStackNode(v4: DHTNode(id: id, seed: random.next(), now: loop.now), v6: nil)
        socket = try DatagramSocket(loop: loop, endpoint: Endpoint(address, 0))
        guard let endpoint = socket.localEndpoint else { throw .closed }
        self.endpoint = endpoint
        timer = Timer(loop: loop)
        socket.setReceiveBuffer(bytes: 1 << 20)
        socket.handler = self
        timer.handler = self
    }

    func start() {
        node.start(bootstrap: !bootstrap.isEmpty, remembered: [], at: loop.now, into: &actions)
        perform()
    }

    func stop() {
        socket.close()
        timer.close()
    }

    func findPeers(of infoHash: InfoHash, announcing port: UInt16? = nil) -> LookupID {
        let id = node.findPeers(of: infoHash, announcingPort: port, at: loop.now, into: &actions)
        perform()
        return id
    }

    /// Carries out what the machine wants; a listener may begin another lookup, whose actions join the same list.
    private func perform() {
        guard !isPerforming else { return }
        isPerforming = true
        var index = 0
        while index < actions.actions.count {
            perform(actions.actions[index])
            index += 1
        }
        socket.flush()
        actions.removeAll()
        isPerforming = false
        arm()
    }

    private func perform(_ action: DHTAction) {
        switch action {
        case .send(let range, let endpoint):
            let bytes = actions.bytes
            socket.queue(bytes.span.bytes.extracting(range), to: endpoint)
        case .resolveBootstrapNodes:
            node.bootstrapNodesResolved(bootstrap, at: loop.now, into: &actions)
        case .foundPeers(let lookup, let peers): listener?.foundPeers(lookup, peers)
        case .finished(let lookup, let summary): listener?.finished(lookup, summary)
        default: break
        }
    }

    /// A timer that would fire too early is left as it is: deadlines move on with every answer, and are seldom reached.
    private func arm() {
        guard let deadline = node.nextDeadline else { return }
        if let armed = timer.deadline, armed <= deadline { return }
        timer.start(at: deadline)
    }
}

extension LoopbackNode: DatagramHandler {
    func datagramReceived(_ bytes: RawSpan, from sender: Endpoint, on socket: DatagramSocket) {
        let now = batchTime ?? loop.now
        batchTime = now
        node.received(bytes, from: sender, at: now, into: &actions)
    }

    func datagramsDrained(_ socket: DatagramSocket) {
        batchTime = nil
        perform()
    }
}

extension LoopbackNode: TimerHandler {
    func timerFired(_ timer: Timer) {
        node.advanced(to: loop.now, into: &actions)
        perform()
    }
}
