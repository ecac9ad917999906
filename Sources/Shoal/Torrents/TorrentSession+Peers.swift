import Cryptography
import PeerWire
import Primitives
import SecurePeer
import Swarming

/// Peers come and go.
extension TorrentSession {
    /// Peers that came by themselves; the rest of `maximumPeers` is for those that we choose, so that a crowd of strangers
    /// cannot keep us from everybody else.
    private static let maximumIncoming = 60
    /// Two ends that dial each other at the same moment have both connections within this time.
    private static let twinAge: Duration = .seconds(5)

    /// - Parameter key: what it proved in a secure session.
    func accepts(_ session: PeerSession, key: Ed25519.PublicKey? = nil) -> Bool {
        switch phase {
        case .metadata, .running, .paused: break
        case .checking, .stopped: return false
        }
        if let key, bannedKeys.contains(key) { return false }
        guard !directory.isBanned(session.endpoint), sessions.count < TorrentSession.maximumPeers else { return false }
        return sessions.values.count { !$0.wasDialled } < TorrentSession.maximumIncoming
    }

    /// Whether this is the connection to keep with its peer.
    ///
    /// Two that dial each other at the same moment see both connections and must keep the same one: that which the smaller
    /// key or, in plain sessions, the smaller peer ID dialled. A connection that has stood for a while stays: what is on its way over it is worth more, and peer
    /// IDs are no secret, so that anybody could close it otherwise. For that reason another address is another peer.
    func admits(_ session: PeerSession) -> Bool {
        guard let remote = session.connection.remotePeerID,
            let twin = sessions.values.first(where: {
                $0.connection.remotePeerID == remote
                    && (session.remoteKey != nil || $0.endpoint.address == session.endpoint.address)
            })
        else { return true }
        guard isKept(session, rather: twin, of: remote) else {
            if twin.candidate == nil, let candidate = session.candidate {
                twin.candidate = candidate
                directory.connected(candidate)
            }
            return false
        }
        session.candidate = session.candidate ?? twin.candidate
        twin.close(.duplicate)
        return true
    }

    private func isKept(_ session: PeerSession, rather twin: PeerSession, of remote: PeerID) -> Bool {
        let openedAt = twin.openedAt ?? core.now
        if let key = session.remoteKey {
            return DuplicateSessions.keepsNewer(
                .init(wasDialled: session.wasDialled, beganAt: core.now),
                than: .init(wasDialled: twin.wasDialled, beganAt: openedAt),
                between: core.identity.publicKey,
                and: key
            )
        }
        guard core.now - openedAt < TorrentSession.twinAge, session.wasDialled != twin.wasDialled else { return false }
        return session.wasDialled == (peerID.value < remote.value)
    }

    /// Both handshakes are done.
    func opened(_ session: PeerSession) {
        sessions[session.handle] = session
        if let candidate = session.candidate {
            directory.connected(candidate)
            session.recordKey = directory.claim(by: candidate)?.key
            session.isChosenForRecord = directory.reason(of: candidate)?.isRecord ?? false
        }
        peerConnected(session)
        switch phase {
        case .metadata: session.announce(Bitfield(count: 0))
        case .running, .paused: join(session)
        case .checking: session.pauseReading()
        case .stopped: session.close(.stopping)
        }
    }

    /// A session ended, opened or not.
    func closed(_ session: PeerSession, because cause: CloseCause) {
        let wasOpen = sessions.removeValue(forKey: session.handle) != nil
        if session.wasDialled, !wasOpen, cause.isNoSecureSession,
            session.plan.isSecure ? wouldNotSpeakSecurely(session) : hungUpOnPlain(session)
        {
            return
        }
        parted(from: session, wasOpen: wasOpen, cause)
        if cause.isBan {
            directory.ban(session.endpoint)
            if let key = session.remoteKey { bannedKeys.insert(true, for: key) }
        }
        if session.plan.isSecure, !wasOpen, cause.isRefusal { refused(session, because: cause) }
        if wasOpen {
            peerClosed(session, because: cause)
            metadataPeerLeft(session)
            swarm?.disconnected(session.handle, at: core.now, into: &swarmActions)
            performSwarm()
            if sessions.isEmpty, cause != .upgrading { lookAgainSoon() }
        }
        dial()
    }

    /// Tells the directory when to dial again.
    private func parted(from session: PeerSession, wasOpen: Bool, _ cause: CloseCause) {
        // Another connection to the same peer still stands for the entry.
        guard let candidate = session.candidate, !sessions.values.contains(where: { $0.candidate == candidate })
        else { return }
        switch cause {
        // It is dialled anew this moment.
        case .upgrading: break
        case .wire(.connectedToSelf), .secure(.connectedToSelf):
            directory.isSelf(candidate)
            core.evidence.forget(candidate)
        case .swarm(.bothComplete), .duplicate: directory.disconnected(candidate, .settled, at: core.now)
        case _ where !wasOpen: directory.failed(candidate, at: core.now)
        default:
            let isUseful = session.receivedPayload > 0 || session.sentPayload > 0
            directory.disconnected(candidate, isUseful ? .useful : .useless, at: core.now)
        }
    }
}
