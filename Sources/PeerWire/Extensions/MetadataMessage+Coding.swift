import Bencode
import Primitives

extension MetadataMessage {
    private enum Kind: Int64 {
        case request = 0
        case data = 1
        case reject = 2
    }

    /// Reads the message; `nil` for a kind that BEP 9 does not know and wants ignored.
    ///
    /// The length of a data message's payload follows from its piece and total size (hardening N44); anything else is an error.
    package static func read(_ bytes: RawSpan, limits: WireLimits = .init()) throws(WireError) -> MetadataMessage? {
        var reader = BencodeReader(bytes, limits: .extensionMessage)
        var (type, piece, size): (Int64?, Int64?, Int64?) = (nil, nil, nil)
        do throws(BencodeError) {
            try reader.beginDictionary()
            while let key = try reader.nextKey() {
                if reader.matches(key, "msg_type") {
                    type = try reader.integer()
                } else if reader.matches(key, "piece") {
                    piece = try reader.integer()
                } else if reader.matches(key, "total_size") {
                    size = try reader.integer()
                } else {
                    try reader.skipValue()
                }
            }
        } catch {
            throw .malformedExtension
        }
        guard let type else { throw .malformedExtension }
        guard let kind = Kind(rawValue: type) else { return nil }
        guard let piece, piece >= 0, piece <= Int32.max else { throw .malformedExtension }
        switch kind {
        case .request: return .request(piece: Int(piece))
        case .reject: return .reject(piece: Int(piece))
        case .data:
            guard let size else { throw .malformedExtension }
            guard size > 0, size <= limits.metadataLength else { throw .metadataSize(Int(size)) }
            let payload = reader.copy(reader.rest)
            guard range(ofPiece: Int(piece), size: Int(size))?.count == payload.count else { throw .malformedExtension }
            return .data(piece: Int(piece), totalSize: Int(size), bytes: payload)
        }
    }

    /// The dictionary, and behind it the payload of a data message.
    func encoded() -> [UInt8] {
        var writer = BencodeWriter(capacity: 64)
        let payload: [UInt8]
        writer.beginDictionary()
        writer.key("msg_type")
        switch self {
        case .request(let piece):
            writer.integer(Kind.request.rawValue)
            writer.key("piece")
            writer.integer(piece)
            payload = []
        case .data(let piece, let totalSize, let bytes):
            writer.integer(Kind.data.rawValue)
            writer.key("piece")
            writer.integer(piece)
            writer.key("total_size")
            writer.integer(totalSize)
            payload = bytes
        case .reject(let piece):
            writer.integer(Kind.reject.rawValue)
            writer.key("piece")
            writer.integer(piece)
            payload = []
        }
        writer.end()
        return writer.take() + payload
    }
}
