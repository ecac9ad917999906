package import Metainfo
package import Primitives

/// The wire protocol of one connection once TCP is up: parses and checks what arrives, and knows its deadlines.
///
///     handshake ──▶ messages ──▶ payload ──▶ messages   (`piece`: the driver moves the payload)
///                       └──▶ skipping ──▶ messages      (an unknown message, read over without being buffered)
///
/// It owns no buffer and no socket. The driver shows it the unread bytes, drops what it says was consumed, and asks again until the event is `nil`. After
/// an error nothing more can be read: the driver closes the connection.
package struct Connection: ~Copyable {
    package enum Role: Hashable, Sendable {
        case dialled(InfoHash)
        /// The info-hash comes with the other side's handshake.
        case accepted
    }

    enum Phase {
        case handshake
        case messages
        case payload(left: Int)
        case skipping(id: UInt8, left: Int)
    }

    /// The next event, or `nil` when more bytes are needed, and how many bytes to drop in either case.
    package typealias Step = (event: PeerEvent?, consumed: Int)

    package let role: Role
    package let limits: WireLimits
    /// The other side's handshake, once it is there.
    package private(set) var remote: Handshake?
    /// What the other side's extension handshakes add up to (BEP 10).
    package internal(set) var remoteExtensions = ExtensionHandshake()
    /// How many bytes have to be in the buffer for the next event: what the driver lets its buffer grow to (hardening B1).
    package internal(set) var neededByteCount = Handshake.byteCount

    let ownID: PeerID?
    var phase = Phase.handshake
    var layout: PieceLayout?
    var held = HeldAnnouncements()
    /// Whether a message that settles which pieces the other side begins with has passed.
    var hasAnnounced = false

    let openedAt: Instant
    var hasGreeted = false
    var receivedAt: Instant
    var sentAt: Instant

    /// - Parameter peerID: ours; `nil` where it depends on the torrent that the other side names, and the driver compares.
    package init(role: Role, peerID: PeerID?, limits: WireLimits = .init(), now: Instant) {
        self.role = role
        self.limits = limits
        ownID = peerID
        openedAt = now
        receivedAt = now
        sentAt = now
    }

    /// A connection over a secure session, whose handshake said what the one of BEP 3 says: messages follow at once
    /// (secure-peer.md, §3).
    ///
    /// - Parameter client: what the other side calls itself; made safe to print.
    package init(
        established remote: Handshake,
        client: String?,
        role: Role,
        limits: WireLimits = .init(),
        now: Instant
    ) {
        self.init(role: role, peerID: nil, limits: limits, now: now)
        remoteExtensions.client = client.flatMap { PrintableText.from(Array($0.utf8)) }
        self.remote = remote
        phase = .messages
        neededByteCount = Connection.prefixByteCount
    }

    /// Looks at the unread bytes and returns the next event, or `nil` when more bytes are needed; the driver drops `consumed` bytes in either case.
    ///
    /// Of a `.block` only the header is consumed: `block.length` bytes of payload follow, which the driver moves and reports to `payloadReceived`.
    package mutating func next(in bytes: RawSpan, at now: Instant) throws(WireError) -> Step {
        let step: Step
        switch phase {
        case .messages: step = try nextMessage(in: bytes)
        case .payload: return (nil, 0)
        case .skipping(let id, let left): step = skip(id: id, left: left, in: bytes)
        case .handshake: step = try nextHandshake(in: bytes)
        }
        if step.event != nil { receivedAt = now }
        return step
    }

    /// Says that the driver took this many bytes of the payload that follows a `.block`.
    package mutating func payloadReceived(_ byteCount: Int, at now: Instant) {
        guard case .payload(let left) = phase, byteCount > 0 else { return }
        phase = byteCount < left ? .payload(left: left - byteCount) : .messages
        receivedAt = now
    }

    /// Tells the shape of the torrent: at once where it is known, or when the metadata is there. Returns what was held until now.
    package mutating func layoutKnown(_ layout: PieceLayout) throws(WireError) -> [PeerEvent] {
        guard self.layout == nil else { return [] }
        self.layout = layout
        defer { held = HeldAnnouncements() }
        return try held.events(for: layout)
    }

    /// Payload bytes of the current `.block` that have not been reported yet.
    package var payloadByteCount: Int {
        if case .payload(let left) = phase { left } else { 0 }
    }

    package var remotePeerID: PeerID? { remote?.peerID }
    package var supportsFast: Bool { supports(.fast) }
    package var supportsExtensions: Bool { supports(.extensions) }
    package var supportsDHT: Bool { supports(.dht) }

    /// What the other side calls itself: the `v` of BEP 10, else what its peer id says (BEP 20). Safe to print.
    package var remoteClientName: String { remoteExtensions.client ?? remote?.peerID.clientName ?? "unknown" }

    private func supports(_ capability: Capabilities) -> Bool { remote?.capabilities.contains(capability) ?? false }

    private mutating func nextHandshake(in bytes: RawSpan) throws(WireError) -> Step {
        guard let handshake = try Handshake(bytes) else {
            hasGreeted = bytes.byteCount >= greetingByteCount
            return (nil, 0)
        }
        if case .dialled(let infoHash) = role, handshake.infoHash != infoHash { throw .wrongInfoHash }
        guard handshake.peerID != ownID else { throw .connectedToSelf }
        remote = handshake
        phase = .messages
        neededByteCount = Connection.prefixByteCount
        return (.handshake(handshake), Handshake.byteCount)
    }

    /// How many bytes count as an answer: who dialled us must name the protocol, whom we dialled must say anything.
    private var greetingByteCount: Int { role == .accepted ? Handshake.greeting.count : 1 }
}
