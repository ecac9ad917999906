package import Cryptography
import Primitives

/// What a record is, by the first byte of its text.
package enum RecordType: UInt8, Hashable, Sendable {
    /// A part of the stream of BitTorrent messages, which need not begin or end with it.
    case data = 0
    /// The end, with a reason.
    case close
    /// Nothing.
    case padding
}

/// The body of a record that is being sealed.
package typealias RecordBody = SealedText

/// A record that was opened.
package enum OpenedRecord: Hashable, Sendable {
    /// Where its body now stands in the buffer.
    case data(Range<Int>)
    /// The text is printable ASCII.
    case close(SecureCloseReason, String)
    case padding
}

/// The layout of records: the length of what is sealed (2), then sealed: type (1), body, and a tag (16).
enum Record {
    static let lengthByteCount = 2
    static let overheadByteCount = lengthByteCount + 1 + ChaCha20Poly1305.tagByteCount
    /// What may be sealed: at least a type, and no more than a length can say.
    static let sealedByteCounts = 1 + ChaCha20Poly1305.tagByteCount...Int(UInt16.max)
}

extension KeyRoom {
    /// Seals a whole record into exactly the room that it takes.
    mutating func sealRecord(
        _ type: RecordType,
        with slot: Slot,
        nonce: UInt64,
        into record: inout MutableRawSpan,
        _ gather: (inout RecordBody) -> Void
    ) throws(SecureFault) {
        let length = record.byteCount - Record.lengthByteCount
        record.storeBytes(of: UInt16(truncatingIfNeeded: length).bigEndian, toByteOffset: 0, as: UInt16.self)
        try seal(with: slot, nonce: nonce, into: &record, Record.lengthByteCount..<record.byteCount) {
            $0.append(type.rawValue)
            gather(&$0)
        }
    }

    /// Appends a close record.
    mutating func sealClose(
        _ reason: SecureCloseReason,
        _ text: String,
        with slot: Slot,
        nonce: UInt64,
        into output: inout ByteWriter
    ) throws(SecureFault) {
        let body = [reason.rawValue] + text.utf8
        var record = [UInt8](repeating: 0, count: body.count + Record.overheadByteCount)
        var span = record.mutableSpan
        var room = span.mutableBytes
        try sealRecord(.close, with: slot, nonce: nonce, into: &room) { $0.append(body.span.bytes) }
        output.append(record)
    }
}
