import Primitives

/// Whom a search asks next.
///
/// The most promising candidates are asked as soon as they are known: a nearer node never waits until an answer of a
/// farther one frees its place. Behind them α queries are kept in flight. When the nearest have answered and name nobody
/// nearer, the rest of the k and some more are asked at once, since all that is still to be learnt is who of them lives.
extension Lookup {
    /// Where the candidate stands that should be asked now, if any.
    var nextCandidate: Int? {
        guard askedInFlight < limits.mostInFlight else { return nil }
        if let index = cheapest(.fresh), isInHead(index) { return index }
        let hasArrived = cheapest(.answered).map { isInHead($0) } ?? false
        guard hasArrived || askedInFlight < limits.queriesInFlight else { return nil }
        let wanted = limits.bucketSize + (hasArrived ? limits.spareCandidates : 0)
        return candidates.inView.prefix(wanted).first { candidates.sorted[$0].state == .fresh }
    }

    /// The candidate of that state through which we expect to arrive first.
    private func cheapest(_ state: Candidate.State) -> Int? {
        candidates.inView.lazy.filter { candidates.sorted[$0].state == state }
            .min { candidates.sorted[$0].cost < candidates.sorted[$1].cost }
    }

    /// Whether only a few promise more.
    private func isInHead(_ index: Int) -> Bool {
        let cost = candidates.sorted[index].cost
        return candidates.inView.count { candidates.sorted[$0].cost < cost } < limits.headOfLookup
    }
}
