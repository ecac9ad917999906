/// A `ut_metadata` message (BEP 9).
package enum MetadataMessage: Hashable, Sendable {
    case request(piece: Int)
    /// `totalSize` is the size of the whole metadata; the bytes have the length that follows from it.
    case data(piece: Int, totalSize: Int, bytes: [UInt8])
    case reject(piece: Int)

    /// Every piece but the last has this many bytes (BEP 9).
    package static let pieceLength = 16_384

    package static func pieceCount(ofSize size: Int) -> Int { (max(0, size) + pieceLength - 1) / pieceLength }

    /// The bytes of the metadata that a piece covers, or `nil` outside of it.
    package static func range(ofPiece piece: Int, size: Int) -> Range<Int>? {
        guard piece >= 0, piece < pieceCount(ofSize: size) else { return nil }
        let start = piece * pieceLength
        return start..<min(start + pieceLength, size)
    }
}
