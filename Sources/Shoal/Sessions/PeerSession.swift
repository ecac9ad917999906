import Cryptography
import EventLoop
import Metainfo
import PeerWire
import PortMapping
import Primitives
import SecurePeer
import Swarming

/// One TCP connection to a peer: carries bytes between the stream, the wire machine and the torrent, through a secure
/// channel where the two ends speak SPS/1 (PeerSession+Secure.swift).
///
///     dialling ── connected ──▶ handshaking ── both handshakes ──▶ open ──▶ closed
///     accepted ── first bytes ──────▲
///
/// Confined to the loop thread.
final class PeerSession {
    let handle: PeerHandle
    /// Where the other end is.
    let endpoint: Endpoint
    let source: PeerSource
    let wasDialled: Bool
    unowned let core: NodeCore
    let beganAt: Instant
    /// Known from the start where we dialled, else after the other end named its info-hash.
    weak var torrent: TorrentSession?

    private(set) var stream: TCPStream?
    var connection: Connection
    private(set) var isClosed = false
    /// When both handshakes were done.
    private(set) var openedAt: Instant?
    /// How it was dialled, or is spoken to: see PeerSession+Secure.swift.
    var channel: SecureChannel?
    let plan: DialPlan
    /// Accepted, and its first bytes have not told yet which protocol it speaks.
    var isUnknown: Bool
    /// The key that it has proved in this session.
    var remoteKey: Ed25519.PublicKey?
    /// What it may not do before it is clear that it does not speak SPS/1.
    var hold = UpgradeHold.none
    var held: [PeerEvent] = []
    private(set) lazy var holdAlarm = Alarm(core) { [unowned self] in release() }
    /// The entry of the torrent's directory that this connection stands for: where we dialled it, or where its twin was.
    var candidate: Endpoint?
    /// Whose record led us to it, or would have, and whether it was dialled for what that says.
    var recordKey: Ed25519.PublicKey?
    var isChosenForRecord = false

    // Receiving (PeerSession+Receiving.swift)
    let inbox = StreamBuffer()
    var payload: IncomingPayload?
    /// Reading stops while the torrent looks at what is on disk.
    var isReadingPaused = false
    var isWaitingToRead = false
    /// Where its DHT node listens is asked once: each answer makes us send a datagram (BEP 5).
    var hasNamedPort = false
    /// What it said before we knew what the torrent holds; nobody says such things twice.
    var early = EarlyWord()
    /// Payload bytes, for the events.
    var receivedPayload: Int64 = 0
    var sentPayload: Int64 = 0

    // Sending (PeerSession+Sending.swift)
    let outbox = SendQueue()
    var writer = ByteWriter()
    var uploads = UploadQueue()
    var isDirty = false
    var isWaitingToWrite = false
    /// We said that we have nothing before we knew what there is: what we have is told piece by piece.
    private(set) var hasAnnounced = false

    private lazy var alarm = Alarm(core) { [unowned self] in alarmRang() }

    /// A peer that takes longer than this to accept is worth less than the next one.
    private static let dialTimeout: Duration = .seconds(8)

    /// A connection that we open; `connect()` begins it.
    init(
        dialling endpoint: Endpoint,
        source: PeerSource,
        by plan: DialPlan,
        for torrent: TorrentSession,
        core: NodeCore
    ) {
        handle = core.nextPeerHandle()
        self.endpoint = endpoint
        self.source = source
        self.core = core
        beganAt = core.now
        self.torrent = torrent
        self.plan = plan
        wasDialled = true
        isUnknown = false
        candidate = endpoint
        connection = Connection(role: .dialled(torrent.infoHash), peerID: torrent.peerID, now: core.now)
    }

    /// A connection that somebody opened to us.
    init(accepted stream: TCPStream, from endpoint: Endpoint, as handle: PeerHandle, core: NodeCore) {
        self.handle = handle
        self.endpoint = endpoint
        source = .incoming
        self.core = core
        beganAt = core.now
        self.stream = stream
        plan = .plain
        wasDialled = false
        isUnknown = true
        connection = Connection(role: .accepted, peerID: nil, now: core.now)
        stream.handler = self
        armAlarm()
    }

    /// Begins to dial; `false` when the system would not.
    func connect() -> Bool {
        do throws(SocketError) {
            stream = try TCPStream.connect(
                loop: core.loop,
                to: endpoint,
                from: core.dialAddress(for: endpoint.address.family),
                timeout: PeerSession.dialTimeout,
                handler: self
            )
            return true
        } catch {
            return false
        }
    }

    // MARK: Opening

    /// The other end of a plain connection sent its handshake.
    func handshakeReceived(_ handshake: Handshake) {
        if !wasDialled {
            guard let torrent = core.torrents[handshake.infoHash], torrent.accepts(self) else {
                return close(.unknownTorrent)
            }
            // Before a byte is answered: who asks learns nothing but that somebody hangs up (N20).
            guard !torrent.security.refusesPlain else { return close(.plainRefused) }
            self.torrent = torrent
            core.greeted(self)
            sendHandshake()
            if handshake.peerID == torrent.peerID {
                // We dialled ourselves, and our other end learns it from the handshake.
                flush()
                return close(.wire(.connectedToSelf))
            }
        }
        open()
    }

    /// Both handshakes are done, of whichever protocol.
    func open() {
        guard let torrent else { return close(.unknownTorrent) }
        guard torrent.admits(self) else { return close(.duplicate) }
        openedAt = core.now
        holdUntilKnown()
        if connection.supportsExtensions { sendExtensionHandshake() }
        torrent.opened(self)
        // It speaks of the DHT of the family that it goes over (BEP 32).
        if connection.supportsDHT, torrent.usesDHT, core.serves(endpoint.address.family),
            let port = core.port(for: endpoint.address, .udp)
        {
            send { MessageWriter.port(port, to: &$0) }
        }
    }

    private func sendHandshake() {
        guard let torrent else { return }
        let handshake = Handshake(
            capabilities: torrent.capabilities,
            infoHash: torrent.infoHash,
            peerID: torrent.peerID
        )
        send { MessageWriter.handshake(handshake, to: &$0) }
    }

    /// Says what we speak, and again when there is metadata to say more of (BEP 10 allows as many as we like).
    func sendExtensionHandshake() {
        let handshake = ExtensionHandshake.shoal(
            metadataSize: torrent?.metadata?.count,
            listenPort: core.port(for: endpoint.address),
            secureKey: channel == nil ? torrent?.keyToName : nil,
            yourAddress: endpoint.address
        )
        send { MessageWriter.extensionHandshake(handshake, to: &$0) }
    }

    /// Tells what we have: as the first message in its shortest form (BEP 3, BEP 6), later piece by piece.
    func announce(_ have: Bitfield) {
        if hasAnnounced {
            for piece in have.indices { send { MessageWriter.have(piece, to: &$0) } }
        } else {
            send { MessageWriter.announce(have, supportsFast: connection.supportsFast, to: &$0) }
        }
        hasAnnounced = true
    }

    // MARK: Time

    func armAlarm() {
        guard !isClosed else { return }
        alarm.set(nextDeadline)
    }

    private var nextDeadline: Instant? {
        guard let channel else { return connection.nextDeadline }
        guard channel.isOpen, let deadline = connection.nextDeadline else { return channel.nextDeadline }
        return min(deadline, channel.nextDeadline ?? deadline)
    }

    private func alarmRang() {
        guard !isClosed else { return }
        do throws(SecureFault) {
            // With 20 peers and 10 KB/s a turn comes every half minute, and a record takes three.
            if isWaitingToRead { channel?.heldBack(at: core.now) }
            try channel?.advanced(to: core.now)
        } catch {
            return close(broken(error))
        }
        guard channel?.isOpen ?? true else { return armAlarm() }
        do throws(WireError) {
            if try connection.advanced(to: core.now) { send { MessageWriter.keepAlive(to: &$0) } }
            armAlarm()
        } catch {
            close(.wire(error))
        }
    }

    // MARK: Closing

    /// Ends the connection; the torrent hears of it once.
    func close(_ cause: CloseCause) {
        guard !isClosed else { return }
        sayFarewell(cause)
        isClosed = true
        alarm.set(nil)
        holdAlarm.set(nil)
        stream?.close()
        stream = nil
        if let payload {
            self.payload = nil
            torrent?.payloadAborted(payload, from: self)
        }
        torrent?.closed(self, because: cause)
        core.closed(self, because: cause)
    }
}

extension PeerSession: StreamHandler {
    func streamConnected(_ stream: TCPStream) {
        core.turn {
            // The handshake's time begins now, not when the dial did.
            connection = Connection(role: connection.role, peerID: torrent?.peerID, now: core.now)
            stream.wantsRead = true
            if plan.isSecure { beginSecurely() } else { sendHandshake() }
            armAlarm()
        }
    }

    func streamReadable(_ stream: TCPStream) { core.turn { receive() } }

    func streamWritable(_ stream: TCPStream) { core.turn { flush() } }

    func streamFailed(_ stream: TCPStream, error: SocketError) { core.turn { close(.unreachable) } }
}
