import EventLoop
import Kademlia
import Metainfo
import Primitives

/// Runs the DHT machine on a datagram socket.
///
/// Confined to the loop thread.
final class DHTDriver {
    /// What a lookup tells whoever began it.
    struct LookupHandler {
        var foundPeers: ([Endpoint]) -> Void = { _ in }
        var scraped: (ScrapeSummary) -> Void = { _ in }
        var sampled: (NodeSample) -> Void = { _ in }
        var finished: (LookupSummary) -> Void = { _ in }
        /// The node stops before the lookup ended.
        var stopped: () -> Void = {}
    }

    /// How a ping ended.
    enum PingResult {
        case answered(NodeID, Duration)
        case silent
    }

    private var node: DHTNode
    /// What a former run knew.
    private let remembered: TableFile?
    private let socket: DatagramSocket
    private unowned let core: NodeCore
    private var actions = DHTActionBuffer()
    private var isPerforming = false
    private var lookups: [LookupID: LookupHandler] = [:]
    private var pings: [PingID: (PingResult) -> Void] = [:]
    private var resolved: [Endpoint] = []
    private(set) var isJoined = false
    private var hasFailed = false
    private var isStopped = false
    private var lastStatus: DHTStatus?

    private lazy var alarm = Alarm(core) { [unowned self] in
        node.advanced(to: core.now, into: &actions)
        perform()
    }
    private lazy var saveAlarm = Alarm(core) { [unowned self] in save() }
    private lazy var reportAlarm = Alarm(core) { [unowned self] in report() }

    /// How often the table is saved while running; also at a clean stop.
    private static let saveInterval: Duration = .seconds(300)
    /// How often the owner hears how many nodes answer.
    private static let reportInterval: Duration = .seconds(1)
    /// A lookup asks dozens of nodes at once; the kernel's default queue holds too few of their answers.
    private static let receiveBuffer: Int32 = 1 << 20

    init(socket: DatagramSocket, core: NodeCore) {
        self.socket = socket
        self.core = core
        var limits = DHTLimits()
        // A network inside one building has one /24: the rules against many nodes of one owner would leave it without nodes.
        limits.exemption = core.configuration.localLimits ? .none : .loopbackAndPrivate
        remembered = core.state?.loadTable()
        let known = core.state?.ownsTable == true ? remembered?.id : nil
        node = DHTNode(
            id: known ?? NodeID(UInt160.random(using: &core.random)),
            limits: limits,
            seed: core.random.next(),
            now: core.now
        )
        socket.setReceiveBuffer(bytes: DHTDriver.receiveBuffer)
        socket.handler = self
    }

    var nodeID: NodeID { node.id }
    var contacts: [Contact] { node.contacts }
    var statistics: DHTStatistics { node.statistics }

    // MARK: Starting and stopping

    func start() {
        node.start(
            bootstrap: !core.configuration.bootstrap.isEmpty,
            remembered: remembered?.contacts ?? [],
            at: core.now,
            into: &actions
        )
        saveAlarm.set(core.now + DHTDriver.saveInterval)
        reportAlarm.set(core.now + DHTDriver.reportInterval)
        perform()
    }

    /// Saves the table and tells everybody who still waits.
    func stop() {
        isStopped = true
        core.state?.saveTable(node.contacts, of: node.id, on: core.disk)
        alarm.set(nil)
        saveAlarm.set(nil)
        reportAlarm.set(nil)
        socket.close()
        let (waiting, open) = (pings, lookups)
        pings = [:]
        lookups = [:]
        for ping in waiting.values { ping(.silent) }
        for lookup in open.values { lookup.stopped() }
    }

    private func save() {
        core.state?.saveTable(node.contacts, of: node.id, on: core.disk)
        saveAlarm.set(core.now + DHTDriver.saveInterval)
    }

    private func report() {
        tell(DHTStatus(nodes: node.contacts.count, isJoined: isJoined))
        reportAlarm.set(core.now + DHTDriver.reportInterval)
    }

    /// Only news: a node that runs for months must not fill a log with the same line.
    private func tell(_ status: DHTStatus) {
        guard status != lastStatus else { return }
        lastStatus = status
        core.emit(.dht(status))
    }

    // MARK: Commands

    func findPeers(
        of infoHash: InfoHash,
        announcing port: UInt16?,
        isSeed: Bool = false,
        _ handler: LookupHandler
    ) -> LookupID {
        let id = node.findPeers(of: infoHash, announcingPort: port, isSeed: isSeed, at: core.now, into: &actions)
        lookups[id] = handler
        perform()
        return id
    }

    func findNode(_ target: NodeID, _ handler: LookupHandler) -> LookupID {
        let id = node.findNode(closestTo: target, at: core.now, into: &actions)
        lookups[id] = handler
        perform()
        return id
    }

    func scrape(_ infoHash: InfoHash, _ handler: LookupHandler) -> LookupID {
        let id = node.scrape(infoHash, at: core.now, into: &actions)
        lookups[id] = handler
        perform()
        return id
    }

    func sample(around target: NodeID, _ handler: LookupHandler) -> LookupID {
        let id = node.sample(around: target, at: core.now, into: &actions)
        lookups[id] = handler
        perform()
        return id
    }

    func cancel(_ lookup: LookupID) {
        lookups[lookup] = nil
        node.cancel(lookup)
    }

    func ping(_ endpoint: Endpoint, then handler: @escaping (PingResult) -> Void = { _ in }) {
        let id = node.ping(endpoint, at: core.now, into: &actions)
        pings[id] = handler
        perform()
    }

    // MARK: Actions

    /// Carries out what the machine wants. A handler may begin another lookup, whose actions join the same list.
    private func perform() {
        guard !isPerforming, !isStopped else { return }
        isPerforming = true
        var index = 0
        while index < actions.actions.count {
            perform(actions.actions[index])
            index += 1
        }
        actions.removeAll()
        isPerforming = false
        alarm.set(node.nextDeadline)
    }

    private func perform(_ action: DHTAction) {
        switch action {
        case .send(let range, let endpoint): send(range, to: endpoint)
        case .resolveBootstrapNodes: resolve()
        case .bootstrapped(let nodes):
            isJoined = true
            if hasFailed { core.emit(.notice("joined the DHT: \(nodes) nodes answer")) }
            hasFailed = false
            tell(DHTStatus(nodes: nodes, isJoined: true))
            core.joinedDHT()
        case .bootstrapFailed(_, let pause):
            hasFailed = true
            core.bootstrapFailed(retryIn: pause)
        case .foundPeers(let lookup, let peers): lookups[lookup]?.foundPeers(peers)
        case .scraped(let lookup, let summary): lookups[lookup]?.scraped(summary)
        case .sampled(let lookup, let sample): lookups[lookup]?.sampled(sample)
        case .finished(let lookup, let summary): lookups.removeValue(forKey: lookup)?.finished(summary)
        case .pong(let ping, let id, let roundTrip): pings.removeValue(forKey: ping)?(.answered(id, roundTrip))
        case .pingFailed(let ping): pings.removeValue(forKey: ping)?(.silent)
        case .eclipseSuspected:
            core.emit(.notice("too many DHT nodes crowd around a key, perhaps to hide it: asking all around them"))
        case .lookupProgress, .addressChanged: break
        }
    }

    private func send(_ range: Range<Int>, to endpoint: Endpoint) {
        let bytes = actions.bytes
        socket.send(bytes.span.bytes.extracting(range), to: endpoint)
    }

    /// Looks up the bootstrap nodes and hands on each as it is known: a dead name server delays nobody.
    private func resolve() {
        resolved.removeAll()
        var left = core.configuration.bootstrap.count
        for text in core.configuration.bootstrap {
            core.resolve(text) { [weak self] endpoints in
                guard let self else { return }
                left -= 1
                resolved += endpoints
                guard !endpoints.isEmpty || left == 0 else { return }
                node.bootstrapNodesResolved(resolved, at: core.now, into: &actions)
                perform()
            }
        }
    }
}

extension DHTDriver: DatagramHandler {
    func datagramReceived(_ bytes: RawSpan, from sender: Endpoint, on socket: DatagramSocket) {
        node.received(bytes, from: sender, at: core.now, into: &actions)
    }

    func datagramsDrained(_ socket: DatagramSocket) {
        core.turn { perform() }
    }
}
