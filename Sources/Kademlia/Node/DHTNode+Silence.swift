package import Primitives

/// How a node notices that the network is not the one it knew: it slept, or nobody answers any more.
extension DHTNode {
    /// Takes note of the time; a gap in it means that the host slept.
    mutating func told(_ now: Instant, into actions: inout DHTActionBuffer) {
        let gap = now - toldTime
        toldTime = max(now, toldTime)
        // Upkeep alone has us told the time far more often than that.
        if gap >= limits.sleep { woke(at: now, into: &actions) }
    }

    /// Takes note that the host slept, for a driver whose clock stands still meanwhile.
    ///
    /// Nobody is to blame for having answered to deaf ears, and the host may have moved.
    package mutating func woke(at now: Instant, into actions: inout DHTActionBuffer) {
        guard joining.isStarted else { return }
        statistics.wakeUps += 1
        identity.external.forgetVotes()
        for query in queries.takeAll() { fail(query, at: now, into: &actions) }
        joining.unanswered = limits.silentQueries
        rejoinIfAlone(at: now, into: &actions)
    }

    /// Counts the silence of a node that had answered before: of those that are only hearsay it proves nothing, and a
    /// liar could name any number of them.
    mutating func unanswered(_ query: OpenQuery) {
        guard let expected = query.expected else { return }
        let contact = Contact(expected, query.endpoint)
        if table.contains(contact) { joining.unanswered += 1 }
    }

    /// Somebody answers.
    mutating func heardAgain(at now: Instant, into actions: inout DHTActionBuffer) {
        let wasSilent = joining.unanswered >= limits.silentQueries
        joining.unanswered = 0
        guard wasSilent, joining.isStarted, !joining.hasJoined, joining.lookup == nil else { return }
        join(at: now, into: &actions)
    }

    /// Starts over when everybody we knew has fallen silent.
    mutating func rejoinIfAlone(at now: Instant, into actions: inout DHTActionBuffer) {
        guard joining.hasJoined, isAlone else { return }
        joining.hasJoined = false
        identity.external.forgetVotes()
        join(at: now, into: &actions)
    }

    /// Whether there is nobody who may be expected to answer.
    var isAlone: Bool { joining.unanswered >= limits.silentQueries || !table.hasReachableNodes }
}
