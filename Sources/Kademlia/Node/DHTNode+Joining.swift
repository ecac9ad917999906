package import Primitives

/// Where a node stands with getting into the network.
struct Joining: Sendable {
    var isStarted = false
    var usesBootstrap = false
    /// Nodes of a former run; the next one that upkeep tries.
    var remembered: [Contact] = []
    var nextRemembered = 0
    /// The bootstrap nodes as they were last resolved.
    var endpoints: [Endpoint] = []
    /// Set while the driver resolves them.
    var resolveDeadline: Instant?
    /// The lookup of our own neighbourhood, while it runs.
    var lookup: LookupID?
    var hasJoined = false
    var failedAttempts = 0
    /// Queries in a row that nodes of the table did not answer.
    var unanswered = 0
    /// Set in a pause after a failed attempt.
    var retryAt: Instant?
    /// Whether the first contacts from our companion have ended a pause already.
    var wasWoken = false

    /// Remembers more nodes to try; those that were tried make room.
    mutating func remember(_ contacts: [Contact], atMost limit: Int) {
        let tooMany = remembered.count + contacts.count - limit
        let leaving = max(0, min(tooMany, nextRemembered))
        remembered.removeFirst(leaving)
        nextRemembered -= leaving
        remembered.append(contentsOf: contacts.prefix(max(0, limit - remembered.count)))
    }
}

extension DHTNode {
    /// Takes the driver's answer to `.resolveBootstrapNodes`; empty when no name could be resolved.
    ///
    /// - Parameter isComplete: whether nothing more follows. Until then we go on waiting for endpoints of our family.
    package mutating func bootstrapNodesResolved(
        _ endpoints: [Endpoint],
        isComplete: Bool = true,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard joining.isStarted else { return }
        let usable = endpoints.filter { $0.isUsable(in: family) && !ownEndpoints.contains($0) }
        guard isComplete || !usable.isEmpty else { return }
        joining.resolveDeadline = nil
        joining.endpoints = Array(usable.prefix(limits.bootstrapEndpoints))
        // Every lookup that still knows nobody goes to them directly: none has to wait for the join.
        for lookup in lookups {
            guard lookup.replies == 0 || lookup.id == joining.lookup, !lookup.isInOverlay,
                let index = lookups.index(of: lookup.id)
            else { continue }
            lookups[index].add(strangers: joining.endpoints)
        }
        // The join goes last: if there is nobody, it fails, and the others learn it from that.
        for lookup in lookups where lookup.id != joining.lookup { pump(lookup.id, at: now, into: &actions) }
        if let join = joining.lookup { pump(join, at: now, into: &actions) }
    }

    /// Begins an attempt to get into the network, with every node we ever heard of.
    mutating func join(at now: Instant, into actions: inout DHTActionBuffer) {
        joining.retryAt = nil
        guard joining.lookup == nil else { return }
        if joining.usesBootstrap, isAlone {
            actions.append(.resolveBootstrapNodes)
            joining.resolveDeadline = now + limits.resolveTimeout
        }
        var join = newLookup(.join, target: id)
        let lookup = join.id
        table.closest(to: id, atMost: limits.bucketSize * 2, for: nil, into: &contactScratch)
        join.add(contactScratch)
        if contactScratch.isEmpty {
            let fallen = table.contacts { _ in true }
            join.add(strangers: joining.remembered.map(\.endpoint))
            join.add(strangers: fallen.map(\.endpoint))
            // Those of last time, in case resolving takes longer than we wait.
            join.add(strangers: joining.endpoints)
        }
        joining.lookup = lookup
        lookups.append(join)
        table.refreshing(id, at: now)
        pump(lookup, at: now, into: &actions)
    }

    /// A node came into the table. The first one, however it found us, is the way into the network (BEP 5).
    mutating func nodeAdded(at now: Instant, into actions: inout DHTActionBuffer) {
        guard joining.isStarted, !joining.hasJoined, joining.lookup == nil else { return }
        join(at: now, into: &actions)
    }

    /// Somebody answers: says so once for each time that we were alone.
    mutating func joined(into actions: inout DHTActionBuffer) {
        guard !joining.hasJoined, !isAlone else { return }
        joining.hasJoined = true
        joining.failedAttempts = 0
        joining.wasWoken = false
        joining.retryAt = nil
        actions.append(.bootstrapped(nodes: table.count))
    }

    /// The lookup of our own neighbourhood has ended.
    mutating func joinFinished(at now: Instant, into actions: inout DHTActionBuffer) {
        joining.lookup = nil
        joined(into: &actions)
        if !joining.hasJoined { joinFailed(at: now, into: &actions) }
        for lookup in lookups where lookup.replies == 0 {
            guard let index = lookups.index(of: lookup.id) else { continue }
            let nodes = lookup.isInOverlay ? kind.overlay.table : table
            nodes.closest(to: lookup.target, atMost: limits.bucketSize, for: nil, into: &contactScratch)
            lookups[index].add(contactScratch)
            pump(lookup.id, at: now, into: &actions)
        }
        probeReachability(at: now, into: &actions)
        refreshStaleBucket(at: now, into: &actions)
    }

    private mutating func joinFailed(at now: Instant, into actions: inout DHTActionBuffer) {
        // The first node of a network has nobody to ask and waits to be asked.
        guard joining.usesBootstrap || !joining.remembered.isEmpty || table.count > 0 else { return }
        joining.failedAttempts += 1
        let doublings = min(joining.failedAttempts - 1, 16)
        let pause = min(limits.firstBootstrapPause * (1 << doublings), limits.longestBootstrapPause)
        joining.retryAt = now + pause
        actions.append(.bootstrapFailed(attempt: joining.failedAttempts, retryIn: pause))
    }

}
