import Primitives

/// Decides every ten seconds who is served (BEP 3).
///
/// The best of those who want something keep a slot; one slot goes to a peer taken at random for thirty seconds, so that
/// newcomers can show what they give and a better partner can be found. Peers that snub us get a slot only that way.
struct Choker {
    struct Candidate {
        var slot: Int
        var handle: PeerHandle
        /// Bytes since the last round, from it while fetching, to it while sharing.
        var merit: Int64
        var isUnchoked: Bool
        var isSnubbing: Bool
        /// While sharing: it had its share of time and pieces, and others wait.
        var hadItsTurn: Bool
        var isNew: Bool
    }

    private(set) var nextRound: Instant
    private var nextOptimistic: Instant
    private(set) var optimistic: PeerHandle?
    private let interval: Duration
    private let optimisticInterval: Duration

    init(interval: Duration, optimisticInterval: Duration, now: Instant) {
        self.interval = interval
        self.optimisticInterval = optimisticInterval
        nextRound = now + interval
        nextOptimistic = now
    }

    /// Returns the slots of the peers to be served until the next round.
    mutating func round(
        _ candidates: [Candidate],
        uploadSlots: Int,
        at now: Instant,
        using random: inout SeededRandom
    ) -> [Int] {
        while nextRound <= now { nextRound = nextRound + interval }
        guard candidates.count > uploadSlots, uploadSlots > 0 else {
            optimistic = nil
            nextOptimistic = now
            return candidates.map(\.slot)
        }
        // Shuffled first, so that equals are in random order.
        var ranked = candidates.shuffled(using: &random)
        ranked.sort { Choker.isBetter($0, than: $1) }
        let regular = ranked.prefix(uploadSlots - 1).filter { !$0.isSnubbing }
        var rest = Array(ranked[regular.count...])
        var chosen = regular.map(\.slot)
        let isDue = now >= nextOptimistic
        if !isDue, let index = rest.firstIndex(where: { $0.handle == optimistic }) {
            chosen.append(rest.remove(at: index).slot)
        } else if let index = Choker.draw(from: rest, using: &random) {
            let lucky = rest.remove(at: index)
            optimistic = lucky.handle
            nextOptimistic = now + optimisticInterval
            chosen.append(lucky.slot)
        }
        // Slots that snubbing peers lost are given out the same way (BEP 3, anti-snubbing).
        while chosen.count < uploadSlots, let index = Choker.draw(from: rest, using: &random) {
            chosen.append(rest.remove(at: index).slot)
        }
        return chosen
    }

    private static func isBetter(_ left: Candidate, than right: Candidate) -> Bool {
        if left.isSnubbing != right.isSnubbing { return right.isSnubbing }
        if left.hadItsTurn != right.hadItsTurn { return right.hadItsTurn }
        if left.merit != right.merit { return left.merit > right.merit }
        return left.isUnchoked && !right.isUnchoked
    }

    /// Newcomers are three times as likely (BEP 3).
    private static func draw(from rest: [Candidate], using random: inout SeededRandom) -> Int? {
        let weights = rest.reduce(0) { $0 + ($1.isNew ? 3 : 1) }
        guard weights > 0 else { return nil }
        var ticket = Int.random(in: 0..<weights, using: &random)
        for (index, candidate) in rest.enumerated() {
            ticket -= candidate.isNew ? 3 : 1
            if ticket < 0 { return index }
        }
        return nil
    }
}
