package import Primitives

/// Which pieces a peer says that it holds, as far as its have-blob tells (secure-peer.md, §2).
///
/// It takes no more than some 3 KiB, however many pieces there are: a stranger chose what is in it.
package enum PieceClaims: Hashable, Sendable {
    case all(pieceCount: Int)
    case bitfield(Bitfield)
    case runs(PieceRuns)
    /// Too much to tell exactly.
    case digest(PieceDigest)

    package var pieceCount: Int {
        switch self {
        case .all(let pieceCount): pieceCount
        case .bitfield(let pieces): pieces.count
        case .runs(let runs): runs.pieceCount
        case .digest(let digest): digest.pieceCount
        }
    }

    /// Whether it says of each piece whether it is held.
    package var isExact: Bool { heldCount != nil }

    /// How many pieces are held; `nil` where only a part of them is told.
    package var heldCount: Int? {
        switch self {
        case .all(let pieceCount): pieceCount
        case .bitfield(let pieces): pieces.setCount
        case .runs(let runs): runs.heldCount
        case .digest: nil
        }
    }

    /// How likely the peer holds a piece, by its own word: 0 to 1. No piece outside of the torrent is held.
    package func likelihood(of piece: Int) -> Double {
        switch self {
        case .all(let pieceCount): piece >= 0 && piece < pieceCount ? 1 : 0
        case .bitfield(let pieces): pieces[piece] ? 1 : 0
        case .runs(let runs): runs.contains(piece) ? 1 : 0
        case .digest(let digest): digest.likelihood(of: piece)
        }
    }

    /// The pieces that are said to be held beyond doubt: all that are held, or those that a digest names.
    package var certain: Bitfield {
        switch self {
        case .all(let pieceCount): return Bitfield(filled: pieceCount)
        case .bitfield(let pieces): return pieces
        case .runs(let runs): return runs.pieces
        case .digest(let digest):
            var pieces = Bitfield(count: digest.pieceCount)
            for piece in digest.listed { pieces[piece] = true }
            return pieces
        }
    }
}

/// Pieces as runs one after the other.
package struct PieceRuns: Hashable, Sendable {
    package let pieceCount: Int
    /// Ascending; no run is empty, and none touches the next.
    package let runs: [Range<Int>]
    package let heldCount: Int

    /// - Parameter runs: ascending, each of a piece or more, with a gap before all but the first, within `pieceCount`.
    init(_ runs: [Range<Int>], pieceCount: Int) {
        self.runs = runs
        self.pieceCount = pieceCount
        heldCount = runs.reduce(0) { $0 + $1.count }
    }

    package func contains(_ piece: Int) -> Bool {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].upperBound <= piece { low = middle + 1 } else { high = middle }
        }
        return low < runs.count && runs[low].contains(piece)
    }

    var pieces: Bitfield {
        var pieces = Bitfield(count: pieceCount)
        for run in runs { for piece in run { pieces[piece] = true } }
        return pieces
    }
}

/// How full each of at most 256 equal parts of a torrent is, in fourteen steps, and the rarest pieces by name.
package struct PieceDigest: Hashable, Sendable {
    package let pieceCount: Int
    /// One for each bucket: 0 none, 15 all, else 1 + floor(13 * held / size).
    package let levels: [UInt8]
    /// Rare pieces that are held, ascending.
    package let listed: [Int]

    static let mostBuckets = 256
    static let full: UInt8 = 15
    /// Part of no step: 1 + 13 * held / size stays below it unless all are held.
    static let unused: UInt8 = 14
    private static let steps = 13.0

    init(levels: [UInt8], listed: [Int], pieceCount: Int) {
        self.levels = levels
        self.listed = listed
        self.pieceCount = pieceCount
    }

    package func likelihood(of piece: Int) -> Double {
        guard piece >= 0, piece < pieceCount else { return 0 }
        let level = levels[PieceDigest.bucket(of: piece, pieceCount: pieceCount)]
        switch level {
        case 0: return isListed(piece) ? 1 : 0
        case PieceDigest.full: return 1
        default: return isListed(piece) ? 1 : (Double(level) - 0.5) / PieceDigest.steps
        }
    }

    private func isListed(_ piece: Int) -> Bool {
        var (low, high) = (0, listed.count)
        while low < high {
            let middle = (low + high) / 2
            if listed[middle] < piece { low = middle + 1 } else { high = middle }
        }
        return low < listed.count && listed[low] == piece
    }

    static func bucketCount(ofPieces pieceCount: Int) -> Int { min(mostBuckets, pieceCount) }

    /// The pieces of a bucket: from floor(b n / B) to floor((b + 1) n / B).
    static func range(ofBucket bucket: Int, pieceCount: Int) -> Range<Int> {
        let buckets = bucketCount(ofPieces: pieceCount)
        return bucket * pieceCount / buckets..<(bucket + 1) * pieceCount / buckets
    }

    static func bucket(of piece: Int, pieceCount: Int) -> Int {
        let buckets = bucketCount(ofPieces: pieceCount)
        // The last bucket that begins at or before the piece.
        return ((piece + 1) * buckets - 1) / pieceCount
    }

    /// The level of a bucket of which so many pieces are held.
    static func level(held: Int, of size: Int) -> UInt8 {
        if held == 0 { return 0 }
        return held == size ? full : UInt8(1 + 13 * held / size)
    }
}
