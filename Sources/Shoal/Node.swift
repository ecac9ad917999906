import EventLoop
import Metainfo
import Primitives

/// A peer of the network: finds, shares and fetches torrents.
///
/// Everything it owns runs on one loop thread, which is this actor's executor; disks and hashes have threads of their own.
///
/// ```swift
/// let node = Node(configuration)
/// try await node.start()
/// let torrent = try await node.share(ShareRequest(paths: ["film.mkv"]))
/// ```
public actor Node {
    /// `nil` when the system had no descriptor or thread for it; then nothing starts.
    private nonisolated let loop: Loop?
    private let configuration: Configuration
    private let continuation: AsyncStream<Event>.Continuation
    private var core: NodeCore?
    private var isStopped = false

    /// What happens, in order. A reader that falls more than 10 000 events behind loses the oldest.
    public nonisolated let events: AsyncStream<Event>

    /// The name and version that peers are told.
    public static let clientName = "shoal 0.1.0"

    /// The loop thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        loop?.asUnownedSerialExecutor() ?? MainActor.sharedUnownedExecutor
    }

    /// Makes a node that does nothing yet.
    public init(_ configuration: Configuration) {
        self.configuration = configuration
        loop = try? Loop.started()
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(10_000))
    }

    deinit { loop?.stop() }

    /// Binds TCP and UDP and joins the DHT.
    ///
    /// - Throws: `ShoalError` with `.network` when the port is in use or the address is not this machine's, `.files` when the
    ///   state folder cannot be used.
    public func start() throws(ShoalError) { try open().listen() }

    /// Puts a sentence of the owner's own among the events, in its turn.
    public func tell(_ sentence: String) { continuation.yield(.notice(sentence)) }

    /// Saves state, leaves, and ends the event stream; takes at most three seconds, and may be called more than once.
    ///
    /// Whoever waits for something of this node gets an error. A stopped node cannot be started again.
    public func stop() async {
        isStopped = true
        if let core {
            await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
                core.turn { core.stop { done.resume() } }
            }
        }
        core = nil
        continuation.finish()
    }

    /// The parts that need no network: disk workers and state.
    func open() throws(ShoalError) -> NodeCore {
        if isStopped { throw ShoalError(.failed, "the node was stopped") }
        if let core { return core }
        guard let loop else {
            throw ShoalError(.failed, "too many open files or threads; raise the limits (ulimit -n)")
        }
        let state: StateFolder? =
            if let path = configuration.stateFolder { try StateFolder(path) } else { nil }
        let core = try NodeCore(loop: loop, configuration: configuration, state: state) { [continuation] event in
            continuation.yield(event)
        }
        if configuration.reportsSignals { try core.reportSignals() }
        self.core = core
        return core
    }

    // MARK: Torrents

    /// Makes a torrent of files (or checks the data of a given one) and serves it until the node stops.
    ///
    /// - Returns: the torrent, once others can find it or two seconds after it could be fetched from this address.
    /// - Throws: `ShoalError` with `.notFound` or `.files` for what cannot be read, `.badData` for data that is not the
    ///   torrent's.
    @discardableResult
    public func share(_ request: ShareRequest) async throws(ShoalError) -> TorrentInfo {
        let core = try open()
        guard let bytes = request.torrent else {
            return try await core.share(try await core.makeTorrent(request), request)
        }
        guard request.paths.count == 1, let path = request.paths.first else {
            throw ShoalError(.usage, "one path holds the data of a torrent")
        }
        let source = try await core.source(of: try TorrentFile(bytes).torrent, at: path)
        return try await core.share(source, request)
    }

    /// Begins to fetch; `Event.done` or `Event.failed` says how it ended.
    ///
    /// - Returns: the info-hash, 40 hexadecimal digits.
    /// - Throws: `ShoalError` with `.usage` for a link that cannot be read, `.badData` for a corrupt `.torrent`.
    @discardableResult
    public func fetch(_ source: FetchSource, _ options: FetchOptions) throws(ShoalError) -> String {
        try open().fetch(source, options)
    }

    /// Changes whom one torrent talks to. Sessions with others are closed at once, and so are plain ones.
    ///
    /// - Parameters:
    ///   - keys: public keys, `sp1-...`; `nil` for everybody again.
    ///   - infoHash: 40 hexadecimal digits of a torrent that is shared or fetched.
    /// - Throws: `ShoalError` with `.usage` for a key that cannot be read, `.notFound` for a torrent that is not there.
    public func trust(_ keys: [String]?, for infoHash: String) throws(ShoalError) {
        try open().trust(keys, for: infoHash)
    }

    /// Announces to a tracker by an account from now on.
    ///
    /// - Parameters:
    ///   - passkey: 40 hexadecimal digits, which the tracker gave.
    ///   - tracker: its `host:port`, as in `Configuration.trackerPasskeys`.
    public func use(passkey: String, at tracker: String) throws(ShoalError) {
        try open().trackerPasskeys[tracker.lowercased()] = passkey
    }

    /// The next verified bytes of the one wanted file of a torrent, as soon as there are any.
    ///
    /// - Parameters:
    ///   - infoHash: 40 hexadecimal digits of a torrent that is being fetched.
    ///   - offset: where in the file, in bytes.
    /// - Returns: at most 1 MiB, or `nil` at the end of the file.
    public func readVerified(_ infoHash: String, at offset: Int64) async throws(ShoalError) -> [UInt8]? {
        try await open().readVerified(infoHash, at: offset)
    }

    /// The `.torrent` of a torrent that is shared or fetched and whose metadata is known.
    public func torrentFile(_ infoHash: String) throws(ShoalError) -> TorrentFile? {
        try open().torrent(infoHash).torrent.map { TorrentFile($0) }
    }

    /// Asks a tracker of any kind how many take part in a torrent; announces nothing.
    ///
    /// - Parameters:
    ///   - infoHash: 40 hexadecimal or 32 base32 digits.
    ///   - tracker: an http, https or udp URL.
    /// - Throws: `ShoalError` with `.usage` for what cannot be read, `.network` with the tracker's own words where it has any.
    public func scrape(_ infoHash: String, at tracker: String) async throws(ShoalError) -> TrackerCounts {
        try await open().scrape(infoHash, at: tracker)
    }

    /// Makes a `.torrent` of files without sharing it; nothing listens for it.
    public func makeTorrent(_ request: ShareRequest) async throws(ShoalError) -> TorrentFile {
        TorrentFile(try await open().makeTorrent(request).torrent)
    }

    /// Checks files against a torrent; nothing listens for it.
    ///
    /// - Returns: how many pieces are right, and how many there are.
    public func verify(
        _ file: TorrentFile,
        at path: String
    ) async throws(ShoalError) -> (verified: Int, pieces: Int) {
        (try await open().verify(file.torrent, at: path), file.torrent.layout.pieceCount)
    }
}
