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

    /// Ascending.
    private let pieces: [Int]
    /// Which of `pieces` come first, where all else is equal.
    private let rarestFirst: [Int]
    private var weights: [Float] = []
    /// Neither somebody on the way nor a pick before surely holds it.
    private var isAbsent: [Bool]
    private var row: [UInt8] = []

    /// - Parameters:
    ///   - rarest: the pieces to weigh holders by, rarest first.
    ///   - expectation: expected holders of a piece in 26ths.
    init(rarest: [Int], expectation: (Int) -> Int) {
        let order = rarest.indices.sorted { rarest[$0] < rarest[$1] }
        pieces = order.map { rarest[$0] }
        var place = [Int](repeating: 0, count: order.count)
        for (index, rank) in order.enumerated() { place[rank] = index }
        rarestFirst = place
        isAbsent = [Bool](repeating: true, count: pieces.count)
        for piece in pieces {
            let holders = Float(expectation(piece)) / Float(PieceClaims.certainty)
            weights.append(1 / ((1 + holders) * (1 + holders)))
        }
    }

    /// Somebody is on the way already who claims this.
    mutating func expect(_ claims: PieceClaims) {
        claims.likelihoods(of: pieces, into: &row)
        take()
    }

    /// The best of the candidates, those that surely bring something first; at most `count`.
    ///
    /// - Parameter candidates: equals are taken in this order.
    mutating func picks(from candidates: [ClaimBook.Entry], atMost count: Int) -> [Pick] {
        var scores = candidates.map { score($0.claim) }
        var scoredAt = [Int](repeating: 0, count: candidates.count)
        var sure: [Pick] = []
        var likely: [Pick] = []
        while sure.count + likely.count < count {
            guard let best = HolderPlan.best(scores), scores[best] > 0 else { break }
            let picked = sure.count + likely.count
            guard scoredAt[best] == picked else {
                scores[best] = score(candidates[best].claim)
                scoredAt[best] = picked
                continue
            }
            let (endpoint, claim) = (candidates[best].endpoint, candidates[best].claim)
            claim.pieces.likelihoods(of: pieces, into: &row)
            let piece = rarestFirst.first { isAbsent[$0] && row[$0] == PieceClaims.certainty }
            let pick = Pick(endpoint: endpoint, key: claim.key, absentPiece: piece.map { pieces[$0] })
            if piece == nil { likely.append(pick) } else { sure.append(pick) }
            take()
            scores[best] = 0
        }
        return sure + likely
    }

    private mutating func score(_ claim: HolderClaim) -> Float {
        claim.pieces.likelihoods(of: pieces, into: &row)
        var sum: Float = 0
        for index in weights.indices { sum += weights[index] * Float(row[index]) }
        return claim.isFull ? sum / 2 : sum
    }

    /// Whoever is in `row` is counted on.
    private mutating func take() {
        for index in weights.indices where row[index] > 0 {
            weights[index] *= 1 - Float(row[index]) / Float(PieceClaims.certainty)
            if row[index] == PieceClaims.certainty { isAbsent[index] = false }
        }
    }

    private static func best(_ scores: [Float]) -> Int? {
        var best: Int?
        for (index, score) in scores.enumerated() where best.map({ score > scores[$0] }) ?? true { best = index }
        return best
    }
}
