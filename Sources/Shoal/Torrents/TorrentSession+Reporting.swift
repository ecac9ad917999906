import Cryptography
import Metainfo
import PeerWire
import Primitives
import SecurePeer
import Storage
import Swarming

/// What the owner hears: progress, peers, the end.
extension TorrentSession {
    /// Five times a second is as often as a person can read.
    private static let reportInterval: Duration = .milliseconds(200)
    /// How often nothing new is said.
    private static let quietInterval: Duration = .seconds(5)

    func reportAlarmRang() {
        report.down.update(total: report.downloaded, at: core.now)
        report.up.update(total: report.uploaded, at: core.now)
        tellProgress()
        giveUpIfNothingMoves()
        if case .stopped = phase { return }
        reportAlarm.set(core.now + TorrentSession.reportInterval)
    }

    /// At once where something changed; else now and then, as a sign of life.
    private func tellProgress() {
        let progress = progress
        guard progress != report.told || core.now >= report.toldAt + TorrentSession.quietInterval else { return }
        report.told = progress
        report.toldAt = core.now
        core.emit(.progress(progress))
    }

    private var progress: Progress {
        var progress = Progress(
            infoHash: infoHash.hex,
            state: state,
            done: swarm?.verifiedWantedBytes ?? 0,
            size: swarm?.wantedBytes ?? torrent?.layout.totalSize ?? 0,
            downRate: Int(report.down.bytesPerSecond),
            upRate: Int(report.up.bytesPerSecond),
            downloaded: report.downloaded,
            uploaded: report.uploaded,
            peers: sessions.count,
            secondsLeft: nil,
            waitingFor: waitingFor
        )
        if case .checking = phase, let checked = inspection?.progress {
            progress.done = checked.bytesDone
            progress.size = checked.bytesTotal
        }
        if state == .downloading, report.down.bytesPerSecond >= 1 {
            progress.secondsLeft = Double(progress.size - progress.done) / report.down.bytesPerSecond
        }
        return progress
    }

    private var state: TorrentState {
        switch phase {
        case .metadata: .metadata
        case .checking: .checking
        case .running: swarm?.isComplete == true ? .seeding : .downloading
        case .paused, .stopped: .paused
        }
    }

    /// What a wait is for; `nil` while something moves.
    private var waitingFor: String? {
        switch phase {
        case .checking, .stopped: return nil
        case .paused(let error): return error.message
        case .metadata:
            return sessions.isEmpty ? lookingForPeers : "asking \(peerCount) what the torrent holds"
        case .running:
            if swarm?.isComplete == true {
                return isSharing && sessions.isEmpty ? "waiting for somebody to fetch" : nil
            }
            if sessions.isEmpty { return lookingForPeers }
            guard report.down.bytesPerSecond < 1 else { return nil }
            let missing = swarm?.unavailablePieces ?? 0
            guard missing > 0 else { return "waiting for \(peerCount) to send" }
            return "\(peerCount) connected; nobody has \(missing) of the missing pieces"
        }
    }

    private var peerCount: String { sessions.count == 1 ? "1 peer" : "\(sessions.count) peers" }

    private var lookingForPeers: String {
        var banned = report.banned.isEmpty ? "" : "; \(report.banned.count) banned for bad data"
        if !report.refused.isEmpty { banned += "; \(report.refused.count) refused" }
        if let trackerWait { banned = "; \(trackerWait)" + banned }
        if isPrivate {
            guard trackers.isEmpty else { return "a private torrent\(banned)" }
            return "a private torrent that names no tracker: its peers cannot be found; name one with --peer"
        }
        guard usesDHT, let dht = core.dht else { return "no peer answers\(banned)" }
        guard dht.isJoined else { return "no DHT node has answered yet\(banned)" }
        let nodes = max(discovery.nodesAsked, dht.contacts.count)
        let holders = discovery.peersNamed == 1 ? "1 peer holds" : "\(discovery.peersNamed) peers hold"
        return "asking \(nodes) DHT \(nodes == 1 ? "node" : "nodes"); \(holders) this\(banned)"
    }

    private func giveUpIfNothingMoves() {
        guard case .fetch(let options) = purpose, let limit = options.timeout, !report.isDone else { return }
        if let held = swarm?.heldBytes ?? metadataDownload.progress.map({ Int64($0.received) }) {
            report.held(held, at: core.now)
        }
        switch phase {
        case .checking, .stopped: report.moved(at: core.now)
        case .metadata, .running, .paused:
            if (core.now - report.lastMovement).inSeconds >= limit { fail(nothingMoved(for: limit)) }
        }
    }

    private func nothingMoved(for limit: Double) -> ShoalError {
        let seconds = limit == limit.rounded() ? String(Int(limit)) : String(limit)
        if sessions.isEmpty, let refusal = nobodyButRefused { return refusal }
        let banned = report.banned.isEmpty ? "" : "; banned for bad data: \(report.banned.joined(separator: ", "))"
        guard !sessions.isEmpty else {
            return ShoalError(.noPeers, "no peer answered in \(seconds) s (\(lookingForPeers))\(banned)")
        }
        return ShoalError(.timedOut, "nothing useful arrived in \(seconds) s from \(peerCount)\(banned)")
    }

    /// Whom we found are all others than they have to be, or do not want to talk to us.
    private var nobodyButRefused: ShoalError? {
        guard !report.refused.isEmpty, report.banned.isEmpty else { return nil }
        let texts = report.refused.map { address, cause in
            "\(address): \(cause.detail ?? cause.word.split(separator: "_").joined(separator: " "))"
        }
        let isMismatch = report.refused.contains {
            if case .peerIdentityMismatch = $0.cause { true } else { false }
        }
        return ShoalError(isMismatch ? .network : .noPeers, "no peer to talk to; \(texts.joined(separator: "; "))")
    }

    func peerConnected(_ session: PeerSession) {
        if session.wasDialled { report.accepted(session.endpoint) }
        core.emit(.peer(status(of: session, .connected)))
    }

    /// Its record claimed more than it holds.
    func peerBrokeItsWord(_ session: PeerSession) {
        core.emit(.peer(status(of: session, .connected, reason: "broken_record")))
    }

    func peerClosed(_ session: PeerSession, because cause: CloseCause) {
        if cause.isBan { report.banned(session.endpoint) }
        // A responder can say that it does not want us only in the session that this ends.
        if session.wasDialled, case .closedByPeer(let reason, _) = cause, reason != .normal {
            report.refused(session.endpoint, because: cause)
        }
        core.emit(.peer(status(of: session, cause.isBan ? .banned : .closed, because: cause)))
    }

    /// No session came of it, and the person hears why.
    func refused(_ session: PeerSession, because cause: CloseCause) {
        if session.wasDialled { report.refused(session.endpoint, because: cause) }
        core.emit(.peer(status(of: session, .refused, because: cause)))
    }

    private func status(
        of session: PeerSession,
        _ state: PeerStatus.State,
        because cause: CloseCause? = nil,
        reason: String? = nil
    ) -> PeerStatus {
        PeerStatus(
            infoHash: infoHash.hex,
            address: session.endpoint.description,
            state: state,
            source: session.source.word,
            key: (session.remoteKey ?? session.recordKey)?.text,
            isSecure: session.remoteKey != nil,
            isChosenForRecord: session.isChosenForRecord,
            client: session.connection.remotePeerID == nil ? nil : session.connection.remoteClientName,
            reason: cause?.word ?? reason,
            detail: cause?.detail,
            downloaded: session.receivedPayload,
            pieces: swarm?.statistics(of: session.handle)?.piecesContributed ?? 0
        )
    }

    /// The fetch is over: everything is on disk.
    func finished() {
        guard let placement else { return }
        core.emit(.progress(progress))
        // What each peer gave is part of the result.
        for session in sessions.values { core.emit(.peer(status(of: session, .connected))) }
        core.emit(
            .done(
                Completion(
                    infoHash: infoHash.hex,
                    path: placement.path,
                    seconds: (core.now - beganAt).inSeconds,
                    downloaded: report.downloaded,
                    size: swarm?.wantedBytes ?? 0
                )
            )
        )
    }
}

extension PeerSource {
    /// The word of the events.
    var word: String { "\(self)" }
}
