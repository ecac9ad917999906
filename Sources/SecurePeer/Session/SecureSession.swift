package import Primitives

/// A session of SPS/1 (secure-peer.md, §3): records in both directions, from the agreement to the end.
///
/// Records are numbered without saying so, and each is sealed under its number: what is changed, repeated, left out or
/// reordered fails, and the first failure is the end. Nothing is copied: sealing gathers from wherever the parts lie
/// right into the buffer that is sent, and opening happens in the buffer that was received into.
package struct SecureSession: ~Copyable {
    /// What we put into one record: three blocks with their headers. Larger ones are hardly faster, and later.
    package static let maximumBodyByteCount = 49_191
    /// What a record is longer than its body.
    package static let overheadByteCount = Record.overheadByteCount

    package let remote: RemotePeer
    /// Names this session and no other, to both sides (Noise, 11.2: channel binding).
    package let binding: UInt256

    private(set) var keys: KeyRoom
    private var sending: RecordCounter
    private var receiving: RecordCounter
    private let limits: SecureLimits
    private let openedAt: Instant
    /// When the first byte of a record was seen whose last is still missing.
    private var waitingSince: Instant?
    /// The first failure, which is the last.
    private var fault: SecureFault?
    /// How many bytes have to be there before `open` can go on.
    package private(set) var neededByteCount = Record.lengthByteCount

    init(
        with remote: RemotePeer,
        isInitiator: Bool,
        keys: consuming KeyRoom,
        binding: UInt256,
        limits: SecureLimits,
        now: Instant
    ) {
        self.remote = remote
        self.binding = binding
        self.keys = keys
        self.limits = limits
        openedAt = now
        sending = RecordCounter(isInitiator ? .initiator : .responder)
        receiving = RecordCounter(isInitiator ? .responder : .initiator)
    }

    /// Seals one record.
    ///
    /// - Parameters:
    ///   - record: where it goes; as long as the body and `overheadByteCount`. It is to be sent next.
    ///   - gather: appends the body, in as many parts as there are.
    package mutating func seal(
        _ type: RecordType = .data,
        into record: inout MutableRawSpan,
        _ gather: (inout RecordBody) -> Void
    ) throws(SecureFault) {
        let length = record.byteCount - Record.lengthByteCount
        // Before a number is taken: one that is taken and not sent leaves the other side out of step.
        guard Record.sealedByteCounts.contains(length) else { throw .recordLength(length) }
        let nonce = try sending.next(renewing: &keys, upTo: limits.recordCount)
        try keys.sealRecord(type, with: sending.slot, nonce: nonce, into: &record, gather)
    }

    /// Opens the next record in its place.
    ///
    /// - Parameter buffer: everything unread.
    /// - Returns: the record, and how many bytes it took; `nil` and none while bytes are missing.
    package mutating func open(
        _ buffer: inout MutableRawSpan,
        at now: Instant
    ) throws(SecureFault) -> (record: OpenedRecord?, consumed: Int) {
        if let fault { throw fault }
        do throws(SecureFault) {
            return try openNext(&buffer, at: now)
        } catch {
            fault = error
            throw error
        }
    }

    private mutating func openNext(
        _ buffer: inout MutableRawSpan,
        at now: Instant
    ) throws(SecureFault) -> (record: OpenedRecord?, consumed: Int) {
        if buffer.byteCount > 0, waitingSince == nil { waitingSince = now }
        neededByteCount = Record.lengthByteCount
        guard let length = buffer.bytes.bigEndian(UInt16.self, at: 0) else { return (nil, 0) }
        guard Record.sealedByteCounts.contains(Int(length)) else { throw .recordLength(Int(length)) }
        let end = Record.lengthByteCount + Int(length)
        guard buffer.byteCount >= end else {
            neededByteCount = end
            return (nil, 0)
        }
        // One more than is sent: the farewell.
        let nonce = try receiving.next(renewing: &keys, upTo: limits.recordCount + 1)
        try keys.open(with: receiving.slot, nonce: nonce, in: &buffer, Record.lengthByteCount..<end)
        waitingSince = nil
        return (try record(in: buffer.bytes, until: end), end)
    }

    private func record(in bytes: RawSpan, until end: Int) throws(SecureFault) -> OpenedRecord {
        let first = bytes.byte(at: Record.lengthByteCount) ?? .max
        guard let type = RecordType(rawValue: first) else { throw .recordType(first) }
        let body = Record.lengthByteCount + 1..<end - (Record.overheadByteCount - Record.lengthByteCount - 1)
        switch type {
        case .data: return .data(body)
        case .padding: return .padding
        case .close:
            guard let first = bytes.byte(at: body.lowerBound), !body.isEmpty,
                let reason = SecureCloseReason(rawValue: first), body.count - 1 <= limits.closeTextByteCount
            else { throw .malformedClose }
            let text = bytes.copy(body.dropFirst()) ?? []
            return .close(reason, SecureSession.printable(text))
        }
    }

    /// A stranger's words, for a terminal too.
    private static func printable(_ text: [UInt8]) -> String {
        String(decoding: text.map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    /// Appends the last record that we send.
    ///
    /// - Parameter text: for a person, at most 128 bytes; what is longer is cut off.
    package mutating func closing(
        _ reason: SecureCloseReason,
        _ text: String = "",
        into output: inout ByteWriter
    ) throws(SecureFault) {
        let nonce = try sending.next(renewing: &keys, upTo: .max)
        let text = String(decoding: text.utf8.prefix(limits.closeTextByteCount), as: UTF8.self)
        try keys.sealClose(reason, text, with: sending.slot, nonce: nonce, into: &output)
    }

    /// Says that we have not read for a while because of a limit of our own, which is no fault of the other side's: a
    /// record has its time afresh.
    package mutating func heldBack(at now: Instant) {
        if waitingSince != nil { waitingSince = now }
    }

    /// Checks the deadlines.
    package mutating func advanced(to now: Instant) throws(SecureFault) {
        if let fault { throw fault }
        guard now < openedAt + limits.sessionLifetime else { throw .expired }
        if let waitingSince, now >= waitingSince + limits.recordTimeout { throw .stalled }
    }

    /// When `advanced` has something to decide next.
    package var nextDeadline: Instant {
        let end = openedAt + limits.sessionLifetime
        guard let waitingSince else { return end }
        return min(end, waitingSince + limits.recordTimeout)
    }
}
