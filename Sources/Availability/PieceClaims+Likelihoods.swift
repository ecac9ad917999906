package import Primitives

/// Claims for whoever weighs those of hundreds of peers: whole stretches and many pieces at a time.
///
/// Every likelihood is a whole number of 26ths, because a digest knows thirteen steps and means the middle of each. Sums of
/// them are exact, so that taking a claim back leaves nothing behind.
extension PieceClaims {
    /// What `spans` and `likelihoods` say of a piece that is surely held.
    package static let certainty = 26

    /// So many 26ths for each of these pieces.
    package struct Span: Hashable, Sendable {
        package var pieces: Range<Int>
        package var amount: UInt16
    }

    /// The likelihood of a piece is the sum of the spans that contain it; there are a few thousand at most.
    package var spans: [Span] {
        let whole = UInt16(PieceClaims.certainty)
        switch self {
        case .all(let pieceCount): return [Span(pieces: 0..<pieceCount, amount: whole)]
        case .bitfield(let pieces): return pieces.indices.map { Span(pieces: $0..<$0 + 1, amount: whole) }
        case .runs(let runs): return runs.runs.map { Span(pieces: $0, amount: whole) }
        case .digest(let digest):
            var spans = digest.levels.enumerated().compactMap { bucket, level -> Span? in
                guard level > 0 else { return nil }
                let pieces = PieceDigest.range(ofBucket: bucket, pieceCount: digest.pieceCount)
                return Span(pieces: pieces, amount: PieceDigest.twentySixths(level))
            }
            for piece in digest.listed {
                let rest = whole - PieceDigest.twentySixths(digest.level(ofBucketOf: piece))
                if rest > 0 { spans.append(Span(pieces: piece..<piece + 1, amount: rest)) }
            }
            return spans
        }
    }

    /// The likelihoods of some pieces in 26ths.
    ///
    /// - Parameter row: receives as many numbers as there are pieces, in their order.
    package func likelihoods(of sample: PieceSample, into row: inout [UInt8]) {
        let whole = UInt8(PieceClaims.certainty)
        row.removeAll(keepingCapacity: true)
        // Nothing is known of other torrents.
        guard sample.pieceCount == pieceCount else { return row.append(contentsOf: sample.pieces.map { _ in 0 }) }
        switch self {
        case .all: for _ in sample.pieces { row.append(whole) }
        case .bitfield(let held): for piece in sample.pieces { row.append(held[piece] ? whole : 0) }
        case .runs(let runs):
            var next = 0
            for piece in sample.pieces {
                while next < runs.runs.count, runs.runs[next].upperBound <= piece { next += 1 }
                row.append(next < runs.runs.count && runs.runs[next].contains(piece) ? whole : 0)
            }
        case .digest(let digest):
            let steps = digest.levels.map { UInt8(truncatingIfNeeded: PieceDigest.twentySixths($0)) }
            for bucket in sample.buckets { row.append(steps[Int(bucket)]) }
            for piece in digest.listed {
                if let index = sample.index(of: piece) { row[index] = whole }
            }
        }
    }

    /// How far somebody falls short of its word.
    package struct Shortfall: Hashable, Sendable {
        /// Pieces that are missing of those that were claimed.
        package var missing: Int
        /// Pieces that were claimed beyond doubt.
        package var claimed: Int
    }

    /// Compares the claims with what the peer then showed.
    ///
    /// A digest claims what it names, and of each bucket at least what its step means: without that a liar would only have to
    /// be vague. Pieces that came since are no lie.
    package func shortfall(of shown: Bitfield) -> Shortfall {
        guard case .digest(let digest) = self else {
            let claimed = certain
            return Shortfall(missing: claimed.setCount - claimed.commonCount(with: shown), claimed: claimed.setCount)
        }
        var result = Shortfall(missing: 0, claimed: 0)
        var next = 0
        for (bucket, level) in digest.levels.enumerated() {
            let pieces = PieceDigest.range(ofBucket: bucket, pieceCount: digest.pieceCount)
            let least = PieceDigest.fewest(level: level, of: pieces.count)
            var (named, absent) = (0, 0)
            while next < digest.listed.count, digest.listed[next] < pieces.upperBound {
                named += 1
                if !shown[digest.listed[next]] { absent += 1 }
                next += 1
            }
            result.claimed += max(least, named)
            result.missing += max(absent, least - shown.setCount(in: pieces))
        }
        return result
    }
}

/// Some pieces of a torrent, of which much is asked: where each falls in a digest is worked out once.
package struct PieceSample: Sendable {
    package let pieceCount: Int
    /// Ascending.
    package let pieces: [Int]
    let buckets: [UInt8]

    /// - Parameter pieces: any order; those outside of the torrent are left out.
    package init(_ pieces: some Sequence<Int>, of pieceCount: Int) {
        self.pieceCount = pieceCount
        self.pieces = pieces.filter { $0 >= 0 && $0 < pieceCount }.sorted()
        // There are 256 at most.
        buckets = self.pieces.map { UInt8(truncatingIfNeeded: PieceDigest.bucket(of: $0, pieceCount: pieceCount)) }
    }

    /// Where a piece is among `pieces`.
    package func index(of piece: Int) -> Int? {
        var (low, high) = (0, pieces.count)
        while low < high {
            let middle = (low + high) / 2
            if pieces[middle] < piece { low = middle + 1 } else { high = middle }
        }
        return low < pieces.count && pieces[low] == piece ? low : nil
    }
}

extension PieceDigest {
    /// (L - 0.5) / 13 for the steps between none and all.
    static func twentySixths(_ level: UInt8) -> UInt16 {
        switch level {
        case 0: 0
        case full: UInt16(PieceClaims.certainty)
        default: UInt16(min(2 * Int(level) - 1, PieceClaims.certainty))
        }
    }

    /// How many pieces of a bucket are held at least.
    static func fewest(level: UInt8, of size: Int) -> Int {
        switch level {
        case 0: 0
        case full: size
        default: ((Int(level) - 1) * size + 12) / 13
        }
    }

    func level(ofBucketOf piece: Int) -> UInt8 { levels[PieceDigest.bucket(of: piece, pieceCount: pieceCount)] }
}
