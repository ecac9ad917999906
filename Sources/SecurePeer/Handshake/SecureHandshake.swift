package import Cryptography
package import Primitives

/// The handshake of SPS/1 (secure-peer.md, §3), from the first byte to the session, on either side.
///
///     initiator:   idle ── start ──▶ answer ── message 2 ──▶ met ── agree: message 3 ──▶ session
///     responder:   hello ── message 1: message 2 ──▶ proof ── message 3 ──▶ met ── agree ──▶ session
///
/// Every fault ends it. What is in the output then (a status, a close record) is to be sent before the connection is
/// closed.
package struct SecureHandshake: ~Copyable {
    enum Stage: Hashable { case idle, hello, answer, proof, met }

    var stage: Stage
    let identity: SessionIdentity
    let greeting: Greeting
    let limits: SecureLimits
    var mode: SessionMode
    /// What an initiator wants.
    let swarm: SwarmTag?
    /// What a responder accepts.
    let welcome: Welcome
    var noise: HandshakeState?
    let ephemeralKey: X25519.PrivateKey?
    private var remote: RemotePeer?
    let openedAt: Instant
    /// Whether the other side has said anything that only one who speaks SPS/1 says.
    var hasSpoken = false
    /// The first fault, which is the last.
    private var fault: SecureFault?
    /// How many bytes have to be there before `next` can go on.
    package internal(set) var neededByteCount = 1

    /// Whom a responder lets in.
    struct Welcome {
        var swarmKeys: [SwarmKey] = []
        var acceptsOpen = false
        var isBusy = false
    }

    /// A handshake that we begin; `start` writes its first message.
    ///
    /// - Parameters:
    ///   - swarm: the torrent that we want.
    ///   - mode: whether it is a private one.
    ///   - greeting: what we say about ourselves, with the port where we listen.
    ///   - now: when the connection was made.
    ///   - ephemeralKey: a new one, except in tests.
    /// - Returns: `nil` without a port, which a responder has to be told.
    package init?(
        initiating swarm: SwarmTag,
        as identity: SessionIdentity,
        mode: SessionMode,
        greeting: Greeting,
        limits: SecureLimits = SecureLimits(),
        now: Instant,
        ephemeralKey: X25519.PrivateKey? = nil
    ) {
        guard let port = greeting.listenPort, port > 0 else { return nil }
        stage = .idle
        self.identity = identity
        self.greeting = greeting
        self.limits = limits
        self.mode = mode
        self.swarm = swarm
        welcome = Welcome()
        self.ephemeralKey = ephemeralKey
        openedAt = now
    }

    /// A handshake that another node begins.
    ///
    /// - Parameters:
    ///   - swarmKeys: of our private swarms, of which the first 16 are tried.
    ///   - acceptsOpen: whether there is anything that everybody with a certificate may have.
    ///   - isBusy: whether we have no room for one more; it is told so.
    ///   - greeting: what we say about ourselves; the port is not said.
    ///   - now: when the connection was accepted.
    ///   - ephemeralKey: a new one, except in tests.
    package init(
        respondingAs identity: SessionIdentity,
        swarmKeys: [SwarmKey],
        acceptsOpen: Bool,
        isBusy: Bool = false,
        greeting: Greeting,
        limits: SecureLimits = SecureLimits(),
        now: Instant,
        ephemeralKey: X25519.PrivateKey? = nil
    ) {
        stage = .hello
        self.identity = identity
        self.greeting = greeting
        self.limits = limits
        mode = .open
        swarm = nil
        welcome = Welcome(swarmKeys: swarmKeys, acceptsOpen: acceptsOpen, isBusy: isBusy)
        self.ephemeralKey = ephemeralKey
        openedAt = now
        neededByteCount = Hello.headerByteCount
    }

    /// Reads what has arrived.
    ///
    /// - Parameters:
    ///   - bytes: everything unread.
    ///   - unixSeconds: what the calendar says; certificates go by it.
    ///   - output: gets what is to be sent now, also where a fault is thrown.
    /// - Returns: whom we met, once, and how many bytes were read. After that `agree` makes the session, to which all
    ///   further bytes belong.
    package mutating func next(
        in bytes: RawSpan,
        at now: Instant,
        unixSeconds: Int64,
        into output: inout ByteWriter
    ) throws(SecureFault) -> (event: RemotePeer?, consumed: Int) {
        if let fault { throw fault }
        do throws(SecureFault) {
            return try nextStep(in: bytes, unixSeconds: unixSeconds, into: &output)
        } catch {
            fault = error
            throw error
        }
    }

    private mutating func nextStep(
        in bytes: RawSpan,
        unixSeconds: Int64,
        into output: inout ByteWriter
    ) throws(SecureFault) -> (event: RemotePeer?, consumed: Int) {
        switch stage {
        case .idle, .met: return (nil, 0)
        case .hello: return (nil, try readHello(bytes, into: &output))
        case .answer:
            guard let (message, consumed) = try answer(in: bytes) else { return (nil, 0) }
            return (try meet(message, unixSeconds), consumed)
        case .proof:
            guard let message = try message(in: bytes, at: 0) else { return (nil, 0) }
            let peer = try meetInitiator(message, unixSeconds, into: &output)
            return (peer, 2 + message.byteCount)
        }
    }

    /// Agrees to talk with whom we met: an initiator proves who it is with message 3, which it never does without this.
    ///
    /// - Parameter output: gets what is to be sent before anything of the session.
    package consuming func agree(
        into output: inout ByteWriter,
        at now: Instant
    ) throws(SecureFault) -> SecureSession {
        if let fault { throw fault }
        guard let remote, var noise = noise.take() else { throw .notSecure }
        let isInitiator = swarm != nil
        if isInitiator {
            var message = ByteWriter(capacity: 512)
            try noise.write(payload.bytes.span.bytes, into: &message)
            output.bigEndian(UInt16(truncatingIfNeeded: message.count))
            output.append(message.bytes)
        }
        let binding = noise.binding
        return SecureSession(
            with: remote,
            isInitiator: isInitiator,
            keys: noise.split(),
            binding: binding,
            limits: limits,
            now: now
        )
    }

    /// Checks the deadlines.
    package mutating func advanced(to now: Instant) throws(SecureFault) {
        guard now < nextDeadline else { throw .handshakeTimedOut }
    }

    /// When `advanced` gives up.
    package var nextDeadline: Instant {
        guard !hasSpoken else { return openedAt + limits.handshakeTimeout }
        return openedAt + (swarm == nil ? limits.magicTimeout : limits.answerTimeout)
    }

    // MARK: What both sides do

    var payload: Payload {
        Payload(certificate: identity.certificate.bytes, greeting: greeting, swarm: swarm)
    }

    /// Reads message 2 or 3 at `offset`, behind its length; `nil` while bytes are missing.
    ///
    /// A length outside the limits is refused before anything is made ready for so many bytes.
    @_lifetime(copy bytes)
    mutating func message(in bytes: RawSpan, at offset: Int) throws(SecureFault) -> RawSpan? {
        guard let length = bytes.bigEndian(UInt16.self, at: offset) else {
            neededByteCount = offset + 2
            return nil
        }
        guard limits.messageByteCounts.contains(Int(length)) else { throw .messageLength(Int(length)) }
        neededByteCount = offset + 2 + Int(length)
        guard bytes.byteCount >= neededByteCount else { return nil }
        return bytes.extracting(offset + 2..<neededByteCount)
    }

    /// Reads a message with the other side's payload, and checks who that is.
    mutating func meet(_ message: RawSpan, _ unixSeconds: Int64) throws(SecureFault) -> RemotePeer {
        let text = try read(message)
        return try meet(text: text, unixSeconds)
    }

    mutating func read(_ message: RawSpan) throws(SecureFault) -> [UInt8] {
        guard let text = try noise?.read(message) else { throw .notSecure }
        return text
    }

    mutating func meet(text: [UInt8], _ unixSeconds: Int64) throws(SecureFault) -> RemotePeer {
        guard let staticKey = noise?.remoteStaticKey else { throw .notSecure }
        let payload: Payload
        do throws(PayloadFault) {
            payload = try Payload(text.span.bytes, isInitiator: swarm == nil, limits: limits)
        } catch {
            throw .malformedPayload(error)
        }
        let certificate: Certificate
        do throws(CertificateFault) {
            certificate = try Certificate(payload.certificate.span.bytes, for: staticKey, at: unixSeconds)
        } catch {
            throw .certificate(error)
        }
        guard certificate.key != identity.key else { throw .connectedToSelf }
        let peer = RemotePeer(key: certificate.key, mode: mode, greeting: payload.greeting, swarm: payload.swarm)
        remote = peer
        stage = .met
        return peer
    }
}
