import Cryptography
import EventLoop
import Glibc
import Primitives
import SecurePeer

/// What lies between a socket and the messages of a secure session: the handshake, then the records of both directions
/// (secure-peer.md, §3).
///
///     handshaking ── both keys are proved, and we agree ──▶ open ── close record, fault ──▶ closed
///
/// It carries bytes and decides nothing. Confined to the loop thread.
final class SecureChannel {
    private var handshake: SecureHandshake?
    private var session: SecureSession?
    /// Records as they came; each is opened in its place.
    let received = StreamBuffer(capacity: SecureChannel.receivedCapacity)
    /// Records, or messages of the handshake, that were sealed and have not left yet.
    let sealed = StreamBuffer(capacity: SecureChannel.sealedCapacity)
    private var writer = ByteWriter()

    /// Two of the longest records, and what comes of a third: one `readv` brings more than one record at full speed.
    private static let receivedCapacity = 160 << 10
    /// What one write takes: more would lie sealed while something more urgent waits behind it.
    private static let sealedAhead = 2
    private static let recordCapacity = SecureSession.maximumBodyByteCount + SecureSession.overheadByteCount
    private static let sealedCapacity = sealedAhead * recordCapacity

    /// The dialling end: its first message is sealed at once.
    init(initiating handshake: consuming SecureHandshake) throws(SecureFault) {
        self.handshake = consume handshake
        defer { takeOutput() }
        try self.handshake?.start(into: &writer)
    }

    /// The accepting end, with the bytes that told which protocol it is.
    init(responding handshake: consuming SecureHandshake, to first: UnsafeRawBufferPointer) {
        self.handshake = consume handshake
        received.append(first)
    }

    /// Both ends have proved their keys, and we agreed.
    var isOpen: Bool { session != nil }

    var nextDeadline: Instant? {
        if let deadline = handshake?.nextDeadline { return deadline }
        return session?.nextDeadline
    }

    /// How many bytes have to be in `received` before anything comes of them.
    var neededByteCount: Int { handshake?.neededByteCount ?? session?.neededByteCount ?? 0 }

    func advanced(to now: Instant) throws(SecureFault) {
        try handshake?.advanced(to: now)
        try session?.advanced(to: now)
    }

    /// Nothing was read of late because of a limit of ours.
    func heldBack(at now: Instant) { session?.heldBack(at: now) }

    // MARK: Handshake

    /// Goes on with the handshake as far as bytes are there. Returns the other end once it has proved its key.
    func meet(at now: Instant, unixSeconds: Int64) throws(SecureFault) -> RemotePeer? {
        // Also what goes with a fault: the status that says what was wrong.
        defer { takeOutput() }
        while handshake != nil {
            let step = try handshake?.next(
                in: received.unread.bytes,
                at: now,
                unixSeconds: unixSeconds,
                into: &writer
            )
            guard let step else { return nil }
            received.consume(step.consumed)
            if let peer = step.event { return peer }
            if step.consumed == 0 { return nil }
        }
        return nil
    }

    /// We want to talk to this peer: from now on there are records.
    func agree(at now: Instant) throws(SecureFault) {
        guard let handshake = handshake.take() else { return }
        defer { takeOutput() }
        session = try handshake.agree(into: &writer, at: now)
    }

    private func takeOutput() {
        writer.bytes.withUnsafeBytes { sealed.append($0) }
        writer.removeAll()
    }

    // MARK: Records

    /// Opens the next record in its place, and lends what is in it; `false` when no whole one is there.
    ///
    /// The body may do everything but read from this channel.
    func openNext(at now: Instant, _ body: (SecureContent) throws(SecureFault) -> Void) throws(SecureFault) -> Bool {
        guard session != nil, received.count > 0 else { return false }
        let unread = received.mutableUnread
        var bytes = unread.mutableBytes
        guard let step = try session?.open(&bytes, at: now), let record = step.record else { return false }
        switch record {
        case .data(let range): try body(.data(UnsafeRawBufferPointer(rebasing: unread[range])))
        case .close(let reason, let text): try body(.close(reason, text))
        case .padding: break
        }
        received.consume(step.consumed)
        return true
    }

    /// Seals what waits in the queue, as far as one write may take it.
    ///
    /// - Parameter limit: in bytes; a connection with little to spend shall not seal what it cannot send.
    func seal(from queue: SendQueue, limit: Int, at now: Instant) throws(SecureFault) {
        while session != nil, !queue.isEmpty, sealed.count < min(limit, SecureChannel.sealedCapacity) {
            let room = min(limit, SecureChannel.sealedCapacity) - sealed.count - SecureSession.overheadByteCount
            guard room >= min(queue.byteCount, SecureSession.maximumBodyByteCount) || sealed.count == 0 else { return }
            try sealNext(from: queue, bodyByteCount: min(max(room, 1), SecureSession.maximumBodyByteCount))
        }
    }

    private func sealNext(from queue: SendQueue, bodyByteCount limit: Int) throws(SecureFault) {
        sealed.reserve(sealed.count + limit + SecureSession.overheadByteCount)
        let result = queue.withVectors(limit: limit) { vectors in
            Result { () throws(SecureFault) in try seal(vectors) }
        }
        queue.sent(try result.get())
    }

    /// One record of all this. Returns how many bytes that is.
    private func seal(_ vectors: UnsafeBufferPointer<iovec>) throws(SecureFault) -> Int {
        let count = vectors.reduce(0) { $0 + $1.iov_len }
        let room = sealed.room(limit: count + SecureSession.overheadByteCount)
        var record = room.mutableBytes
        try session?.seal(into: &record) { body in
            for vector in vectors {
                body.append(UnsafeRawBufferPointer(start: vector.iov_base, count: vector.iov_len).bytes)
            }
        }
        sealed.arrived(room.count)
        return count
    }

    /// Seals the last record: why we leave.
    func sealClosing(_ reason: SecureCloseReason) {
        try? session?.closing(reason, into: &writer)
        takeOutput()
    }
}

/// What was in a record.
enum SecureContent {
    /// Messages of the BitTorrent protocol, as they were sent. The pointer is valid during the call.
    case data(UnsafeRawBufferPointer)
    /// The other end leaves, and says why.
    case close(SecureCloseReason, String)
}
