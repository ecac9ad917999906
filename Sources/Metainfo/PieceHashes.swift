package import Primitives

/// The SHA-1 of every piece (BEP 3), left where it stands in the `info` dictionary.
package struct PieceHashes: Sendable {
    /// The info dictionary: shared, not copied.
    private let storage: [UInt8]
    private let start: Int
    package let count: Int

    /// - Precondition: `range` lies inside `info` and is a multiple of 20 bytes long.
    init(_ info: [UInt8], _ range: Range<Int>) {
        precondition(range.upperBound <= info.count && range.count.isMultiple(of: UInt160.byteCount))
        storage = info
        start = range.lowerBound
        count = range.count / UInt160.byteCount
    }

    /// The digest that a piece must have, or `nil` outside the torrent.
    package subscript(piece: Int) -> SHA1Digest? {
        guard piece >= 0, piece < count else { return nil }
        return SHA1Digest(storage.span.bytes, at: start + piece * UInt160.byteCount)
    }
}
