import Metainfo
import Primitives
import Storage
import TrackerProtocol

/// Making torrents of files, checking files against torrents, serving both.
extension NodeCore {
    /// 20 bytes each, in metadata of at most 8 MiB (hardening F9), which also names the files.
    private static let maximumPieces = 400_000

    /// Hashes files into a new torrent, with all workers; progress is emitted meanwhile.
    func makeTorrent(_ request: ShareRequest) async throws(ShoalError) -> ShareSource {
        let draft = try await onDisk { () throws(ShoalError) in try ShareDraft(request) }
        for notice in draft.notices { emit(.notice(notice)) }
        let pieceLength = request.pieceLength ?? TorrentBuilder.pieceLength(forSize: draft.size)
        guard pieceLength.nonzeroBitCount == 1, (16 << 10)...(256 << 20) ~= pieceLength else {
            throw ShoalError(.usage, "a piece length must be a power of two from 16 KiB to 256 MiB")
        }
        let layout = PieceLayout(totalSize: draft.size, pieceLength: pieceLength)
        // Before hours of hashing, and not after: their hashes must fit into metadata that others take.
        guard layout.pieceCount <= NodeCore.maximumPieces else {
            throw ShoalError(.usage, "\(layout.pieceCount) pieces are too many; choose a longer --piece-length")
        }
        let files = FileSet(
            root: draft.root,
            files: draft.stored,
            layout: layout,
            access: .reading,
            openFiles: openFiles
        )
        let verifier = Verifier(hashing: files)
        try await hash(verifier, reporting: .hashing)
        let torrent = try draft.torrent(
            pieceLength: pieceLength,
            digests: verifier.digests,
            isPrivate: request.isPrivate,
            trackers: request.trackers.compactMap { TrackerURL($0)?.text },
            createdBy: Node.clientName
        )
        return ShareSource(torrent, files)
    }

    /// Runs on a worker what may have to wait for a file system.
    func onDisk<Value: Sendable>(
        _ work: @escaping @Sendable () throws(ShoalError) -> Value
    ) async throws(ShoalError) -> Value {
        try throwIfStopping()
        let result: Result<Value, ShoalError> = await withCheckedContinuation { done in
            disk.submit {
                Result(catching: work)
            } then: {
                done.resume(returning: $0)
            }
        }
        return try result.get()
    }

    private func hash(_ verifier: Verifier, reporting state: TorrentState) async throws(ShoalError) {
        try throwIfStopping()
        let reporter = HashingReport(self, verifier, state)
        hashing[ObjectIdentifier(verifier)] = verifier
        defer {
            reporter.stop()
            hashing[ObjectIdentifier(verifier)] = nil
        }
        let result: Result<Void, StorageError> = await withCheckedContinuation { done in
            disk.run(verifier) { done.resume(returning: $0) }
        }
        try throwIfStopping()
        if case .failure(let error) = result { throw ShoalError(error) }
    }

    /// Serves a torrent.
    ///
    /// - Returns: when others can find it, or two seconds after it could be fetched from this address.
    func share(_ source: ShareSource, _ request: ShareRequest) async throws(ShoalError) -> TorrentInfo {
        try throwIfStopping()
        let security = try security(by: request.sessions)
        let infoHash = source.torrent.infoHash
        guard torrents[infoHash] == nil else {
            throw ShoalError(.usage, "\(infoHash) is shared or fetched by this node already")
        }
        let session = TorrentSession(infoHash: infoHash, purpose: .share, security: security, core: self)
        torrents[infoHash] = session
        let failure: ShoalError? = await withCheckedContinuation { done in
            session.whenReady = { done.resume(returning: $0) }
            turn { session.startSharing(source, request) }
        }
        if let failure { throw failure }
        let info = TorrentInfo(source.torrent, address: listenAddress, trackers: session.trackers.named)
        emit(.torrent(info))
        return info
    }

    /// The files of a torrent that somebody else made.
    func source(of torrent: Torrent, at path: String) async throws(ShoalError) -> ShareSource {
        try await onDisk { [openFiles] () throws(ShoalError) in
            try ShareSource(torrent, at: path, openFiles: openFiles)
        }
    }

    /// How many pieces of a torrent are right on disk.
    func verify(_ torrent: Torrent, at path: String) async throws(ShoalError) -> Int {
        let source = try await source(of: torrent, at: path)
        let hashes = torrent.pieceHashes
        let verifier = Verifier(source.placement.files) { hashes[$0] }
        guard torrent.layout.pieceCount > 0 else { return 0 }
        try await hash(verifier, reporting: .checking)
        return verifier.verified.setCount
    }
}

/// Emits how far a hashing run is, five times a second.
private final class HashingReport {
    private let core: NodeCore
    private let verifier: Verifier
    private let state: TorrentState
    private var rate = RateMeter()
    private lazy var alarm = Alarm(core) { [unowned self] in report() }

    init(_ core: NodeCore, _ verifier: Verifier, _ state: TorrentState) {
        self.core = core
        self.verifier = verifier
        self.state = state
        alarm.set(core.now + .milliseconds(200))
    }

    func stop() { alarm.set(nil) }

    private func report() {
        let progress = verifier.progress
        rate.update(total: progress.bytesDone, at: core.now)
        let left = Double(progress.bytesTotal - progress.bytesDone)
        core.emit(
            .progress(
                Progress(
                    infoHash: "",
                    state: state,
                    done: progress.bytesDone,
                    size: progress.bytesTotal,
                    downRate: 0,
                    upRate: 0,
                    downloaded: 0,
                    uploaded: 0,
                    peers: 0,
                    secondsLeft: rate.bytesPerSecond > 0 ? left / rate.bytesPerSecond : nil,
                    waitingFor: nil
                )
            )
        )
        alarm.set(core.now + .milliseconds(200))
    }
}
