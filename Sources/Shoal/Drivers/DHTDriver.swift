import Availability
import Cryptography
import EventLoop
import Kademlia
import Metainfo
import Primitives

/// Runs the DHT machine on a datagram socket for each family.
///
/// Confined to the loop thread.
final class DHTDriver {
    /// What a lookup tells whoever began it.
    struct LookupHandler {
        var foundPeers: ([Endpoint]) -> Void = { _ in }
        var scraped: (ScrapeSummary) -> Void = { _ in }
        var sampled: (NodeSample) -> Void = { _ in }
        var foundItem: (Item) -> Void = { _ in }
        var foundRecord: (FoundRecord) -> Void = { _ in }
        var refusedRecord: (RefusedRecord) -> Void = { _ in }
        /// So many nodes have answered.
        var progressed: (Int) -> Void = { _ in }
        var finished: (LookupSummary) -> Void = { _ in }
        /// The node stops before the lookup ended.
        var stopped: () -> Void = {}
    }

    /// How a ping ended.
    enum PingResult {
        case answered(NodeID, Duration)
        case silent
    }

    private var node: DualStackNode
    /// What a former run knew.
    private let remembered: TableFile?
    private let sockets: DatagramSockets
    private unowned let core: NodeCore
    private var actions = DHTActionBuffer()
    private var isPerforming = false
    /// When the batch of datagrams that is being taken in began.
    private var batchTime: Instant?
    private var lookups: [LookupID: LookupHandler] = [:]
    /// Records on their way to those that keep them, and who waits for that.
    private var publishing = 0
    private var whenPublished: (() -> Void)?
    private lazy var publishAlarm = Alarm(core) { [unowned self] in published() }
    private var pings: [PingID: (PingResult) -> Void] = [:]
    private var resolved: [Endpoint] = []
    private(set) var isJoined = false
    private var hasFailed = false
    private var isStopped = false
    private var lastStatus: DHTStatus?
    private var secondsAsleep = SystemClock.secondsAsleep

    private lazy var alarm = Alarm(core) { [unowned self] in
        node.advanced(to: core.now, into: &actions)
        perform()
    }
    private lazy var saveAlarm = Alarm(core) { [unowned self] in save() }
    private lazy var reportAlarm = Alarm(core) { [unowned self] in report() }

    /// How often the table and the stored peers are saved while running; also at a clean stop.
    private static let saveInterval: Duration = .seconds(300)
    /// How often the owner hears how many nodes answer.
    private static let reportInterval: Duration = .seconds(1)
    /// Seconds; after a shorter sleep the same network is there still, and nobody has forgotten us.
    private static let shortestSleep: Int64 = 120
    /// A lookup asks dozens of nodes at once; the kernel's default queue holds too few of their answers.
    private static let receiveBuffer: Int32 = 1 << 20

    init(sockets: DatagramSockets, core: NodeCore) {
        self.core = core
        self.sockets = sockets
        startedAt = core.now
        var limits = DHTLimits()
        // A network inside one building has one /24: the rules against many nodes of one owner would leave it without nodes.
        limits.exemption = core.configuration.localLimits ? .none : .loopbackAndPrivate
        if !core.configuration.servesDHT { limits.serving = .never }
        remembered = core.state?.loadTable()
        let known = core.state?.ownsTable == true ? remembered?.ids : nil
        // One for both, as BEP 32 wants it, but for the head, which BEP 42 ties to the address.
        let source = NodeIDSource(core.identity.publicKey)
        func half(_ family: AddressFamily) -> DHTNode? {
            guard sockets[family] != nil else { return nil }
            return DHTNode(
                identity: source,
                // Who proves a key over UDP is taken to speak SPS/1.
                key: core.security.speaksSecurely ? core.identity : nil,
                formerly: known?[family],
                family: family,
                limits: limits,
                seed: core.random.next(),
                now: core.now
            )
        }
        node = DualStackNode(v4: half(.v4), v6: half(.v6))
        for family in sockets.families { sockets[family]?.setReceiveBuffer(bytes: DHTDriver.receiveBuffer) }
    }

    /// What each of our nodes has seen and done.
    var reports: [NodeReport] { node.reports }
    let startedAt: Instant

    /// The identifier that we show: of the IPv4 DHT, where we are in both.
    var nodeID: NodeID { node.id(.v4) ?? node.id(.v6) ?? NodeID(.zero) }
    /// Where somebody answers.
    var joinedFamilies: Set<AddressFamily> { Set(AddressFamily.allCases.filter { node.isJoined($0) }) }
    var contacts: [Contact] { node.contacts }
    var statistics: DHTStatistics { node.statistics }
    /// How others see us, as far as they agree (BEP 42).
    func externalAddress(_ family: AddressFamily) -> IPAddress? { node.externalAddress(family) }

    // MARK: Starting and stopping

    func start() {
        node.setWallClock(core.wallClock)
        node.start(
            bootstrap: !core.configuration.bootstrap.isEmpty,
            remembered: remembered?.contacts ?? [],
            at: core.now,
            into: &actions
        )
        learnAddresses()
        for family in sockets.families { restorePeers(family) }
        saveAlarm.set(core.now + DHTDriver.saveInterval)
        reportAlarm.set(core.now + DHTDriver.reportInterval)
        perform()
    }

    /// Saves what it knows and tells everybody who still waits.
    func stop() {
        isStopped = true
        save()
        alarm.set(nil)
        saveAlarm.set(nil)
        reportAlarm.set(nil)
        let (waiting, open) = (pings, lookups)
        pings = [:]
        lookups = [:]
        for ping in waiting.values { ping(.silent) }
        for lookup in open.values { lookup.stopped() }
    }

    /// Takes up the peers that were announced to a former run: who asks for them need not wait for the next announce.
    private func restorePeers(_ family: AddressFamily) {
        core.state?.loadPeers(family, on: core.disk) { [weak self] bytes, age in
            guard let self else { return }
            // A file that is not what we wrote is as good as none (hardening D16).
            try? node.restorePeers(bytes.span.bytes, writtenAgo: age, family, at: core.now)
        }
    }

    private func save() {
        let ids = sockets.families.compactMap { family in node.id(family).map { (family, $0) } }
        let table = TableFile(ids: Dictionary(uniqueKeysWithValues: ids), contacts: node.contacts)
        core.state?.saveTable(table, on: core.disk)
        for family in sockets.families {
            if let peers = node.peerFile(family) { core.state?.savePeers(peers, family, on: core.disk) }
        }
        learnAddresses()
        saveAlarm.set(core.now + DHTDriver.saveInterval)
    }

    /// Tells the machine by which addresses others can reach us: all of this host's, or those that we listen on alone.
    private func learnAddresses() {
        let listening = core.listenAddresses.map(\.address)
        let all = InterfaceAddresses.current()
        node.hasAddresses(listening.flatMap { $0.isUnspecified ? all : [$0] }, port: core.listenPort)
    }

    private func report() {
        node.setWallClock(core.wallClock)
        let asleep = SystemClock.secondsAsleep
        if asleep - secondsAsleep >= DHTDriver.shortestSleep {
            node.woke(at: core.now, into: &actions)
            learnAddresses()
            perform()
        }
        secondsAsleep = asleep
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
        announces: Bool,
        isSeed: Bool = false,
        _ handler: LookupHandler
    ) -> LookupID {
        let (port, port6) = announces ? (core.publicPort(.v4), core.publicPort(.v6)) : (nil, nil)
        return begin(handler) {
            $0.findPeers(of: infoHash, announcingPort: port, overIPv6: port6, isSeed: isSeed, at: $1, into: &$2)
        }
    }

    func findNode(_ target: NodeID, _ handler: LookupHandler) -> LookupID {
        begin(handler) { $0.findNode(closestTo: target, at: $1, into: &$2) }
    }

    func scrape(_ infoHash: InfoHash, _ handler: LookupHandler) -> LookupID {
        begin(handler) { $0.scrape(infoHash, at: $1, into: &$2) }
    }

    func sample(around target: NodeID, _ handler: LookupHandler) -> LookupID {
        begin(handler) { $0.sample(around: target, at: $1, into: &$2) }
    }

    func findItem(
        _ target: NodeID,
        salt: [UInt8],
        newerThan sequence: Int64?,
        _ handler: LookupHandler
    ) -> LookupID {
        begin(handler) { $0.findItem(target, salt: salt, newerThan: sequence, at: $1, into: &$2) }
    }

    /// - Parameter isKept: whether the node publishes it again, hourly, until it stops.
    func store(_ item: Item, replacing: Int64?, isKept: Bool, _ handler: LookupHandler) -> LookupID {
        begin(handler) { $0.store(item, replacing: replacing, keeping: isKept, at: $1, into: &$2) }
    }

    // MARK: Records

    func findRecords(of infoHash: InfoHash, pieceCount: Int?, _ handler: LookupHandler) -> LookupID {
        begin(handler) { $0.findRecords(of: infoHash, pieceCount: pieceCount, at: $1, into: &$2) }
    }

    /// Asks peers for the records that they have of themselves; `false` where the lookup is over.
    func askForRecords(from peers: [Endpoint], in lookup: LookupID) -> Bool {
        let isOpen = node.askForRecords(from: peers, in: lookup, at: core.now, into: &actions)
        perform()
        return isOpen
    }

    /// Hands our record to those that keep it, and from then on to everybody who asks us.
    func publish(_ record: AvailabilityRecord) { publish { $0.publish(record, at: $1, into: &$2) } }

    /// Stores an item once, as part of what a stop waits for.
    func publish(_ item: Item) { publish { $0.store(item, replacing: nil, keeping: false, at: $1, into: &$2) } }

    private func publish(_ command: (inout DualStackNode, Instant, inout DHTActionBuffer) -> LookupID) {
        var handler = LookupHandler()
        handler.finished = { [unowned self] _ in
            publishing -= 1
            if publishing == 0 { published() }
        }
        // First, because with nobody to ask it is over before `begin` returns.
        publishing += 1
        _ = begin(handler, command)
    }

    func withdrawRecord(of infoHash: InfoHash) { node.withdrawRecord(of: infoHash) }

    /// Calls back when no record is on its way any more, or the time is over.
    func finishPublishing(within limit: Duration, then done: @escaping () -> Void) {
        guard publishing > 0 else { return done() }
        whenPublished = done
        publishAlarm.set(core.now + limit)
    }

    private func published() {
        publishAlarm.set(nil)
        let done = whenPublished
        whenPublished = nil
        done?()
    }

    private func begin(
        _ handler: LookupHandler,
        _ command: (inout DualStackNode, Instant, inout DHTActionBuffer) -> LookupID
    ) -> LookupID {
        let id = command(&node, core.now, &actions)
        lookups[id] = handler
        perform()
        return id
    }

    /// Says that something is not shared here any more.
    func withdraw(_ infoHash: InfoHash) { node.withdraw(infoHash) }

    func cancel(_ lookup: LookupID) {
        lookups[lookup] = nil
        node.cancel(lookup)
    }

    func ping(_ endpoint: Endpoint, then handler: @escaping (PingResult) -> Void = { _ in }) {
        let id = node.ping(endpoint, at: core.now, into: &actions)
        pings[id] = handler
        perform()
    }

    /// Gets to know a node: who answers comes into the table.
    func introduce(_ place: HostAndPort) {
        core.resolve(place.description) { [weak self] endpoints in
            for endpoint in endpoints { self?.ping(endpoint) }
        }
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
        sockets.flush()
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
        case .foundItem(let lookup, let item): lookups[lookup]?.foundItem(item)
        case .foundRecord(let lookup, let record): lookups[lookup]?.foundRecord(record)
        case .refusedRecord(let lookup, let record): lookups[lookup]?.refusedRecord(record)
        case .provedKey(let key, let endpoint): core.proved(key, at: endpoint)
        case .finished(let lookup, let summary): lookups.removeValue(forKey: lookup)?.finished(summary)
        case .pong(let ping, let id, let roundTrip): pings.removeValue(forKey: ping)?(.answered(id, roundTrip))
        case .pingFailed(let ping): pings.removeValue(forKey: ping)?(.silent)
        case .eclipseSuspected:
            core.emit(.notice("too many DHT nodes crowd around a key, perhaps to hide it: asking all around them"))
        case .lookupProgress(let lookup, _, let answered): lookups[lookup]?.progressed(answered)
        case .addressChanged: break
        }
    }

    private func send(_ range: Range<Int>, to endpoint: Endpoint) {
        let bytes = actions.bytes
        sockets[endpoint.address.family]?.queue(bytes.span.bytes.extracting(range), to: endpoint)
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
                node.bootstrapNodesResolved(resolved, isComplete: left == 0, at: core.now, into: &actions)
                perform()
            }
        }
    }
}

extension DHTDriver {
    func received(_ bytes: RawSpan, from sender: Endpoint) {
        // Reading the clock costs as much as a table look-up, and a batch is over in a fraction of a millisecond.
        let now = batchTime ?? core.now
        batchTime = now
        node.received(bytes, from: sender, at: now, into: &actions)
    }

    /// The end of a batch of datagrams.
    func drained() {
        batchTime = nil
        core.turn { perform() }
    }
}
