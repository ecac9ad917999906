import Availability
import Cryptography
import PeerWire
import Primitives
import SecurePeer
import Swarming

/// Whom a torrent talks to, and how: the policy, the trusted list, the key of a private swarm (secure-peer.md, §3).
struct SessionSecurity {
    var policy = SecurePolicy.prefer
    /// The only keys that are talked to; `nil` for all.
    var trusted: Set<Ed25519.PublicKey>?
    /// What all members of a private swarm share; `nil` for an open one.
    var swarmKey: SwarmKey?

    /// Only a secure session can say who is in a list, or has the key of a swarm.
    var requiresSecure: Bool { trusted != nil || swarmKey != nil }

    var refusesPlain: Bool { policy == .require || requiresSecure }

    var speaksSecurely: Bool { policy != .off || requiresSecure }

    var mode: SessionMode { swarmKey.map { .privateSwarm($0) } ?? .open }

    /// - Throws: `ShoalError` with `.usage` for a key that cannot be read, `.files` for a file of a swarm's key that cannot.
    init(_ rules: SessionRules) throws(ShoalError) {
        policy = SecurePolicy(rawValue: rules.secure.rawValue) ?? .prefer
        trusted = try rules.trustedKeys.map { (texts) throws(ShoalError) in try SessionSecurity.keys(texts) }
        guard let path = rules.swarmKeyFile else { return }
        swarmKey = SwarmKey(try SwarmKeyFile.read(path))
        // A private swarm without its key would be an open one.
        guard swarmKey != nil else { throw ShoalError(.failed, "no memory is left for secrets") }
    }

    /// Public keys, from their text form.
    static func keys(_ texts: [String]) throws(ShoalError) -> Set<Ed25519.PublicKey> {
        var keys: Set<Ed25519.PublicKey> = []
        for text in texts {
            do throws(KeyTextFault) {
                keys.insert(try Ed25519.PublicKey(text: text))
            } catch {
                throw ShoalError(.usage, "'\(text)' \(error)")
            }
        }
        return keys
    }

    /// What records say of how we can be talked to.
    var recordFlags: RecordContent.Flags {
        var flags: RecordContent.Flags = []
        if speaksSecurely { flags.insert(.secure) }
        if !refusesPlain { flags.insert(.plain) }
        return flags
    }

    func trusts(_ key: Ed25519.PublicKey) -> Bool { trusted?.contains(key) ?? true }
}

extension DialPlan {
    var isSecure: Bool { self != .plain }

    /// The key that has to come back.
    var expectedKey: Ed25519.PublicKey? {
        if case .secure(let expected, _) = self { expected } else { nil }
    }

    var mayFallBack: Bool {
        if case .secure(_, true) = self { true } else { false }
    }
}

extension SecureFault {
    /// What a peer that speaks SPS/1 does not do: keep silent, hang up, or answer in another protocol.
    var isSilenceOrAnotherProtocol: Bool {
        switch self {
        case .handshakeTimedOut, .notSecure, .status: true
        default: false
        }
    }
}

// MARK: - The node's side

extension NodeCore {
    /// What holds for one torrent more.
    ///
    /// - Parameter rules: its own; `nil` for those of the node.
    /// - Throws: `ShoalError` with `.usage` for one private swarm too many: a hello is tried with the key of each.
    func security(by rules: SessionRules?) throws(ShoalError) -> SessionSecurity {
        let security = try rules.map { (rules) throws(ShoalError) in try SessionSecurity(rules) } ?? security
        guard let key = security.swarmKey else { return security }
        let limit = SecureLimits().swarmKeyCount
        guard Set(torrents.values.compactMap(\.security.swarmKey) + [key]).count <= limit else {
            throw ShoalError(.usage, "a node takes part in \(limit) private swarms at most")
        }
        return security
    }

    /// Whether there is no torrent for which a plain connection is taken: then nobody waits for its info-hash.
    var refusesPlain: Bool { !torrents.isEmpty && torrents.values.allSatisfy(\.security.refusesPlain) }

    var unixSeconds: Int64 { wallClock.unixMilliseconds(at: now) / 1000 }

    /// How long evidence may be lost by a crash.
    private static let evidenceInterval: Duration = .seconds(60)

    /// Somebody speaks SPS/1.
    func learned(_ key: Ed25519.PublicKey, at endpoint: Endpoint, by source: EvidenceBook.Source) {
        evidence.learned(key, at: endpoint, by: source, at: now)
        if !evidenceAlarm.isSet, !isStopping { evidenceAlarm.set(now + NodeCore.evidenceInterval) }
    }

    func saveEvidence() {
        evidenceAlarm.set(nil)
        state?.save(evidence, wallClock, at: now, on: disk)
    }

    /// What we say of ourselves; the torrent's peers are told more by messages.
    private func greeting(_ capabilities: Capabilities, to peer: IPAddress) -> Greeting {
        Greeting(capabilities: capabilities.rawValue, client: Node.clientName, listenPort: port(for: peer))
    }

    /// The key of sessions, certified by ours, and another one each day; `nil` where no memory is left for secrets.
    private func currentIdentity() -> SessionIdentity? {
        if let sessionIdentity, sessionIdentity.isCurrent(at: unixSeconds) { return sessionIdentity }
        sessionIdentity = SessionIdentity(identity, at: unixSeconds)
        return sessionIdentity
    }

    func initiatingHandshake(for torrent: TorrentSession, to peer: IPAddress) -> SecureHandshake? {
        guard let identity = currentIdentity() else { return nil }
        return SecureHandshake(
            initiating: torrent.swarmTag,
            as: identity,
            mode: torrent.security.mode,
            greeting: greeting(torrent.capabilities, to: peer),
            now: now
        )
    }

    /// - Parameter accepted: when the connection was.
    func respondingHandshake(to peer: IPAddress, since accepted: Instant) -> SecureHandshake? {
        let securities = torrents.values.map(\.security).filter(\.speaksSecurely)
        guard !securities.isEmpty, let identity = currentIdentity() else { return nil }
        return SecureHandshake(
            respondingAs: identity,
            swarmKeys: Array(Set(securities.compactMap(\.swarmKey))),
            acceptsOpen: securities.contains { $0.swarmKey == nil },
            isBusy: !hasRoom,
            greeting: greeting(.shoal, to: peer),
            now: accepted
        )
    }

    /// The torrent that an initiator names; tags of another mode, or of another swarm's key, name nothing.
    func torrent(tagged tag: SwarmTag?, in mode: SessionMode) -> TorrentSession? {
        torrents.values.first { $0.swarmTag == tag && $0.security.mode == mode && $0.security.speaksSecurely }
    }
}

// MARK: - The torrent's side

extension TorrentSession {
    /// The key to name in a plain connection, whose other end may then dial anew; `nil` where plain is what is wanted.
    var keyToName: Ed25519.PublicKey? { security.policy == .prefer ? core.identity.publicKey : nil }

    /// How to dial a candidate.
    func dialPlan(for endpoint: Endpoint) -> DialPlan {
        core.evidence.dialPlan(
            for: endpoint,
            policy: security.policy,
            requiresSecure: security.requiresSecure,
            at: core.now
        )
    }

    /// Why a key that was proved is not talked to.
    func refusal(of key: Ed25519.PublicKey, expecting expected: Ed25519.PublicKey?) -> CloseCause? {
        if let expected, key != expected { return .peerIdentityMismatch(proved: key, expected: expected) }
        return security.trusts(key) ? nil : .notTrusted
    }

    /// A peer on a plain connection that we dialled names its key: it is dialled anew, at once, and must prove it.
    func upgrade(_ session: PeerSession, to key: Ed25519.PublicKey) {
        core.learned(key, at: session.endpoint, by: .announcement)
        let (endpoint, source) = (session.endpoint, session.source)
        session.close(.upgrading)
        let plan = core.evidence.dialPlan(for: endpoint, policy: security.policy, pin: key, at: core.now)
        if !core.dial(endpoint, source: source, by: plan, for: self) { directory.failed(endpoint, at: core.now) }
    }

    /// With so many peers nobody is dialled on a guess: most who hang up are plain clients without room, and would be silent
    /// for four seconds.
    private static let enoughToGuess = 8

    /// A peer hung up on a plain connection before it said anything: it may be one that wants a secure session and nothing
    /// else, of which nobody has told us. Returns whether it is dialled so now, once.
    func hungUpOnPlain(_ session: PeerSession) -> Bool {
        guard security.policy == .prefer, sessions.count < TorrentSession.enoughToGuess,
            !triedSecurely.contains(session.endpoint)
        else { return false }
        triedSecurely.insert(true, for: session.endpoint)
        let plan = DialPlan.secure(expecting: nil, mayFallBack: false)
        return core.dial(session.endpoint, source: session.source, by: plan, for: self)
    }

    /// A peer was reached and would not speak SPS/1. Returns whether it is dialled plain now, because nothing but hearsay
    /// made us try.
    func wouldNotSpeakSecurely(_ session: PeerSession) -> Bool {
        core.evidence.failed(at: session.endpoint, at: core.now)
        return session.plan.mayFallBack && core.dial(session.endpoint, source: session.source, by: .plain, for: self)
    }

    /// The trusted list is another one now: who is no longer in it has to go.
    func trust(_ keys: Set<Ed25519.PublicKey>?) {
        security.trusted = keys
        for session in Array(sessions.values) {
            guard let key = session.remoteKey else {
                if security.refusesPlain { session.close(.plainRefused) }
                continue
            }
            if !security.trusts(key) { session.close(.notTrusted) }
        }
    }
}
