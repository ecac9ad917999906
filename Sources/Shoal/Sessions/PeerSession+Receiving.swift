import EventLoop
import Metainfo
import PeerWire
import Primitives
import Storage
import Swarming

/// A block whose payload is on its way.
struct IncomingPayload {
    let block: Block
    /// Where it goes; `nil` when nobody waits for it any more and it is only taken off the stream.
    let buffer: PieceBuffer?
    var received = 0

    var left: Int { Int(block.length) - received }
}

/// Whether a peer unchoked us and wants something of us, as it said while we could do nothing with it.
struct EarlyWord {
    private(set) var isUnchoking = false
    private(set) var isInterested = false

    mutating func note(_ event: PeerEvent) {
        switch event {
        case .choke: isUnchoking = false
        case .unchoke: isUnchoking = true
        case .interested: isInterested = true
        case .notInterested: isInterested = false
        default: break
        }
    }

    /// The same as messages.
    var events: [PeerEvent] { (isUnchoking ? [.unchoke] : []) + (isInterested ? [.interested] : []) }
}

extension PeerSession {
    /// Read this many times before others get their turn: a quick peer must not starve the loop, or take all requests.
    private static let readsPerTurn = 16
    /// The same for records, of which one read brings as much as ten reads of blocks.
    private static let sealedReadsPerTurn = 2
    /// How much to read behind a payload: the next header and little else, because what is read there is copied.
    private static let headerAhead = 64
    /// How much to read while payload is owed: headers, and no payload that would have to be copied.
    private static let betweenPayloads = 256

    /// Reads what has arrived, payload straight into the piece's buffer; under a limit when its turn comes.
    func receive() {
        if core.rates.limitsReading { return core.rates.waitToRead(self) }
        for _ in 0..<(channel == nil ? PeerSession.readsPerTurn : PeerSession.sealedReadsPerTurn) {
            guard receiveOnce() > 0 else { return }
        }
    }

    /// One read. Returns how many bytes came.
    ///
    /// - Parameter limit: of a record's bytes at a time, which otherwise come ten blocks at once.
    func receiveOnce(limit: Int = .max) -> Int {
        guard !isClosed, !isReadingPaused else { return 0 }
        switch channel.map({ readSealed(over: $0, limit: limit) }) ?? read() {
        case .bytes(let count):
            if let channel { sealedArrived(count, over: channel) } else { arrived(count) }
            return count
        case .wouldBlock: break
        case .closed: close(hungUp(.remote))
        case .failed: close(hungUp(.lost))
        }
        return 0
    }

    /// Ends a connection to which nothing can be written any more, having read what arrived before: blocks, and perhaps
    /// why it ends.
    ///
    /// The other end is gone, so that is no more than the socket holds, and no limit has to spread it.
    func readOut() {
        while receiveOnce() > 0 {}
        close(hungUp(.lost))
    }

    /// One `readv`: the rest of the payload, then a little of what follows; or, between payloads, messages.
    private func read() -> ReadResult {
        guard let stream else { return .closed }
        guard let payload else {
            inbox.reserve(connection.neededByteCount)
            let isOwed = torrent?.isOwedBlocks(by: self) == true
            let limit = isOwed ? max(PeerSession.betweenPayloads, connection.neededByteCount) : Int.max
            return stream.read(into: inbox.room(limit: limit))
        }
        let ahead = inbox.room(limit: PeerSession.headerAhead)
        if let buffer = payload.buffer {
            // Safe: the swarm accepted the block, so it lies inside its piece, and the buffer holds the piece.
            let start = Int(payload.block.begin) + payload.received
            return stream.read(into: buffer.mutableBytes(start..<start + payload.left), and: ahead)
        }
        let sink = core.sink.mutableBytes(0..<payload.left)
        return sink.count < payload.left ? stream.read(into: sink) : stream.read(into: sink, and: ahead)
    }

    private func arrived(_ count: Int) {
        let taken = payload.map { min(count, $0.left) } ?? 0
        inbox.arrived(count - taken)
        if taken > 0 { payloadArrived(taken) }
        if isUnknown { learnProtocol() } else { parse() }
    }

    /// So much of the payload is in its place.
    func payloadArrived(_ count: Int) {
        guard var payload else { return }
        payload.received += count
        receivedPayload += Int64(count)
        connection.payloadReceived(count, at: core.now)
        torrent?.payloadArrived(count)
        guard payload.left == 0 else {
            self.payload = payload
            return
        }
        self.payload = nil
        if payload.buffer != nil { torrent?.blockReceived(payload.block, from: self) }
    }

    /// Handles every whole message in the inbox.
    func parse() {
        do throws(WireError) {
            while !isClosed, !isReadingPaused, payload == nil {
                let step = try connection.next(in: inbox.unread.bytes, at: core.now)
                inbox.consume(step.consumed)
                if let event = step.event {
                    handle(event)
                } else if step.consumed == 0 {
                    break
                }
            }
            armAlarm()
        } catch {
            close(.wire(error))
        }
    }

    func pauseReading() {
        isReadingPaused = true
        stream?.wantsRead = false
    }

    /// Goes on with messages that were left when reading paused.
    func resumeReading() {
        guard !isClosed, isReadingPaused else { return }
        isReadingPaused = false
        stream?.wantsRead = true
        parse()
        if let channel { openRecords(of: channel) }
    }

    private func beginPayload(of block: Block) {
        payload = IncomingPayload(block: block, buffer: torrent?.destination(of: block, from: self))
        // The first bytes may have come together with the header.
        let taken = min(inbox.count, Int(block.length))
        guard taken > 0, !isClosed else { return }
        let bytes = UnsafeRawBufferPointer(rebasing: inbox.unread[..<taken])
        payload?.buffer?.copy(bytes.bytes, to: Int(block.begin))
        inbox.consume(taken)
        payloadArrived(taken)
    }

    /// A peer's DHT node, which may become one of ours if it answers (BEP 5).
    private func portNamed(_ port: UInt16) {
        guard !hasNamedPort, torrent?.usesDHT == true else { return }
        hasNamedPort = true
        core.dht?.ping(Endpoint(endpoint.address, port))
    }

    private func handle(_ event: PeerEvent) {
        switch event {
        case .handshake(let handshake): handshakeReceived(handshake)
        case .block(let block): beginPayload(of: block)
        case .port(let port): portNamed(port)
        case .extensionHandshake: extensionsKnown()
        case .metadata(let message): torrent?.received(message, from: self)
        case .keepAlive, .held, .ignored: break
        case .unchoke, .choke, .allowedFast: if !isHeldBack(event) { torrent?.received(event, from: self) }
        case .request(let block) where hold == .leaving: torrent?.reject(block, to: self)
        default: torrent?.received(event, from: self)
        }
    }
}
