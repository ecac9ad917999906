/// Why something is no record of a torrent, or none to go by (secure-peer.md, §2, "Reader rules").
package enum RecordFault: String, Error, Hashable, Sendable, CaseIterable {
    case tooLong = "too_long"
    /// No bencoding, or not the only one of its value.
    case malformed
    /// A field is missing, has another type, or is outside of its range.
    case field
    /// The have-blob does not decode.
    case blob
    /// The number of pieces held is not that of the have-blob.
    case count
    /// The torrent has another number of pieces.
    case pieceCount = "piece_count"
    case fromTheFuture = "from_the_future"
    case expired
    /// The key did not sign it, or not for this torrent.
    case signature

    /// For a person.
    package var message: String {
        switch self {
        case .tooLong: "too long"
        case .malformed: "malformed"
        case .field: "a field is missing or out of range"
        case .blob: "the list of pieces cannot be read"
        case .count: "it lists another number of pieces than it says"
        case .pieceCount: "it is of a torrent with another number of pieces"
        case .fromTheFuture: "from the future"
        case .expired: "expired"
        case .signature: "the signature is not good for this torrent"
        }
    }
}
