import Cryptography
import Metainfo
import Primitives
import Storage
import Swarming

/// The torrent's files: looking at what is there, writing pieces, reading blocks, remembering.
extension TorrentSession {
    // MARK: Before the first piece

    /// A fetch without metadata: a former run may have had it.
    func remember() {
        guard let store = core.state?.resume else { return }
        core.disk.submit { [infoHash] () -> Torrent? in
            guard let bytes = try? store.load(infoHash)?.info, !bytes.isEmpty, SHA1.hash(bytes).value == infoHash.value
            else { return nil }
            return try? Torrent(infoDictionary: bytes)
        } then: { [weak self] torrent in
            guard let self, let torrent, case .metadata = phase else { return }
            adopt(torrent)
        }
    }

    /// The metadata is known: places the files, says so, and looks at what is already there.
    func adopt(_ torrent: Torrent) {
        guard case .fetch(let options) = purpose else { return }
        learn(torrent)
        phase = .checking
        for session in sessions.values { session.pauseReading() }
        core.disk.submit { [selectedFiles, openFiles = core.openFiles] in
            Result { () throws(ShoalError) in
                try Placement(fetching: torrent, options, selectedFiles: selectedFiles, openFiles: openFiles)
            }
        } then: { [weak self] placement in
            guard let self, case .checking = phase else { return }
            switch placement {
            case .success(let placement): place(torrent, placement)
            case .failure(let error): fail(error)
            }
        }
    }

    private func place(_ torrent: Torrent, _ placement: Placement) {
        self.placement = placement
        core.emit(.torrent(TorrentInfo(torrent, address: core.listenAddress, trackers: trackers.named)))
        inspect(placement)
    }

    func inspect(_ placement: Placement) {
        guard let torrent else { return }
        let inspection = Inspection(of: torrent, in: placement, core: core) { [weak self] result in
            guard let self, case .checking = phase else { return }
            self.inspection = nil
            switch result {
            case .failure(let error): fail(error)
            case .success(let have): inspected(have)
            }
        }
        self.inspection = inspection
        inspection.start()
    }

    private func inspected(_ have: Bitfield) {
        guard let torrent, isSharing else { return run(having: have) }
        guard have.isFull else {
            let path = placement?.path ?? ""
            let missing = "\(have.count - have.setCount) of \(have.count) pieces are missing or wrong"
            let advice = "`shoal fetch` of the .torrent repairs them"
            return fail(ShoalError(.badData, "\(path) is not the data of \(torrent.name): \(missing); \(advice)"))
        }
        run(having: have)
    }

    // MARK: Pieces

    private enum PieceOutcome: Sendable {
        case written
        case wrong
        case failed(StorageError)
    }

    /// A whole piece is in memory: a worker hashes it, and writes it when it is what the torrent says.
    func check(_ piece: Int) {
        guard let expected = torrent?.pieceHashes[piece], let files = placement?.files, let buffer = buffers[piece]
        else { return }
        core.disk.submit { () -> PieceOutcome in
            do throws(StorageError) {
                return try files.store(piece: piece, from: buffer, expected: expected) ? .written : .wrong
            } catch {
                return .failed(error)
            }
        } then: { [weak self] outcome in
            self?.checked(piece, outcome)
        }
    }

    private func checked(_ piece: Int, _ outcome: PieceOutcome) {
        if case .stopped = phase { return }
        switch outcome {
        case .written:
            report.moved(at: core.now)
            report.pausedBy = nil
            report.pauses = 0
            swarm?.pieceChecked(piece, isCorrect: true, at: core.now, into: &swarmActions)
            serveReaders()
        case .wrong:
            swarm?.pieceChecked(piece, isCorrect: false, at: core.now, into: &swarmActions)
        case .failed(let error):
            swarm?.pieceWriteFailed(piece, at: core.now, into: &swarmActions)
            pause(error)
        }
        performSwarm()
    }

    /// A local problem: nothing is asked for until it is gone, nothing that was verified is lost (hardening F12).
    private func pause(_ error: StorageError) {
        guard case .running = phase else { return }
        let reason = ShoalError(error)
        phase = .paused(reason)
        swarm?.pause()
        // Said once for a full disk, and not at every try.
        if report.pausedBy != reason { core.emit(.failed(infoHash: infoHash.hex, reason)) }
        report.pausedBy = reason
        report.pauses += 1
        retryAlarm.set(core.now + min(.seconds(1 << min(report.pauses, 4)), .seconds(10)))
    }

    func retryAlarmRang() {
        guard case .paused = phase else { return }
        phase = .running
        swarm?.resume(at: core.now, into: &swarmActions)
        performSwarm()
        armRecord()
        dial()
    }

    // MARK: Reading

    /// Reads a run of blocks that lie side by side; `nil` when the disk refused.
    func read(_ run: [Block], byteCount: Int, then done: @escaping (PieceBuffer?) -> Void) {
        guard let torrent, let files = placement?.files, let first = run.first else { return done(nil) }
        let offset = torrent.layout.offset(ofPiece: Int(first.piece)) + Int64(first.begin)
        let buffer = core.blocks.buffer(capacity: byteCount) ?? PieceBuffer(capacity: byteCount)
        core.disk.submit { () -> StorageError? in
            do throws(StorageError) {
                let isThere = try files.read(at: offset, into: buffer.mutableBytes(0..<byteCount))
                return isThere ? nil : .notFound(path: files.rootPath)
            } catch {
                return error
            }
        } then: { [weak self] error in
            if let error { self?.readFailed(error) }
            done(error == nil ? buffer : nil)
        }
    }

    /// Said once a minute: a vanished file is asked for by everybody.
    private func readFailed(_ error: StorageError) {
        guard core.now >= report.nextReadNotice else { return }
        report.nextReadNotice = core.now + .seconds(60)
        core.emit(.notice("cannot read what is shared: \(error.message)"))
    }

    // MARK: Remembering

    /// How often what is verified is made durable and remembered.
    private static let recordInterval: Duration = .seconds(10)

    func armRecord() { recordAlarm.set(core.now + TorrentSession.recordInterval) }

    func recordAlarmRang() {
        record { [weak self] in
            if let self, case .running = phase, !report.isDone { armRecord() }
        }
    }

    /// Makes the pieces that are written durable and remembers them.
    func record(then done: @escaping () -> Void) {
        guard let store = core.state?.resume, let files = placement?.files, let have = swarm?.have, !isSharing,
            !report.isDone
        else { return done() }
        let (downloaded, uploaded) = (report.downloaded, report.uploaded)
        let isTaken = core.disk.submit { [infoHash] () -> StorageError? in
            do throws(StorageError) {
                try store.record(infoHash, verified: have, in: files, downloaded: downloaded, uploaded: uploaded)
                return nil
            } catch {
                return error
            }
        } then: { [weak self] error in
            if let error { self?.core.emit(.notice("cannot save the state: \(error.message)")) }
            done()
        }
        if !isTaken { done() }
    }

    /// Everything wanted is verified and written.
    func completed() {
        guard let placement, !isSharing, !report.isDone else { return }
        report.isDone = true
        recordAlarm.set(nil)
        core.disk.submit { [infoHash, store = core.state?.resume] () -> StorageError? in
            do throws(StorageError) {
                try placement.files.createEmptyFiles { placement.isWanted[$0] }
                // A later fetch looks at every byte again, so no piece needs to be remembered.
                try store?.forgetProgress(of: infoHash)
                return nil
            } catch {
                return error
            }
        } then: { [weak self] error in
            guard let self else { return }
            if let error { fail(ShoalError(error)) } else { finished() }
        }
        announceAsSeed()
        tellTrackersOfCompletion()
    }
}
