package import Primitives

/// Decides which chunk to fetch from whom: the side of a client that lacks some.
///
///     waiting ── the tracker's table ──▶ fetching ── last chunk ──▶ complete
///        ▲── nobody holds what is missing, or they fail ──┘
///
/// The rarest chunk first, so that partial holders complete each other; several chunks at a time, from different holders
/// where there are any. A holder that sent a wrong chunk is not asked for it for a long time, one that
/// does not answer rests.
package struct ChunkFetcher: ~Copyable {
    package enum Action: Hashable, Sendable {
        case fetch(chunk: Int, from: ChunkTable.Holder, expecting: SHA1Digest?)
        /// Who holds what may have changed.
        case askTracker
        case complete
    }

    /// Why a chunk did not come.
    package enum Failure: Hashable, Sendable {
        /// Nobody there, or the connection broke.
        case unreachable
        /// The holder has no such chunk.
        case notThere
        /// The bytes have another hash than the tracker was told, or there are too many.
        case wrong
    }

    private struct Attempt: Hashable {
        var chunk: Int
        var holder: Endpoint
    }

    private let limits: ChunkFetchLimits
    private var missing: Set<Int>
    private var rows: [Int: [ChunkTable.Group]] = [:]
    /// What somebody holds, the rarest first; those that are here by now are dropped as they come to the front.
    private var order: ArraySlice<Int> = []
    private var running: Set<Attempt> = []
    /// Holders of one chunk that sent something else, and until when they are not asked for it again.
    private var wrong: [Attempt: Instant] = [:]
    /// Until when a holder is left alone.
    private var resting: [Endpoint: Instant] = [:]
    private var nextQuestion: Instant
    private var pause: Duration
    private var isAsking = false
    /// Chunks that are equally rare are fetched in another order by each client, or all would fetch the same ones.
    private var random: SeededRandom
    private var isComplete = false

    package init(missing: [Int], limits: ChunkFetchLimits = ChunkFetchLimits(), seed: UInt64, now: Instant) {
        self.missing = Set(missing)
        self.limits = limits
        nextQuestion = now
        pause = limits.firstPause
        random = SeededRandom(seed: seed)
    }

    /// When to call `advanced(to:into:)`; `nil` once all is here.
    package var nextDeadline: Instant? {
        guard !isComplete else { return nil }
        let question = isAsking ? Instant.distantFuture : nextQuestion
        return resting.values.reduce(question) { min($0, $1) }
    }

    package var missingCount: Int { missing.count }

    /// Begins, and goes on when a rest or a pause is over.
    package mutating func advanced(to now: Instant, into actions: inout [Action]) {
        for (holder, end) in resting where end <= now { resting[holder] = nil }
        for (attempt, end) in wrong where end <= now { wrong[attempt] = nil }
        choose(at: now, &actions)
        if !isComplete, !isAsking, nextQuestion <= now {
            isAsking = true
            actions.append(.askTracker)
        }
    }

    /// The tracker answered; `nil` when it did not.
    package mutating func received(_ table: [ChunkTable.Row]?, at now: Instant, into actions: inout [Action]) {
        isAsking = false
        // Each question without news makes the next one later, up to a limit.
        nextQuestion = now + pause
        pause = min(pause * 2, limits.longestPause)
        if let table {
            rows = Dictionary(table.map { ($0.chunk, $0.groups) }) { first, _ in first }
            order = rarestFirst()
        }
        choose(at: now, &actions)
    }

    /// The chunk is here, checked and stored.
    package mutating func fetched(_ chunk: Int, from holder: Endpoint, at now: Instant, into actions: inout [Action]) {
        running.remove(Attempt(chunk: chunk, holder: holder))
        missing.remove(chunk)
        // Others get on as well now.
        pause = limits.firstPause
        nextQuestion = min(nextQuestion, now + pause)
        choose(at: now, &actions)
    }

    package mutating func failed(
        _ chunk: Int,
        from holder: Endpoint,
        because failure: Failure,
        at now: Instant,
        into actions: inout [Action]
    ) {
        let attempt = Attempt(chunk: chunk, holder: holder)
        running.remove(attempt)
        switch failure {
        case .wrong:
            if wrong.count < limits.mostWrong {
                wrong[attempt] = now + limits.restAfterWrong
            } else {
                resting[holder] = now + limits.restAfterWrong
            }
        case .unreachable, .notThere: resting[holder] = now + limits.rest
        }
        choose(at: now, &actions)
    }

    /// Starts as many fetches as may run.
    private mutating func choose(at now: Instant, _ actions: inout [Action]) {
        guard !isComplete else { return }
        guard !missing.isEmpty else {
            isComplete = true
            actions.append(.complete)
            return
        }
        guard running.count < limits.mostAtOnce else { return }
        while let first = order.first, !missing.contains(first) { order.removeFirst() }
        for chunk in order where missing.contains(chunk) && !running.contains(where: { $0.chunk == chunk }) {
            guard running.count < limits.mostAtOnce else { return }
            guard let (holder, hash) = holder(of: chunk) else { continue }
            running.insert(Attempt(chunk: chunk, holder: holder.endpoint))
            actions.append(.fetch(chunk: chunk, from: holder, expecting: hash))
        }
    }

    /// Equally rare ones in random order.
    private mutating func rarestFirst() -> ArraySlice<Int> {
        var order = missing.sorted().compactMap { chunk -> (chunk: Int, rarity: Int)? in
            rows[chunk].map { groups in (chunk, groups.reduce(0) { $0 + $1.holders.count }) }
        }
        order.shuffle(using: &random)
        order.sort { $0.rarity < $1.rarity }
        return order.map(\.chunk)[...]
    }

    /// The least busy holder of the hash that most agree on; those of another hash only when none of these is left.
    private func holder(of chunk: Int) -> (ChunkTable.Holder, SHA1Digest?)? {
        for group in rows[chunk] ?? [] {
            let able = group.holders.filter { holder in
                resting[holder.endpoint] == nil && wrong[Attempt(chunk: chunk, holder: holder.endpoint)] == nil
            }
            guard !able.isEmpty else { continue }
            let loads = able.map { holder in running.count { $0.holder == holder.endpoint } }
            let best = loads.indices.min { loads[$0] < loads[$1] }
            guard let best, loads[best] < limits.mostAtOncePerHolder else { return nil }
            return (able[best], group.hash)
        }
        return nil
    }
}

/// Bounds on how a client of chunk folders fetches.
package struct ChunkFetchLimits: Hashable, Sendable {
    /// Old clients serve each connection with a thread; so few are no burden to them.
    package var mostAtOnce = 4
    package var mostAtOncePerHolder = 2
    /// How long a holder that did not answer is left alone.
    package var rest: Duration = .seconds(5)
    /// Between two questions to the tracker, while news come.
    package var firstPause: Duration = .milliseconds(500)
    /// Between two questions when nothing changes; a person who adds a chunk elsewhere waits no longer.
    package var longestPause: Duration = .seconds(8)
    /// How long a holder is not asked again for a chunk that it sent wrong. A holder that stops in the middle ends its
    /// connection as one that is done, so it must not be for ever.
    package var restAfterWrong: Duration = .seconds(600)
    /// Wrong chunks that are remembered, one for each chunk and holder; whoever adds more rests altogether.
    package var mostWrong = 4096

    package init() {}
}
