/// A run of bytes inside one piece: what one `request` asks for (BEP 3).
package struct Block: Hashable, Sendable {
    package var piece: UInt32
    /// Offset inside the piece, in bytes.
    package var begin: UInt32
    /// In bytes.
    package var length: UInt32

    @inlinable
    package init(piece: UInt32, begin: UInt32, length: UInt32) {
        self.piece = piece
        self.begin = begin
        self.length = length
    }
}

/// How the bytes of a torrent are cut into pieces, and pieces into blocks (BEP 3).
package struct PieceLayout: Hashable, Sendable {
    /// What is asked for at a time; clients close a connection that asks for more than they like.
    package static let blockLength = 16_384

    /// All bytes of the torrent.
    package let totalSize: Int64
    /// Bytes in every piece but the last.
    package let pieceLength: Int
    package let pieceCount: Int

    /// - Precondition: both from a validated torrent (hardening F9), so that nothing below can overflow.
    package init(totalSize: Int64, pieceLength: Int) {
        precondition(totalSize >= 0 && totalSize < 1 << 60 && pieceLength > 0 && pieceLength <= 1 << 30)
        self.totalSize = totalSize
        self.pieceLength = pieceLength
        pieceCount = Int((totalSize + Int64(pieceLength) - 1) / Int64(pieceLength))
    }

    /// Bytes in a piece; 0 for an index outside the torrent.
    package func length(ofPiece piece: Int) -> Int {
        guard piece >= 0, piece < pieceCount else { return 0 }
        return Int(min(Int64(pieceLength), totalSize - Int64(piece) * Int64(pieceLength)))
    }

    /// Where the piece begins in the torrent.
    package func offset(ofPiece piece: Int) -> Int64 { Int64(piece) * Int64(pieceLength) }

    package func blockCount(inPiece piece: Int) -> Int {
        (length(ofPiece: piece) + PieceLayout.blockLength - 1) / PieceLayout.blockLength
    }

    /// The block number `index` of a piece as we ask for it, or `nil` outside the torrent.
    package func block(_ index: Int, ofPiece piece: Int) -> Block? {
        let length = length(ofPiece: piece)
        guard index >= 0, index < (length + PieceLayout.blockLength - 1) / PieceLayout.blockLength else { return nil }
        let begin = index * PieceLayout.blockLength
        let size = min(PieceLayout.blockLength, length - begin)
        return Block(piece: UInt32(piece), begin: UInt32(begin), length: UInt32(size))
    }

    /// Whether a block that a remote named lies inside one piece of this torrent and is not empty (hardening B3).
    package func contains(_ block: Block) -> Bool {
        let length = length(ofPiece: Int(block.piece))
        return block.length > 0 && Int(block.begin) + Int(block.length) <= length
    }
}
