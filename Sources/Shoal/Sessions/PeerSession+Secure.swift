import Cryptography
import EventLoop
import Metainfo
import PeerWire
import Primitives
import SecurePeer
import Storage

/// Secure sessions (secure-peer.md, §3): telling the protocols apart, the handshake, and records in place of plain bytes.
extension PeerSession {
    /// How much plaintext is looked at for a header while more of it is there: payload behind it is copied once less.
    private static let headerAhead = 64

    // MARK: Opening

    /// Which protocol an accepted connection speaks shows in its first bytes; who speaks neither is not kept waiting.
    func learnProtocol() {
        switch Opening(inbox.unread.bytes) {
        case .undecided: armAlarm()
        case .unknown: close(.mseOrUnknown)
        case .plain:
            guard !core.refusesPlain else { return close(.plainRefused) }
            isUnknown = false
            parse()
        case .secure:
            guard core.admitsHello(of: self),
                let handshake = core.respondingHandshake(to: endpoint.address, since: beganAt)
            else {
                return close(.crowdedOut)
            }
            isUnknown = false
            let channel = SecureChannel(responding: handshake, to: inbox.unread)
            inbox.consume(inbox.count)
            self.channel = channel
            meet(over: channel)
        }
    }

    /// Sends the first message of the handshake.
    func beginSecurely() {
        guard let torrent, let handshake = core.initiatingHandshake(for: torrent, to: endpoint.address) else {
            return close(.secure(.outOfMemory))
        }
        do throws(SecureFault) {
            channel = try SecureChannel(initiating: handshake)
            markDirty()
        } catch {
            close(broken(error))
        }
    }

    private func meet(over channel: SecureChannel) {
        do throws(SecureFault) {
            let peer = try channel.meet(at: core.now, unixSeconds: core.unixSeconds)
            if channel.sealed.count > 0 { markDirty() }
            if let peer { try met(peer, over: channel) } else { armAlarm() }
        } catch {
            // The status that says what was wrong, where there is one.
            if channel.sealed.count > 0 { flush() }
            close(broken(error))
        }
    }

    /// The other end has proved its key: do we want to talk to it, about this torrent?
    private func met(_ peer: RemotePeer, over channel: SecureChannel) throws(SecureFault) {
        if wasDialled {
            // The initiator says nothing about itself before it knows whom it talks to.
            if let refusal = torrent?.refusal(of: peer.key, expecting: plan.expectedKey) { return close(refusal) }
            try channel.agree(at: core.now)
            core.learned(peer.key, at: endpoint, by: .session)
        } else {
            try channel.agree(at: core.now)
            guard let torrent = core.torrent(tagged: peer.swarm, in: peer.mode) else { return close(.unknownSwarm) }
            guard torrent.accepts(self, key: peer.key) else { return close(.crowdedOut) }
            if let refusal = torrent.refusal(of: peer.key, expecting: nil) {
                torrent.refused(self, because: refusal)
                return close(refusal)
            }
            self.torrent = torrent
            core.greeted(self)
        }
        guard let torrent else { return close(.unknownTorrent) }
        remoteKey = peer.key
        let handshake = Handshake(
            capabilities: Capabilities(rawValue: peer.greeting.capabilities),
            infoHash: torrent.infoHash,
            peerID: .secure(peer.key, in: torrent.infoHash)
        )
        connection = Connection(
            established: handshake,
            client: peer.greeting.client,
            role: connection.role,
            now: core.now
        )
        markDirty()
        open()
        armAlarm()
        openRecords(of: channel)
    }

    // MARK: Records

    func readSealed(over channel: SecureChannel, limit: Int) -> ReadResult {
        channel.received.reserve(channel.neededByteCount)
        return stream?.read(into: channel.received.room(limit: limit)) ?? .closed
    }

    func sealedArrived(_ count: Int, over channel: SecureChannel) {
        channel.received.arrived(count)
        if channel.isOpen { openRecords(of: channel) } else { meet(over: channel) }
    }

    /// Opens every whole record, and handles what is in them.
    func openRecords(of channel: SecureChannel) {
        do throws(SecureFault) {
            while !isClosed, !isReadingPaused {
                guard try channel.openNext(at: core.now, { take($0) }) else { break }
            }
            armAlarm()
        } catch {
            close(broken(error))
        }
    }

    private func take(_ content: SecureContent) {
        switch content {
        case .data(let bytes): take(bytes)
        case .close(let reason, let text): close(.closedByPeer(reason, text))
        }
    }

    /// Plaintext: payload goes to the piece's buffer, the rest by the inbox to the wire machine.
    private func take(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while !rest.isEmpty, !isClosed {
            let count: Int
            if let payload {
                count = min(rest.count, payload.left)
                let part = UnsafeRawBufferPointer(rebasing: rest.prefix(count))
                payload.buffer?.copy(part.bytes, to: Int(payload.block.begin) + payload.received)
                payloadArrived(count)
            } else {
                let wanted = max(connection.neededByteCount - inbox.count, PeerSession.headerAhead)
                count = isReadingPaused ? rest.count : min(rest.count, wanted)
                inbox.append(UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
                if !isReadingPaused { parse() }
            }
            rest = rest.dropFirst(count)
        }
    }

    func writeSealed(over channel: SecureChannel, to stream: TCPStream, limit: Int) -> WriteResult {
        do throws(SecureFault) {
            try channel.seal(from: outbox, limit: limit, at: core.now)
        } catch {
            close(broken(error))
            return .failed(.closed)
        }
        let unsent = channel.sealed.unread
        let result = stream.write(UnsafeRawBufferPointer(rebasing: unsent.prefix(limit)))
        if case .bytes(let count) = result { channel.sealed.consume(count) }
        return result
    }

    // MARK: Closing

    /// What a fault means for this connection.
    ///
    /// Whoever is known to speak SPS/1 and does not here is not there, or somebody stands between: plain is no answer to
    /// that (N32).
    func broken(_ fault: SecureFault) -> CloseCause {
        guard wasDialled, channel?.isOpen != true, fault.isSilenceOrAnotherProtocol,
            plan.expectedKey != nil || core.evidence.isEvident(endpoint, at: core.now)
        else { return .secure(fault) }
        return .downgradeRefused(fault)
    }

    /// What the end of the connection means, if nobody said why it ends.
    func hungUp(_ cause: CloseCause) -> CloseCause {
        guard let channel else { return cause }
        return channel.isOpen ? .truncated : broken(.notSecure)
    }

    /// Tells the other end why, if it can hear that.
    func sayFarewell(_ cause: CloseCause) {
        guard let channel, channel.isOpen, let stream, let reason = cause.farewell else { return }
        channel.sealClosing(reason)
        // It is a courtesy: what the socket does not take now is lost.
        _ = stream.write(channel.sealed.unread)
    }
}

/// How far a plain connection is from being left for a secure one.
enum UpgradeHold {
    /// It stays what it is.
    case none
    /// The other end may speak SPS/1, and will say so: nothing is asked of it yet.
    case waiting
    /// It does, and dials anew: nothing is asked and nothing served here.
    case leaving
}

/// From plain to secure: who names a key in its extension handshake (BEP 10, `sp`) is dialled anew.
extension PeerSession {
    /// How long a peer may take to say what it speaks; clients say it with their first message.
    private static let holdTime: Duration = .seconds(2)
    /// Messages that are held back, of which the last choke or unchoke counts and BEP 6 allows ten.
    private static let mostHeld = 32

    /// Nothing is requested before it is known whether the other end speaks SPS/1.
    func holdUntilKnown() {
        guard channel == nil, connection.supportsExtensions, torrent?.keyToName != nil else { return }
        hold = .waiting
        holdAlarm.set(core.now + PeerSession.holdTime)
    }

    /// Whether a message that makes us ask has to wait.
    func isHeldBack(_ event: PeerEvent) -> Bool {
        if hold == .waiting, held.count < PeerSession.mostHeld { held.append(event) }
        return hold != .none
    }

    /// It speaks plain only: what it said counts now.
    func release() {
        guard hold == .waiting else { return }
        hold = .none
        holdAlarm.set(nil)
        let events = held
        held = []
        for event in events where !isClosed { torrent?.received(event, from: self) }
    }

    func extensionsKnown() {
        if let key = connection.remoteExtensions.secureKey, hold != .none {
            holdAlarm.set(nil)
            held = []
            hold = .leaving
            if wasDialled { return torrent?.upgrade(self, to: key) ?? () }
        }
        torrent?.extensionsKnown(self)
        release()
    }
}
