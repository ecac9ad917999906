package import EventLoop
import HTTPServer
package import Primitives
import Storage
package import TrackerProtocol
package import TrackerStore

/// What a tracker node owns: plain values and objects, all of them used on the loop thread alone.
///
/// The parts hang on it: UDP announces and upkeep here, HTTP, accounts and chunk folders in folders of their own.
package final class TrackerCore {
    package let loop: Loop
    package let configuration: TrackerConfiguration
    package var registry: Registry
    /// Whom the tracker serves; lists and accounts replace its parts.
    package var admission = Admission()
    /// Who holds which chunk of which folder.
    package let chunks: ChunkService
    /// The database, on its own thread; `nil` before the start and after the end.
    package private(set) var store: StoreWorker?
    /// Announces over HTTP, the page, and the JSON API, whose routes the parts add before the start.
    package private(set) lazy var http = HTTPService(core: self)
    private let emitEvent: (TrackerEvent) -> Void
    private(set) var ports: [BoundPort] = []
    private var nodeIdentity: NodeIdentity?
    private var udp: UDPDriver?
    private var upkeep: RegistryUpkeep?
    private var signals: TrackerSignals?
    private var lists: TorrentLists?
    private var accounts: AccountService?
    private var otherNodes: OtherNodes?
    /// What other threads wake the loop for.
    private var wakeUps: [() -> Void] = []

    init(loop: Loop, configuration: TrackerConfiguration, emit: @escaping (TrackerEvent) -> Void) {
        self.loop = loop
        self.configuration = configuration
        emitEvent = emit
        chunks = ChunkService(loop: loop)
        registry = Registry(limits: configuration.limits, seed: OSRandom.seed(), now: loop.now)
    }

    package func emit(_ event: TrackerEvent) { emitEvent(event) }
    package var now: Instant { loop.now }
    package var endpoints: [Endpoint] { ports.map(\.endpoint) }
    /// The name of this node among those on the same database.
    package var identity: String { nodeIdentity?.name ?? "" }
    /// Announce URLs of other nodes on the same database.
    package var otherURLs: [String] { otherNodes?.urls ?? [] }

    /// Runs `drain` on the loop whenever a thread of some part calls `loop.wakeUp`.
    package func onWakeUp(_ drain: @escaping () -> Void) { wakeUps.append(drain) }

    // MARK: Starting and stopping

    /// Nobody is answered before the swarms of the last run are back: what arrives meanwhile waits in the kernel.
    func start() async throws(TrackerFault) {
        guard HTTPServer.isInstalled else {
            throw TrackerFault(.failed, "libmicrohttpd is not installed (Debian's package libmicrohttpd12)")
        }
        loop.onWakeUp { [weak self] in self?.wakeUps.forEach { $0() } }
        if let folder = configuration.stateFolder { try prepare(folder) }
        if configuration.reportsSignals { signals = try TrackerSignals(core: self) }
        ports = try bind(configuration.listening)
        try openStore()
        nodeIdentity = NodeIdentity(folder: configuration.stateFolder)
        let lists = TorrentLists(core: self)
        self.lists = lists
        try await lists.start()
        do throws(StoreFault) {
            try await SwarmRestorer(core: self).restore()
            let accounts = AccountService(core: self)
            self.accounts = accounts
            try await accounts.start()
        } catch {
            throw TrackerFault(error)
        }
        upkeep = RegistryUpkeep(core: self)
        let otherNodes = OtherNodes(core: self)
        self.otherNodes = otherNodes
        await otherNodes.start()
        try serveHTTP()
        udp = UDPDriver(sockets: ports.map(\.datagrams), core: self)
        if let listening = configuration.chunks {
            try chunks.listen(at: listening, trace: configuration.trace, onWakeUp: onWakeUp)
            let places = chunks.endpoints.map(\.description).joined(separator: ", ")
            emit(.notice("chunk folders: the text protocol is spoken at \(places)"))
        }
        emit(.listening(endpoints))
    }

    func stop() async {
        signals?.close()
        chunks.close()
        http.close()
        for port in ports { port.close() }
        ports = []
        udp = nil
        lists?.stop()
        accounts?.stop()
        upkeep?.stop()
        otherNodes?.stop()
        await leaveStore()
        nodeIdentity = nil
    }

    /// The last things for the database, as long as it answers: one that hangs must not hold up whoever leaves.
    private func leaveStore() async {
        guard let store else { return }
        defer { self.store = nil }
        // What never began has nothing to write.
        guard let upkeep, let otherNodes else { return store.close() }
        let (steps, arrived) = AsyncStream<Bool>.makeStream()
        let alarm = Alarm(loop: loop, at: now + TrackerCore.patience) { arrived.yield(false) }
        defer { alarm.close() }
        upkeep.saveEverything { arrived.yield(true) }
        otherNodes.withdraw { arrived.yield(true) }
        var left = 2
        for await isDone in steps {
            guard isDone else {
                emit(.notice("the database does not answer: peers of the last minute are not written down"))
                return store.release()
            }
            left -= 1
            if left == 0 { break }
        }
        store.close()
    }

    /// Writes down what changed in the registry, without waiting for its turn.
    func save() async {
        guard let upkeep else { return }
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            upkeep.saveEverything { done.resume() }
        }
    }

    /// Reads the lists of torrents again.
    package func reloadLists() { lists?.reload() }

    private func prepare(_ folder: String) throws(TrackerFault) {
        do throws(StorageError) {
            try PrivateFolder.create(folder)
        } catch {
            throw TrackerFault(.files, "cannot make the folder \(folder): \(error)")
        }
    }

    // MARK: The database

    /// How long a stop waits for the database: a minute's swarms of a large tracker are written in a second or two.
    private static let patience: Duration = .seconds(15)

    private func openStore() throws(TrackerFault) {
        let kept = configuration.stateFolder.map { "sqlite:\($0)/tracker.sqlite" }
        do throws(StoreFault) {
            // On the loop's thread, which has nothing else to do yet.
            let store = try TrackerStore(StoreURL(configuration.database ?? kept ?? "sqlite::memory:"))
            let worker = try? StoreWorker(store, wake: loop.wakeUp)
            guard let worker else { throw .busy }
            onWakeUp { [weak worker] in worker?.drainCompletions() }
            self.store = worker
        } catch {
            throw TrackerFault(error)
        }
    }

    /// Runs something on the store's thread and waits for it without holding up the loop.
    package func ask<Value: Sendable>(
        _ work: @escaping @Sendable (TrackerStore) throws(StoreFault) -> Value
    ) async throws(StoreFault) -> Value {
        guard let store else { throw .busy }
        let result = await withCheckedContinuation { (done: CheckedContinuation<Result<Value, StoreFault>, Never>) in
            store.perform(work) { done.resume(returning: $0) }
        }
        return try result.get()
    }

    // MARK: Addresses

    /// Where clients announce to this node, as other nodes tell theirs: `nil` before the start.
    var ownURL: String? {
        if let url = configuration.ownURL { return url.text }
        guard let port = ports.first?.endpoint.port, let bound = ports.first?.endpoint.address else { return nil }
        let address = bound.isUnspecified ? TrackerCore.bestAddress : bound
        return "http://\(Endpoint(address, port))/announce"
    }

    private static var bestAddress: IPAddress {
        let all = InterfaceAddresses.current()
        return all.first { $0.isPublic && $0.isV4 } ?? all.first { $0.isPublic } ?? all.first {
            $0.isPrivate && $0.isV4
        }
            ?? .loopbackV4
    }

    private func serveHTTP() throws(TrackerFault) {
        do throws(SocketError) {
            try http.start(ports.map(\.listener))
        } catch {
            throw TrackerFault(binding: error)
        }
    }

    /// Binds TCP and UDP on one number.
    private func bind(_ listening: TrackerConfiguration.Listening) throws(TrackerFault) -> [BoundPort] {
        do throws(SocketError) {
            switch listening {
            case .everywhere(let port): return try BoundPort.bindEverywhere(loop: loop, port: .exactly(port))
            case .at(let endpoint):
                return [try BoundPort.bind(loop: loop, address: endpoint.address, port: .exactly(endpoint.port))]
            }
        } catch {
            throw TrackerFault(binding: error)
        }
    }
}
