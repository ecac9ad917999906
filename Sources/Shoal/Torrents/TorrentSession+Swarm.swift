import Metainfo
import PeerWire
import Primitives
import Storage
import Swarming

/// Between the wire and the swarm machine: facts in, actions out.
extension TorrentSession {
    /// Begins exchanging pieces with everybody who is connected.
    func run(having have: Bitfield) {
        guard let torrent, let placement else { return }
        var limits = SwarmLimits()
        limits.pieceBufferBudget = NodeCore.pieceBudget
        limits.maxQueuedUploads = ExtensionHandshake.shoalRequestQueueLength
        swarm = Swarm(
            layout: torrent.layout,
            have: have,
            limits: limits,
            infoHash: infoHash,
            seed: core.random.next(),
            now: core.now
        )
        swarm?.setDownLimit(core.configuration.downloadLimit)
        phase = .running
        if case .fetch(let options) = purpose, options.sequential || options.standardOutput {
            swarm?.setSequential(true)
        }
        swarm?.select(placement.wanted, at: core.now, into: &swarmActions)
        for session in Array(sessions.values) { join(session) }
        performSwarm()
        if !isSharing { armRecord() }
        // The swarm says so only when the last piece comes, not when none is missing.
        if swarm?.isComplete == true { completed() }
        askTrackers()
        if isSharing { awaitReady() }
        serveReaders()
        publishWhenDue()
        dial()
    }

    /// Tells a peer what we have and the swarm that it is there.
    func join(_ session: PeerSession) {
        guard let torrent, let have = swarm?.have, !session.isClosed else { return }
        session.announce(have)
        swarm?.connected(
            session.handle,
            host: session.endpoint,
            supportsFast: session.connection.supportsFast,
            requestLimit: session.connection.remoteExtensions.requestQueueLength
                ?? ExtensionHandshake.shoalRequestQueueLength,
            at: core.now,
            into: &swarmActions
        )
        do throws(WireError) {
            // What it told us of its pieces before we knew how many there are.
            for event in try session.connection.layoutKnown(torrent.layout) { received(event, from: session) }
            for event in session.early.events { received(event, from: session) }
            session.resumeReading()
        } catch {
            session.close(.wire(error))
        }
        performSwarm()
    }

    /// Every message that is neither a handshake nor metadata nor a payload.
    func received(_ event: PeerEvent, from session: PeerSession) {
        guard swarm != nil else { return session.early.note(event) }
        let peer = session.handle
        let now = core.now
        switch event {
        case .choke: swarm?.choked(by: peer, at: now, into: &swarmActions)
        case .unchoke: swarm?.unchoked(by: peer, at: now, into: &swarmActions)
        case .interested: swarm?.interested(peer, at: now, into: &swarmActions)
        case .notInterested: swarm?.notInterested(peer, at: now, into: &swarmActions)
        case .have(let piece): swarm?.hasPiece(piece, peer: peer, at: now, into: &swarmActions)
        case .bitfield(let pieces):
            swarm?.has(pieces, peer: peer, at: now, into: &swarmActions)
            compareWithRecord(session)
        case .haveAll:
            swarm?.hasAll(peer: peer, at: now, into: &swarmActions)
            compareWithRecord(session)
        case .haveNone:
            swarm?.hasNone(peer: peer, at: now, into: &swarmActions)
            compareWithRecord(session)
        case .suggest(let piece): swarm?.suggested(piece, by: peer)
        case .allowedFast(let piece): swarm?.allowedFast(piece, by: peer, at: now, into: &swarmActions)
        case .reject(let block): swarm?.rejected(block, by: peer, at: now, into: &swarmActions)
        case .request(let block): requested(block, by: session)
        case .requestOutside(let block): session.send { MessageWriter.reject(block, to: &$0) }
        case .cancel(let block): if session.uploads.remove(block) { refuse(block, to: session) }
        default: break
        }
        performSwarm()
    }

    // MARK: Serving

    private func requested(_ block: Block, by session: PeerSession) {
        switch swarm?.requested(block, by: session.handle, at: core.now) {
        case .serve: session.enqueueUpload(block)
        case .close(let reason): session.close(.swarm(reason))
        case .reject, nil: reject(block, to: session)
        }
    }

    /// A request that was accepted and will not be kept.
    func refuse(_ block: Block, to session: PeerSession) {
        swarm?.cancelled(block, by: session.handle)
        reject(block, to: session)
    }

    func reject(_ block: Block, to session: PeerSession) {
        if session.connection.supportsFast { session.send { MessageWriter.reject(block, to: &$0) } }
    }

    func uploaded(_ run: [Block], to session: PeerSession) {
        let byteCount = run.reduce(0) { $0 + Int($1.length) }
        swarm?.uploaded(byteCount, to: session.handle, blocks: run.count, at: core.now)
        report.uploaded(byteCount)
    }

    // MARK: Receiving

    func isOwedBlocks(by session: PeerSession) -> Bool { swarm?.isOwedBlocks(by: session.handle) ?? false }

    /// Where the payload of a block goes; `nil` when it is not wanted (any more).
    func destination(of block: Block, from session: PeerSession) -> PieceBuffer? {
        let disposition = swarm?.blockBegan(block, from: session.handle, at: core.now, into: &swarmActions)
        performSwarm()
        guard disposition == .wanted else { return nil }
        if let buffer = buffers[Int(block.piece)] { return buffer }
        swarm?.blockAborted(block, from: session.handle, at: core.now, into: &swarmActions)
        performSwarm()
        return nil
    }

    func payloadArrived(_ count: Int) { report.received(count) }

    func blockReceived(_ block: Block, from session: PeerSession) {
        swarm?.blockReceived(block, from: session.handle, at: core.now, into: &swarmActions)
        performSwarm()
    }

    func payloadAborted(_ payload: IncomingPayload, from session: PeerSession) {
        guard payload.buffer != nil else { return }
        swarm?.blockAborted(payload.block, from: session.handle, at: core.now, into: &swarmActions)
        performSwarm()
    }

    // MARK: Actions

    /// Carries out what the swarm wants; doing so may bring more.
    func performSwarm() {
        guard !isPerforming else { return }
        isPerforming = true
        while let action = swarmActions.next() { perform(action) }
        isPerforming = false
        switch phase {
        case .running, .paused: swarmAlarm.set(swarm?.nextDeadline)
        case .metadata, .checking, .stopped: break
        }
    }

    func swarmAlarmRang() {
        swarm?.advanced(to: core.now, into: &swarmActions)
        performSwarm()
    }

    private func perform(_ action: SwarmAction) {
        switch action {
        case .request(let block, let peer): sessions[peer]?.send { MessageWriter.request(block, to: &$0) }
        case .cancel(let block, let peer): sessions[peer]?.send { MessageWriter.cancel(block, to: &$0) }
        case .interested(let peer): sessions[peer]?.send { MessageWriter.interested(to: &$0) }
        case .notInterested(let peer): sessions[peer]?.send { MessageWriter.notInterested(to: &$0) }
        case .choke(let peer): choke(peer)
        case .unchoke(let peer): sessions[peer]?.send { MessageWriter.unchoke(to: &$0) }
        case .allowFast(let piece, let peer): sessions[peer]?.send { MessageWriter.allowedFast(piece, to: &$0) }
        case .announceHave(let piece):
            for session in sessions.values { session.send { MessageWriter.have(piece, to: &$0) } }
            publishWhenDue()
        case .openPiece(let piece): openPiece(piece)
        // A payload that is still on its way into the buffer keeps it from becoming another piece's.
        case .closePiece(let piece): buffers[piece] = nil
        case .check(let piece): check(piece)
        case .ban(let peer, let host, let reason): ban(peer, host, reason)
        // A peer of a torrent without bytes looks complete while it still asks for the metadata.
        case .close(_, .bothComplete) where torrent?.layout.pieceCount == 0: break
        case .close(let peer, let reason): sessions[peer]?.close(.swarm(reason))
        case .completed: completed()
        }
    }

    private func openPiece(_ piece: Int) {
        let length = torrent?.layout.length(ofPiece: piece) ?? 0
        // Where several torrents use the pool up, a buffer of its own is better than a torrent that stands still.
        buffers[piece] = core.pieces.buffer(capacity: length) ?? PieceBuffer(capacity: length)
    }

    private func choke(_ peer: PeerHandle) {
        guard let session = sessions[peer] else { return }
        session.send { MessageWriter.choke(to: &$0) }
        // BEP 6: a choke leaves no request open; without it the other end forgets them by itself.
        for block in session.uploads.removeAll() { refuse(block, to: session) }
    }

    private func ban(_ peer: PeerHandle, _ host: Endpoint, _ reason: BanReason) {
        if let session = sessions[peer] {
            session.close(.banned(reason))
        } else {
            directory.ban(host)
            report.banned(host)
        }
    }
}
