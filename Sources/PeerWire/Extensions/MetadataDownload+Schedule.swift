package import Primitives

/// Whom to ask for what, and when to look again.
extension MetadataDownload {
    /// When `advanced` has something to decide next.
    ///
    /// What lies before the last look was decided then, so only later times count.
    package var nextDeadline: Instant? {
        guard !isComplete else { return nil }
        var next: Instant?
        func consider(_ time: Instant) {
            if time > scheduledAt, time < next ?? .distantFuture { next = time }
        }
        for attempt in attempts {
            consider(attempt.turnEnd)
            for request in attempt.requests {
                consider(request.sentAt + limits.patience)
                consider(request.sentAt + limits.requestTimeout)
            }
        }
        for candidate in candidates { consider(candidate.pausedUntil) }
        return next
    }

    /// Gives requests up that waited too long; a peer that lets several wait is left alone for a while.
    mutating func giveUpRequests(at now: Instant) {
        let timeout = limits.requestTimeout
        for attempt in attempts.indices {
            let late = Set(attempts[attempt].requests.filter { now >= $0.sentAt + timeout }.map(\.peer))
            guard !late.isEmpty else { continue }
            withdraw(from: attempt) { now >= $0.sentAt + timeout }
            for index in candidates.indices where late.contains(candidates[index].peer) {
                candidates[index].timeouts += 1
                guard candidates[index].timeouts >= limits.timeouts else { continue }
                candidates[index].timeouts = 0
                candidates[index].pausedUntil = now + limits.silencePause
            }
        }
    }

    /// Opens and closes attempts, then fills every peer's pipeline.
    mutating func schedule(at now: Instant) -> [Action] {
        guard !isComplete else { return [] }
        scheduledAt = now
        while let next = bestWaiting(at: now) {
            if attempts.count >= limits.attempts {
                guard let weakest = attemptToClose(for: next, at: now) else { break }
                close(weakest)
            }
            open(next.source, at: now)
        }
        var actions: [Action] = []
        for attempt in attempts.indices { request(in: attempt, at: now, into: &actions) }
        return actions
    }

    private struct Waiting {
        let source: MetadataAttempt.Source
        let turns: Int
        let supporters: Int
    }

    /// The source that should be tried next: the least tried one, of those the one most peers agree on, of those the one known longest.
    private func bestWaiting(at now: Instant) -> Waiting? {
        var best: Waiting?
        func consider(_ source: MetadataAttempt.Source, turns: Int, supporters: Int) {
            guard supporters > 0, !attempts.contains(where: { $0.source == source }) else { return }
            if let best, (best.turns, -best.supporters) <= (turns, -supporters) { return }
            best = Waiting(source: source, turns: turns, supporters: supporters)
        }
        for size in sizes {
            let available = candidates.filter { $0.size == size.size && $0.pausedUntil <= now }
            if size.isMixed {
                for candidate in available { consider(.single(candidate.peer), turns: candidate.turns, supporters: 1) }
            } else {
                consider(.shared(size: size.size), turns: size.turns, supporters: available.count)
            }
        }
        return best
    }

    /// An attempt that has nobody left to ask, whose turn is over, or that fewer peers stand behind than behind the one that waits.
    private func attemptToClose(for waiting: Waiting, at now: Instant) -> Int? {
        let supporters = attempts.map { attempt in
            candidates.count { contributes($0, to: attempt) && $0.pausedUntil <= now }
        }
        if let deserted = supporters.firstIndex(of: 0) { return deserted }
        if let over = attempts.firstIndex(where: { $0.turnEnd <= now }) { return over }
        guard let weakest = supporters.indices.min(by: { supporters[$0] < supporters[$1] }) else { return nil }
        return supporters[weakest] < waiting.supporters && waiting.turns == 0 ? weakest : nil
    }

    private mutating func open(_ source: MetadataAttempt.Source, at now: Instant) {
        let size: Int
        let turns: Int
        switch source {
        case .shared(let shared):
            guard let index = sizes.firstIndex(where: { $0.size == shared }) else { return }
            sizes[index].turns += 1
            (size, turns) = (shared, sizes[index].turns)
        case .single(let peer):
            guard let index = candidates.firstIndex(where: { $0.peer == peer }) else { return }
            candidates[index].turns += 1
            (size, turns) = (candidates[index].size, candidates[index].turns)
        }
        // Doubling six times is half an hour: enough for the slowest honest peer.
        let turn = limits.turn * (1 << min(turns - 1, 6))
        attempts.append(MetadataAttempt(source: source, size: size, turnEnd: now + turn))
    }

    /// One more request to each peer in turn, so that the pieces are spread over all of them.
    private mutating func request(in attempt: Int, at now: Instant, into actions: inout [Action]) {
        let members = candidates.indices.filter {
            candidates[$0].pausedUntil <= now && contributes(candidates[$0], to: attempts[attempt])
        }
        var openings = attempts[attempt].openings(at: now, patience: limits.patience)
        for inFlight in 0..<limits.requestsPerPeer {
            for member in members where candidates[member].inFlight <= inFlight {
                let peer = candidates[member].peer
                guard let choice = openings.firstIndex(where: { $0.asked != peer }) else { continue }
                let piece = openings.remove(at: choice).piece
                attempts[attempt].requested(piece, from: peer, at: now)
                candidates[member].inFlight += 1
                actions.append(.request(piece: piece, from: peer))
            }
        }
    }
}
