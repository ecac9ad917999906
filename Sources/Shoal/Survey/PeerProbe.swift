import EventLoop
import Metainfo
import PeerWire
import Primitives

/// One connection that only asks what a peer holds: both handshakes, what it announces, and its metadata if we lack it.
///
///     dialling ── connected ──▶ greeting ── handshake ──▶ listening ── settled or closed ──▶ ended
///
/// Confined to the loop thread.
final class PeerProbe {
    let endpoint: Endpoint
    let number: UInt32
    private unowned let survey: Survey
    private unowned let core: NodeCore
    private var stream: TCPStream?
    private var connection: Connection
    private let inbox = StreamBuffer()
    private let outbox = SendQueue()
    private var writer = ByteWriter()
    /// What it said that it has, once the shape of the torrent is known.
    private var have: Bitfield?
    private(set) var isOpen = false
    private(set) var hasSettled = false
    private(set) var isEnded = false
    private lazy var alarm = Alarm(core) { [unowned self] in settle() }

    /// A peer that takes longer than this to accept is silent.
    private static let dialTimeout: Duration = .seconds(3)
    /// How long haves may follow the first announcement: clients that hide pieces in it name them at once afterwards.
    private static let settleTime: Duration = .seconds(1)
    /// How long it may wait for somebody's metadata, without which what it announced cannot be counted.
    private static let patience: Duration = .seconds(4)

    init(_ endpoint: Endpoint, number: UInt32, of survey: Survey, core: NodeCore) {
        self.endpoint = endpoint
        self.number = number
        self.survey = survey
        self.core = core
        connection = Connection(role: .dialled(survey.infoHash), peerID: survey.peerID, now: core.now)
    }

    /// Begins to dial; `false` when the system would not.
    func dial() -> Bool {
        do throws(SocketError) {
            stream = try TCPStream.connect(
                loop: core.loop,
                to: endpoint,
                from: core.dialAddress(for: endpoint.address.family),
                timeout: PeerProbe.dialTimeout,
                handler: self
            )
            return true
        } catch {
            return false
        }
    }

    /// What is known of the peer at the end.
    func holder(total: Int?) -> DHTHolder {
        let state: DHTHolder.State = isOpen ? .answered : wasRefused ? .refused : .silent
        return DHTHolder(
            address: endpoint.description,
            state: state,
            client: isOpen ? connection.remoteClientName : nil,
            pieces: have?.setCount,
            total: total,
            isSeed: have?.isFull == true
        )
    }

    /// The metadata is here: what was announced can be counted.
    func learn(_ layout: PieceLayout) {
        guard isOpen, !isEnded, have == nil else { return }
        have = Bitfield(count: layout.pieceCount)
        do throws(WireError) {
            for event in try connection.layoutKnown(layout) { note(event) }
        } catch {
            end()
        }
    }

    func requestMetadata(_ piece: Int) {
        guard let id = connection.remoteExtensions.metadataID, id != 0 else { return }
        send { MessageWriter.metadata(.request(piece: piece), as: id, to: &$0) }
    }

    /// Hangs up; the survey hears of it once.
    func end() {
        guard !isEnded else { return }
        isEnded = true
        alarm.set(nil)
        stream?.close()
        stream = nil
        survey.ended(self)
    }

    // MARK: Talking

    private var wasRefused = false

    private func settle() {
        guard isOpen, !hasSettled, survey.layout == nil else { return end() }
        hasSettled = true
        alarm.set(core.now + PeerProbe.patience)
    }

    private func opened() {
        isOpen = true
        alarm.set(core.now + PeerProbe.settleTime)
        if connection.supportsFast { send { MessageWriter.haveNone(to: &$0) } }
        if connection.supportsExtensions {
            let handshake = ExtensionHandshake.shoal(
                metadataSize: nil,
                listenPort: core.port(for: endpoint.address),
                yourAddress: endpoint.address
            )
            send { MessageWriter.extensionHandshake(handshake, to: &$0) }
        }
        if let layout = survey.layout { learn(layout) }
    }

    private func note(_ event: PeerEvent) {
        switch event {
        case .handshake: opened()
        case .have(let piece): have?[piece] = true
        case .bitfield(let pieces): have = pieces
        case .haveAll: have = have.map { Bitfield(filled: $0.count) }
        case .haveNone: have = have.map { Bitfield(count: $0.count) }
        case .extensionHandshake:
            if let offer = connection.remoteExtensions.offeredMetadata { survey.offered(offer.size, by: self) }
        case .metadata(.data(let piece, let totalSize, let bytes)):
            survey.received(piece: piece, totalSize: totalSize, bytes, from: self)
        case .metadata(.reject(let piece)): survey.rejected(piece: piece, by: self)
        // A block that nobody asked for: whoever sends it means somebody else.
        case .block: end()
        default: break
        }
    }

    private func receive() {
        guard let stream, !isEnded else { return }
        inbox.reserve(connection.neededByteCount)
        switch stream.read(into: inbox.room(limit: .max)) {
        case .bytes(let count): inbox.arrived(count)
        case .wouldBlock: return
        case .closed, .failed:
            wasRefused = !isOpen
            return end()
        }
        do throws(WireError) {
            while !isEnded {
                let step = try connection.next(in: inbox.unread.bytes, at: core.now)
                inbox.consume(step.consumed)
                if let event = step.event { note(event) } else if step.consumed == 0 { break }
            }
        } catch {
            end()
        }
    }

    private func send(_ write: (inout ByteWriter) -> Void) {
        guard !isEnded else { return }
        writer.removeAll()
        write(&writer)
        outbox.append(writer.bytes)
        flush()
    }

    private func flush() {
        guard let stream, !stream.isConnecting else { return }
        while !outbox.isEmpty {
            guard case .bytes(let count) = outbox.withVectors(limit: .max, { stream.write($0) }) else { break }
            outbox.sent(count)
        }
        stream.wantsWrite = !outbox.isEmpty
    }
}

extension PeerProbe: StreamHandler {
    func streamConnected(_ stream: TCPStream) {
        core.turn {
            stream.wantsRead = true
            // Silence after this is an answer too; a client that waits for encryption never breaks it.
            alarm.set(core.now + connection.limits.answerTimeout)
            send { MessageWriter.handshake(Handshake(infoHash: survey.infoHash, peerID: survey.peerID), to: &$0) }
        }
    }

    func streamReadable(_ stream: TCPStream) { core.turn { receive() } }

    func streamWritable(_ stream: TCPStream) { core.turn { flush() } }

    func streamFailed(_ stream: TCPStream, error: SocketError) {
        core.turn {
            wasRefused = error == .refused
            end()
        }
    }
}
