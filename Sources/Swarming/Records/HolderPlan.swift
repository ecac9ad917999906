import Availability
import Cryptography
import Primitives

/// Which holders together bring the pieces that nobody connected has (secure-peer.md, §2, "Leecher use").
///
/// A piece that `a` peers are expected to hold weighs 1 / (1 + a)^2. The holder with the largest sum of weights times
/// likelihoods is taken, what it brings weighs less from then on, and so forth: holders that complete each other come before
/// those that hold the same. Scores only fall, so that few are ever computed again.
struct HolderPlan {
    struct Pick: Hashable {
        let endpoint: Endpoint
        let key: Ed25519.PublicKey
        /// The rarest piece that it surely holds and no pick before it.
        let absentPiece: Int?

        var reason: DialReason { absentPiece.map { .absentPiece($0, key) } ?? .record(key) }
    }

    private let sample: PieceSample
    /// Which of the sample come first, where all else is equal.
    private let rarestFirst: [Int]
    private var weights: [Float] = []
    /// Neither somebody on the way nor a pick before surely holds it.
    private var isAbsent: [Bool]

    /// A candidate that may be picked, what it brings, and its score when that was computed last.
    private struct Contender {
        let entry: ClaimBook.Entry
        let row: [UInt8]
        var score: Float
        /// How many were picked by then.
        var scoredAt = 0
    }

    /// - Parameters:
    ///   - rarest: the pieces to weigh holders by, rarest first.
    ///   - expectation: expected holders of a piece in 26ths.
    init(rarest: [Int], of pieceCount: Int, expectation: (Int) -> Int) {
        let sample = PieceSample(rarest, of: pieceCount)
        self.sample = sample
        rarestFirst = rarest.compactMap { sample.index(of: $0) }
        isAbsent = [Bool](repeating: true, count: sample.pieces.count)
        for piece in sample.pieces {
            let holders = Float(expectation(piece)) / Float(PieceClaims.certainty)
            weights.append(1 / ((1 + holders) * (1 + holders)))
        }
    }

    /// Somebody is on the way already who claims this.
    mutating func expect(_ claims: PieceClaims) {
        var row: [UInt8] = []
        claims.likelihoods(of: sample, into: &row)
        take(row)
    }

    /// The best of the candidates, those that surely bring something first; at most `count`.
    ///
    /// - Parameter candidates: equals are taken in this order.
    mutating func picks(from candidates: [ClaimBook.Entry], atMost count: Int) -> [Pick] {
        var contenders = contenders(from: candidates, atMost: 8 * count)
        var sure: [Pick] = []
        var likely: [Pick] = []
        while sure.count + likely.count < count {
            guard let best = HolderPlan.best(contenders), contenders[best].score > 0 else { break }
            let picked = sure.count + likely.count
            guard contenders[best].scoredAt == picked else {
                contenders[best].score = score(contenders[best].row, of: contenders[best].entry.claim)
                contenders[best].scoredAt = picked
                continue
            }
            let contender = contenders.remove(at: best)
            let piece = rarestFirst.first { isAbsent[$0] && contender.row[$0] == PieceClaims.certainty }
            let pick = Pick(
                endpoint: contender.entry.endpoint,
                key: contender.entry.claim.key,
                absentPiece: piece.map { sample.pieces[$0] }
            )
            if piece == nil { likely.append(pick) } else { sure.append(pick) }
            take(contender.row)
        }
        return sure + likely
    }

    /// Those that score best before anybody is picked: whoever alone has something is among them.
    private func contenders(from candidates: [ClaimBook.Entry], atMost count: Int) -> [Contender] {
        var row: [UInt8] = []
        let scores = candidates.map { candidate in
            candidate.claim.pieces.likelihoods(of: sample, into: &row)
            return score(row, of: candidate.claim)
        }
        // Sorted with their places, so that equals keep their order.
        let best = scores.indices.sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1] }.prefix(count)
        return best.sorted().map { index in
            candidates[index].claim.pieces.likelihoods(of: sample, into: &row)
            return Contender(entry: candidates[index], row: row, score: scores[index])
        }
    }

    private func score(_ row: [UInt8], of claim: HolderClaim) -> Float {
        var sum: Float = 0
        for index in weights.indices { sum += weights[index] * Float(row[index]) }
        return claim.isFull ? sum / 2 : sum
    }

    /// Who brings this is counted on.
    private mutating func take(_ row: [UInt8]) {
        for index in weights.indices where row[index] > 0 {
            weights[index] *= 1 - Float(row[index]) / Float(PieceClaims.certainty)
            if row[index] == PieceClaims.certainty { isAbsent[index] = false }
        }
    }

    private static func best(_ contenders: [Contender]) -> Int? {
        contenders.indices.max {
            contenders[$0].score == contenders[$1].score ? $0 > $1 : contenders[$0].score < contenders[$1].score
        }
    }
}
