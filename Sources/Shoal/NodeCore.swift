import Availability
import Cryptography
import EventLoop
import Kademlia
import Metainfo
import PeerWire
import PortMapping
import Primitives
import SecurePeer
import Storage
import Swarming

/// Everything that a node owns: plain objects on the loop thread, no locks.
///
/// Every way in (a socket, a timer, a disk worker's result, a call of the actor) runs inside `turn`, at whose end the
/// connections that got something to send are flushed once.
final class NodeCore {
    let loop: Loop
    let configuration: Configuration
    let state: StateFolder?
    /// The key that this host is known by: of the state folder, or a new one where there is none to be had.
    let identity: Ed25519.SigningKey
    let emit: (Event) -> Void
    let disk: DiskWorkers
    let openFiles = OpenFiles()
    /// Buffers for pieces that are not complete yet; a second busy torrent allocates its own beside them.
    let pieces = BufferPool(budget: NodeCore.pieceBudget)
    /// Blocks on their way from the disk to a socket, over all torrents.
    let blocks = BufferPool(budget: NodeCore.blockBudget)
    var random: SeededRandom
    private(set) lazy var rates = RateLimits(self)

    // Secure sessions (Sessions/SessionSecurity.swift)
    let security: SessionSecurity
    /// What sessions prove: made when the first one needs it, and daily.
    var sessionIdentity: SessionIdentity?
    /// Who speaks SPS/1.
    var evidence: EvidenceBook
    private(set) lazy var evidenceAlarm = Alarm(self) { [unowned self] in saveEvidence() }
    /// Who may connect to us, and how often.
    var admission: Admission
    private var toldRefusals = Refusals()
    private lazy var refusalAlarm = Alarm(self) { [unowned self] in tellRefusals() }

    var torrents: [InfoHash: TorrentSession] = [:]
    private(set) var dht: DHTDriver?
    private(set) var trackers: TrackerDriver?
    private(set) var portMapping: PortMappingDriver?
    /// Of accounts that this node has or got since, by the tracker's `host:port`.
    lazy var trackerPasskeys = configuration.trackerPasskeys
    private var datagrams: DatagramRouter?
    /// Who still takes leave: torrents of their trackers, the node of its router.
    private var farewells = 0
    private var listeners: [StreamListener] = []
    /// Where we listen, of each family at most one, IPv4 first.
    private(set) var listenAddresses: [Endpoint] = []
    private let resolver: Resolver
    private var signals: Signals?
    private(set) var isStopping = false
    /// The DHT needs its sockets no more.
    private var hasTakenLeave = false
    private var recordSequence: RecordSequence
    private var isStopped = false
    /// Who else hears which key is where.
    var recordSurveys: [ObjectIdentifier: RecordSurvey] = [:]
    /// Hashing runs that somebody waits for; a stop cancels them.
    var hashing: [ObjectIdentifier: Verifier] = [:]

    /// Where payload goes that nobody waits for any more.
    let sink = PieceBuffer(capacity: 65_536)

    private var sessions: [PeerHandle: PeerSession] = [:]
    private var lastHandle: UInt32 = 0
    private var dirty: [PeerSession] = []
    private var turnDepth = 0
    private lazy var stopAlarm = Alarm(self) { [unowned self] in finishStopping() }
    private var whenStopped: [() -> Void] = []

    /// Connections over all torrents; file descriptors are counted against it.
    static let maximumSessions = 400
    /// performance.md: under 64 MiB a side in all is the aim; most of it goes here when a fast disk cannot keep up.
    static let pieceBudget = 48 << 20
    static let blockBudget = 16 << 20

    init(
        loop: Loop,
        configuration: Configuration,
        state: StateFolder?,
        emit: @escaping (Event) -> Void
    ) throws(ShoalError) {
        self.loop = loop
        self.configuration = configuration
        self.state = state
        guard let identity = state?.identity ?? Ed25519.SigningKey.random() else {
            throw ShoalError(
                .failed,
                "no memory is left for secrets; end other programs and run the same command again"
            )
        }
        self.identity = identity
        self.emit = emit
        security = try SessionSecurity(configuration.sessions)
        let clock = WallClock(unixMilliseconds: SystemClock.millisecondsSinceEpoch, at: loop.now)
        var limits = AdmissionLimits()
        limits.holdLocally = configuration.localLimits
        admission = Admission(limits: limits, at: loop.now)
        evidence = state?.loadEvidence(clock, at: loop.now) ?? EvidenceBook()
        random = SeededRandom(seed: OSRandom.seed())
        recordSequence = RecordSequence(last: state?.recordSequence ?? 0)
        do throws(StorageError) {
            disk = try DiskWorkers(count: configuration.diskThreads ?? DiskWorkers.coreCount, wake: loop.wakeUp)
        } catch {
            throw ShoalError(error)
        }
        do throws(SocketError) {
            resolver = try Resolver(loop: loop)
        } catch {
            throw ShoalError(.network, "cannot start: \(error)")
        }
        loop.onWakeUp { [weak self] in self?.turn { self?.drainDisk() } }
    }

    private func drainDisk() {
        disk.drainCompletions()
        if isStopping { finishStoppingIfIdle() }
    }

    var now: Instant { loop.now }

    /// What the calendar says, for what is signed.
    var wallClock: WallClock { WallClock(unixMilliseconds: SystemClock.millisecondsSinceEpoch, at: now) }

    var listenAddress: Endpoint? { listenAddresses.first }

    /// The same for both families.
    var listenPort: UInt16? { listenAddress?.port }

    /// The port by which nodes of the internet reach us: a router may hand another one through.
    func publicPort(_ family: AddressFamily, _ transport: MappedTransport = .tcp) -> UInt16? {
        (family == .v4 ? portMapping?.external(transport) : nil) ?? listenPort
    }

    /// The port by which the one at an address reaches us.
    func port(for address: IPAddress, _ transport: MappedTransport = .tcp) -> UInt16? {
        address.isPublic ? publicPort(address.isV4 ? .v4 : .v6, transport) : listenPort
    }

    /// Who was told the old port hears the new one.
    func publicPortChanged() {
        for torrent in torrents.values { torrent.announceAgain() }
    }

    /// Whether we take part in the internet of this family.
    func serves(_ family: AddressFamily) -> Bool { listenAddresses.contains { $0.address.family == family } }

    /// Dial from the address we listen on, where that is one address: others know us by it.
    func dialAddress(for family: AddressFamily) -> Endpoint? {
        listenAddresses.first { $0.address.family == family && !$0.address.isUnspecified }
            .map { Endpoint($0.address, 0) }
    }

    /// For a record that is signed now.
    func nextRecordSequence() -> Int64 {
        let next = recordSequence.next(at: SystemClock.millisecondsSinceEpoch)
        state?.save(recordSequence, on: disk)
        return next
    }

    func nextPeerHandle() -> PeerHandle {
        lastHandle &+= 1
        return PeerHandle(raw: lastHandle)
    }

    // MARK: Turns

    func turn(_ body: () -> Void) {
        turnDepth += 1
        body()
        turnDepth -= 1
        if turnDepth == 0 { flush() }
    }

    func flushAtEndOfTurn(_ session: PeerSession) { dirty.append(session) }

    private func flush() {
        turnDepth += 1
        // Flushing may make others dirty: a lost connection's blocks are asked of somebody else.
        while !dirty.isEmpty {
            let batch = dirty
            dirty.removeAll(keepingCapacity: true)
            for session in batch { session.flush() }
        }
        turnDepth -= 1
    }

    // MARK: Starting

    func listen() throws(ShoalError) {
        guard listeners.isEmpty else { return }
        let ports = try bind()
        listeners = ports.map(\.listener)
        listenAddresses = ports.map(\.endpoint)
        for listener in listeners { listener.handler = self }
        let datagrams = DatagramRouter(ports.map(\.datagrams), core: self)
        self.datagrams = datagrams
        if configuration.usesDHT { dht = DHTDriver(sockets: datagrams.sockets, core: self) }
        trackers = TrackerDriver(sockets: datagrams.sockets, core: self)
        let addresses = listenAddresses.map(\.description)
        emit(
            .listening(
                Listening(
                    address: addresses.first ?? "",
                    address6: addresses.count > 1 ? addresses.last : nil,
                    nodeID: dht?.nodeID.hex ?? "",
                    key: identity.publicKey.text,
                    keyOrigin: state == nil ? .noFolder : state?.identity == nil ? .folderInUse : .kept
                )
            )
        )
        turn {
            startPortMapping()
            dht?.start()
            for torrent in torrents.values {
                torrent.discover()
                torrent.askTrackers()
            }
        }
    }

    /// Without a socket for it there is no mapping; the node itself has its own.
    private func startPortMapping() {
        guard configuration.mapsPort, let place = listenAddresses.first(where: \.address.isV4),
            place.address.isUnspecified || place.address.isPrivate,
            let driver = try? PortMappingDriver(place, core: self)
        else { return }
        portMapping = driver
        driver.start()
    }

    private func bind() throws(ShoalError) -> [BoundPort] {
        do throws(SocketError) {
            guard case .endpoint(let text) = configuration.listen else {
                return try BoundPort.bindEverywhere(loop: loop, port: .usual)
            }
            if text.first == ":", let port = UInt16(text.dropFirst()) {
                return try BoundPort.bindEverywhere(loop: loop, port: .exactly(port))
            }
            if let endpoint = Endpoint(text) {
                return [try BoundPort.bind(loop: loop, address: endpoint.address, port: .exactly(endpoint.port))]
            }
        } catch {
            throw ShoalError(listening: error)
        }
        throw ShoalError(.usage, "cannot listen where asked: a numeric ADDRESS:PORT or :PORT is needed")
    }

    func reportSignals() throws(ShoalError) {
        do throws(SocketError) {
            signals = try Signals(loop: loop, [.interrupt, .terminate], handler: self)
        } catch {
            throw ShoalError(.failed, "cannot wait for signals: \(error)")
        }
    }

    /// Looks up `host:port`; the completion runs in a turn of its own.
    func resolve(_ text: String, then done: @escaping ([Endpoint]) -> Void) {
        guard let place = HostAndPort(text) else { return done([]) }
        resolver.resolve(place.host, port: place.port) { [weak self] endpoints in
            self?.turn { done(endpoints) }
        }
    }

    // MARK: Stopping

    /// How long a clean stop may take (cli.md).
    private static let stopLimit: Duration = .milliseconds(2500)
    /// How long of that the last records may take: nodes that answer at all do so sooner.
    private static let farewellLimit: Duration = .milliseconds(700)

    /// Ends everything, and then calls back: at the latest when the time is over, however slow a disk is.
    func stop(then done: @escaping () -> Void) {
        guard !isStopped else { return done() }
        whenStopped.append(done)
        guard !isStopping else { return }
        isStopping = true
        stopAlarm.set(now + NodeCore.stopLimit)
        // Some of it ends at once, and all the rest is still to be told.
        takesLeave()
        defer { tookLeave() }
        for listener in listeners { listener.close() }
        for verifier in hashing.values { verifier.cancel() }
        for torrent in Array(torrents.values) { torrent.stop {} }
        if let portMapping {
            takesLeave()
            portMapping.stop { [self] in tookLeave() }
        }
        saveEvidence()
        guard let dht else { return }
        // Each torrent took back what it had published; whoever reads that spares itself a dial in vain.
        dht.finishPublishing(within: NodeCore.farewellLimit) { [self] in
            dht.stop()
            hasTakenLeave = true
            finishStoppingIfIdle()
        }
    }

    /// State is saved by disk workers, so the last of their jobs is the end.
    private func finishStoppingIfIdle() {
        if disk.pendingCount == 0, farewells == 0, hasTakenLeave || dht == nil { finishStopping() }
    }

    /// Somebody tells others that we end; `tookLeave` follows.
    func takesLeave() { farewells += 1 }

    func tookLeave() {
        farewells -= 1
        if isStopping { finishStoppingIfIdle() }
    }

    private func finishStopping() {
        guard !isStopped else { return }
        isStopped = true
        stopAlarm.set(nil)
        torrents.removeAll()
        for session in Array(sessions.values) { session.close(.stopping) }
        trackers?.close()
        datagrams?.sockets.close()
        resolver.close()
        signals?.close()
        disk.release()
        let waiting = whenStopped
        whenStopped = []
        for done in waiting { done() }
    }

    /// Nothing new is begun once the node stops: nobody would end it.
    func throwIfStopping() throws(ShoalError) {
        if isStopping { throw ShoalError(.failed, "the node was stopped") }
    }

    // MARK: Sessions

    /// Whether one more connection may be opened.
    var hasRoom: Bool { sessions.count < NodeCore.maximumSessions && !isStopping }

    func dial(_ endpoint: Endpoint, source: PeerSource, by plan: DialPlan, for torrent: TorrentSession) -> Bool {
        let session = PeerSession(dialling: endpoint, source: source, by: plan, for: torrent, core: self)
        guard session.connect() else { return false }
        sessions[session.handle] = session
        return true
    }

    func closed(_ session: PeerSession, because cause: CloseCause) {
        sessions[session.handle] = nil
        guard !session.wasDialled else { return }
        if let failure = cause.admissionFailure { admission.failed(session.handle.raw, failure, at: now) }
        admission.closed(session.handle.raw)
        refusalsChanged()
    }

    /// The handshake of an accepted connection is done.
    func greeted(_ session: PeerSession) { admission.settled(session.handle.raw) }

    /// Whether a connection that speaks SPS/1 may make us calculate for it.
    func admitsHello(of session: PeerSession) -> Bool { admission.helloArrived(session.handle.raw, at: now) }

    /// How often whoever runs the node hears of those that were turned away.
    private static let refusalInterval: Duration = .seconds(1)

    private func refusalsChanged() {
        guard !refusalAlarm.isSet, !isStopping, Refusals(admission.counters) != toldRefusals else { return }
        refusalAlarm.set(now + NodeCore.refusalInterval)
    }

    private func tellRefusals() {
        toldRefusals = Refusals(admission.counters)
        emit(.refusals(toldRefusals))
    }

    /// Every connection of a torrent, also those that are being dialled.
    func sessions(of torrent: TorrentSession) -> [PeerSession] { sessions.values.filter { $0.torrent === torrent } }

    /// Whether an endpoint that others name is this node.
    func isOurs(_ endpoint: Endpoint) -> Bool {
        listenAddresses.contains(endpoint) || portMapping?.externalEndpoint == endpoint
    }
}

extension NodeCore: StreamListenerHandler {
    func listener(_ listener: StreamListener, accepted stream: TCPStream, from remote: Endpoint) {
        turn {
            guard hasRoom else { return stream.close() }
            let handle = nextPeerHandle()
            switch admission.accepted(handle.raw, from: remote, at: now) {
            case .admit: break
            case .admitEvicting(let other): sessions[PeerHandle(raw: other)]?.close(.crowdedOut)
            case .refuse:
                refusalsChanged()
                return stream.close()
            }
            sessions[handle] = PeerSession(accepted: stream, from: remote, as: handle, core: self)
        }
    }
}

extension NodeCore: SignalHandler {
    func signalReceived(_ signal: Signal) {
        // The second one ends the process at once: its default action is back.
        signals?.close()
        signals = nil
        emit(.interrupted(signal: signal.number))
    }
}
