import EventLoop
import Primitives
import Storage
import TrackerProtocol

/// What a client of chunk folders owns, on its loop: carries out what `ChunkFetcher` decides, and serves others.
final class ChunkPeerCore {
    private enum Limit {
        /// Connections that are served at once: each has a buffer of 64 KiB and a file.
        static let uploads = 64
        /// Of one address; the loopback is exempt, as elsewhere.
        static let uploadsPerHost = 16
        /// A tracker that restarted knows nobody until they report again.
        static let reportInterval: Duration = .seconds(30)
        static let firstReportRetry: Duration = .milliseconds(500)
        /// A report names every chunk, so that many chunks that come fast are told together.
        static let leastReportInterval: Duration = .milliseconds(250)
    }

    private let configuration: ChunkPeer.Configuration
    private let loop: Loop
    private let workers: DiskWorkers
    private let emit: (ChunkPeer.Event) -> Void
    private let timer: Timer
    private var log: LineLog?
    private var signals: Signals?
    var askTracker: () -> Void = {}
    var report: ([ChunkHolding], UInt16) -> Void = { _, _ in }

    private var folder: ChunkFolder
    private var hashes: [Int: SHA1Digest] = [:]
    private var fetcher: ChunkFetcher?
    private var listeners: [StreamListener] = []
    private var port: UInt16 = 0
    private var downloads: [ObjectIdentifier: ChunkDownload] = [:]
    private var uploads: [ObjectIdentifier: ChunkUpload] = [:]
    /// Chunks that are stored and not in the list yet, which is written one chunk at a time.
    private var unlisted: [(chunk: Int, name: String, hash: SHA1Digest, from: Endpoint)] = []
    private var isListing = false

    private var nextReport = Instant.distantFuture
    private var retry = Limit.firstReportRetry
    private var isReporting = false
    private var isReportStale = false
    private var lastTrackerFault: String?
    /// The last answer about each chunk, for the trace.
    private var answers: [Int: String] = [:]
    private var lastReported: [ChunkHolding] = []

    init(
        _ configuration: ChunkPeer.Configuration,
        on loop: Loop,
        emit: @escaping (ChunkPeer.Event) -> Void
    ) throws(ChunkFolderFault) {
        self.configuration = configuration
        self.loop = loop
        self.emit = emit
        timer = Timer(loop: loop)
        // Blocks the loop, on which nothing else runs yet.
        folder = try ChunkFolder(configuration.folder)
        let wakeUp = loop.wakeUp
        let workers = try storing { () throws(StorageError) in try DiskWorkers(wake: wakeUp) }
        self.workers = workers
        if let path = configuration.trace {
            log = try storing { () throws(StorageError) in try LineLog(path, workers: workers) }
        }
        timer.handler = self
        loop.onWakeUp { [weak self] in _ = self?.workers.drainCompletions() }
    }

    func start() throws(ChunkFolderFault) {
        try listen()
        if configuration.reportsSignals {
            do throws(SocketError) {
                signals = try Signals(loop: loop, [.interrupt, .terminate], handler: self)
            } catch {
                throw .network("cannot wait for signals: \(error)")
            }
        }
        emit(.listening(listeners.compactMap(\.localEndpoint)))
        let folder = folder
        workers.submit(.bulk) {
            Result { () throws(ChunkFolderFault) in
                var hashes: [Int: SHA1Digest] = [:]
                for chunk in folder.list.files.keys.sorted() { hashes[chunk] = try folder.hash(of: chunk) }
                return hashes
            }
        } then: { [weak self] result in
            switch result {
            case .success(let hashes): self?.hashed(hashes)
            case .failure(let fault): self?.emit(.failed(fault))
            }
        }
    }

    func close() {
        for listener in listeners { listener.close() }
        for download in downloads.values { download.cancel() }
        for upload in Array(uploads.values) { upload.close() }
        downloads = [:]
        timer.close()
        signals?.close()
        workers.shutDown()
        workers.drainCompletions()
    }

    private func hashed(_ hashes: [Int: SHA1Digest]) {
        self.hashes = hashes
        emit(.holding(count: hashes.count, of: folder.list.chunkCount))
        var seed = UInt64(port) << 32
        for byte in configuration.name.utf8 { seed = seed &* 31 &+ UInt64(byte) }
        fetcher = ChunkFetcher(missing: folder.list.missing, seed: seed, now: loop.now)
        nextReport = loop.now
        advance()
    }

    /// Lets the deadlines that passed have their effect, and waits for the next.
    private func advance() {
        var actions: [ChunkFetcher.Action] = []
        let now = loop.now
        fetcher?.advanced(to: now, into: &actions)
        perform(actions)
        if nextReport <= now, !isReporting { sendReport() }
        let next = fetcher?.nextDeadline ?? .distantFuture
        timer.start(at: isReporting ? next : min(next, nextReport))
    }

    private func perform(_ actions: [ChunkFetcher.Action]) {
        for action in actions {
            switch action {
            case .askTracker: askTracker()
            case .complete: emit(.complete(count: folder.list.chunkCount))
            case .fetch(let chunk, let holder, let hash): fetch(chunk, from: holder, expecting: hash)
            }
        }
    }

    private func trace(_ text: @autoclosure () -> String) { log?.add("\(configuration.name),\(text())") }

    // MARK: The tracker

    func received(_ rows: [ChunkTable.Row]) {
        trackerAnswered()
        if log != nil { traceAnswers(rows) }
        // Our own chunks come back to us; and this host's other clients are others.
        let own = port
        let others = rows.map { row in
            ChunkTable.Row(
                chunk: row.chunk,
                groups: row.groups.compactMap { group in
                    let holders = group.holders.filter { $0.name != configuration.name || $0.endpoint.port != own }
                    return holders.isEmpty ? nil : ChunkTable.Group(hash: group.hash, holders: holders)
                }
            )
        }
        asked(others)
    }

    func trackerFailed(_ fault: ChunkTrackerFault) {
        tell(fault)
        asked(nil)
    }

    private func asked(_ rows: [ChunkTable.Row]?) {
        var actions: [ChunkFetcher.Action] = []
        fetcher?.received(rows, at: loop.now, into: &actions)
        perform(actions)
        advance()
    }

    private func sendReport() {
        isReporting = true
        isReportStale = false
        let chunks = hashes.keys.sorted().compactMap { chunk in
            hashes[chunk].map { ChunkHolding(chunk: chunk, hash: $0) }
        }
        if log != nil, lastReported != chunks {
            for holding in Set(chunks).subtracting(lastReported).sorted(by: { $0.chunk < $1.chunk }) {
                trace("\(ChunkLine.holds(chunk: holding.chunk, hash: holding.hash, host: .localhost, port: port))")
            }
        }
        lastReported = chunks
        report(chunks, port)
    }

    func reported(_ fault: ChunkTrackerFault?) {
        isReporting = false
        if let fault {
            tell(fault)
            nextReport = loop.now + retry
            retry = min(retry * 2, Limit.reportInterval)
        } else {
            trackerAnswered()
            retry = Limit.firstReportRetry
            nextReport = loop.now + (isReportStale ? Limit.leastReportInterval : Limit.reportInterval)
        }
        advance()
    }

    /// Once for each new reason: it is tried again and again.
    private func tell(_ fault: ChunkTrackerFault) {
        guard !fault.isFinal else { return emit(.failed(.tracker(fault.message))) }
        guard lastTrackerFault != fault.message else { return }
        lastTrackerFault = fault.message
        emit(.notice(fault.message))
    }

    private func trackerAnswered() {
        guard lastTrackerFault != nil else { return }
        lastTrackerFault = nil
        emit(.notice("the tracker answers again"))
    }

    private func traceAnswers(_ rows: [ChunkTable.Row]) {
        let groups = Dictionary(rows.map { ($0.chunk, $0.groups) }) { first, _ in first }
        for chunk in folder.list.missing {
            let answer: ChunkAnswer =
                if let group = groups[chunk]?.first {
                    .getFrom(
                        chunk: chunk,
                        hash: group.hash.map { .hash($0) } ?? .omitted,
                        group.holders.map(\.endpoint)
                    )
                } else {
                    .unknown(chunk: chunk)
                }
            guard answers.updateValue("\(answer)", forKey: chunk) != "\(answer)" else { continue }
            trace("\(ChunkLine.asks(chunk: chunk))")
            trace("\(answer)")
        }
    }

    // MARK: Fetching

    private func fetch(_ chunk: Int, from holder: ChunkTable.Holder, expecting hash: SHA1Digest?) {
        trace("\(ChunkLine.requests(chunk: chunk)),\(holder.endpoint.address),\(holder.endpoint.port)")
        do throws(SocketError) {
            var key: ObjectIdentifier?
            let download = try ChunkDownload(
                chunk,
                from: holder,
                expecting: hash,
                into: folder,
                on: loop,
                workers
            ) { [weak self] outcome in
                if let key { self?.downloads[key] = nil }
                self?.ended(chunk, from: holder.endpoint, outcome)
            }
            let made = ObjectIdentifier(download)
            key = made
            downloads[made] = download
        } catch {
            failed(chunk, from: holder.endpoint, .unreachable, "\(error)")
        }
    }

    private func ended(_ chunk: Int, from holder: Endpoint, _ outcome: ChunkDownload.Outcome) {
        switch outcome {
        case .stored(let name, let hash):
            unlisted.append((chunk, name, hash, holder))
            addToList()
        case .failed(let failure, let reason): failed(chunk, from: holder, failure, reason)
        case .storage(let error): emit(.failed(.storage(error)))
        }
    }

    private func failed(_ chunk: Int, from holder: Endpoint, _ failure: ChunkFetcher.Failure, _ reason: String) {
        emit(.refused(chunk: chunk, from: holder, reason: reason))
        var actions: [ChunkFetcher.Action] = []
        fetcher?.failed(chunk, from: holder, because: failure, at: loop.now, into: &actions)
        perform(actions)
        advance()
    }

    private func addToList() {
        guard !isListing, let next = unlisted.first else { return }
        isListing = true
        let folder = folder
        workers.submit {
            Result { () throws(StorageError) in
                var longer = folder
                try longer.add(next.chunk, file: next.name)
                return longer
            }
        } then: { [weak self] result in
            guard let self else { return }
            isListing = false
            unlisted.removeFirst()
            switch result {
            case .failure(let error): emit(.failed(.storage(error)))
            case .success(let longer): listed(longer, next.chunk, next.hash, from: next.from)
            }
            addToList()
        }
    }

    private func listed(_ longer: ChunkFolder, _ chunk: Int, _ hash: SHA1Digest, from holder: Endpoint) {
        folder = longer
        hashes[chunk] = hash
        emit(.fetched(chunk: chunk, from: holder, count: hashes.count, of: folder.list.chunkCount))
        isReportStale = true
        if !isReporting { nextReport = min(nextReport, loop.now + Limit.leastReportInterval) }
        var actions: [ChunkFetcher.Action] = []
        fetcher?.fetched(chunk, from: holder, at: loop.now, into: &actions)
        perform(actions)
        advance()
    }

    // MARK: Serving

    private func listen() throws(ChunkFolderFault) {
        let families = configuration.address.map { [$0] } ?? [.anyV4, .anyV6]
        var port = configuration.port
        for address in families {
            do throws(SocketError) {
                let listener = try StreamListener(loop: loop, endpoint: Endpoint(address, port), handler: self)
                listeners.append(listener)
                port = listener.localEndpoint?.port ?? port
            } catch {
                // A machine without IPv6 has the other.
                guard listeners.isEmpty else { continue }
                throw .network("cannot listen at \(Endpoint(address, port)): \(error); choose another with --listen")
            }
        }
        self.port = port
    }
}

extension ChunkPeerCore: StreamListenerHandler {
    func listener(_ listener: StreamListener, accepted stream: TCPStream, from remote: Endpoint) {
        let host = remote.address.host
        let ofHost = host.isLoopback ? 0 : uploads.values.count { $0.remoteEndpoint.address.host == host }
        guard uploads.count < Limit.uploads, ofHost < Limit.uploadsPerHost else { return stream.close() }
        trace("CONNECTED,\(remote.address),\(remote.port)")
        var key: ObjectIdentifier?
        let upload = ChunkUpload(
            stream,
            on: loop,
            workers,
            folder: { [unowned self] in folder },
            asked: { [weak self] chunk in
                self?.trace("\(ChunkLine.requests(chunk: chunk)),from,\(remote.address),\(remote.port)")
                self?.emit(.served(chunk: chunk, to: remote))
            },
            completion: { [weak self] in if let key { self?.uploads[key] = nil } }
        )
        let made = ObjectIdentifier(upload)
        key = made
        uploads[made] = upload
    }
}

extension ChunkPeerCore: TimerHandler {
    func timerFired(_ timer: Timer) { advance() }
}

extension ChunkPeerCore: SignalHandler {
    func signalReceived(_ signal: Signal) {
        // The next one ends the program, however long the tracker takes.
        signals?.close()
        signals = nil
        emit(.interrupted(signal: signal.number))
    }
}
