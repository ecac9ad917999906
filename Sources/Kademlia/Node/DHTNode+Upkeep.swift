package import Primitives

extension DHTNode {
    /// Does what is due at `now`.
    package mutating func advanced(to now: Instant, into actions: inout DHTActionBuffer) {
        told(now, into: &actions)
        while let lapse = queries.nextLapse(at: now) {
            switch lapse {
            case .slow(let query): becameSlow(query, at: now, into: &actions)
            case .failed(let query): timedOut(query, at: now, into: &actions)
            }
        }
        askForProofs(at: now, into: &actions)
        askPeers(at: now, into: &actions)
        feedStarved(at: now, into: &actions)
        if let deadline = joining.resolveDeadline, deadline <= now {
            bootstrapNodesResolved([], at: now, into: &actions)
        }
        if let retryAt = joining.retryAt, retryAt <= now { join(at: now, into: &actions) }
        if let due = nextUpkeep, due <= now {
            nextUpkeep = now + limits.upkeepInterval
            upkeep(at: now, into: &actions)
        }
    }

    private mutating func becameSlow(_ query: OpenQuery, at now: Instant, into actions: inout DHTActionBuffer) {
        switch query.purpose {
        case .ping, .verify, .proveKey:
            return
        case .lookup(let id), .findNode(let id):
            guard let index = lookups.index(of: id) else { return }
            lookups[index].becameSlow(query)
            pump(id, at: now, into: &actions)
        case .store(let id):
            guard let index = lookups.index(of: id) else { return }
            lookups[index].storeBecameSlow()
            pump(id, at: now, into: &actions)
        }
    }

    private mutating func timedOut(_ query: OpenQuery, at now: Instant, into actions: inout DHTActionBuffer) {
        statistics.timeouts += 1
        unanswered(query)
        if let expected = query.expected {
            let contact = Contact(expected, query.endpoint)
            table.failed(contact, at: now)
            kind.overlay.failed(contact, at: now)
            if queries.areAnswered, !query.purpose.isAboutAsker { recent.failed(contact, at: now) }
        }
        if query.purpose == .proveKey { kind.proving.wasSilent(query.endpoint, at: now) }
        // First, so that lookups that have run out of nodes wait for those that the new attempt may find.
        rejoinIfAlone(at: now, into: &actions)
        fail(query, at: now, into: &actions)
    }

    /// Looks the table over: pings who was silent, tries remembered nodes, refreshes one stale bucket (BEP 5).
    private mutating func upkeep(at now: Instant, into actions: inout DHTActionBuffer) {
        peers.sweep(at: now)
        items.sweep(at: now)
        if let wallClock { kind.records.sweep(at: now, wallClock) }
        var pings = 0
        let silent = table.nodesToPing(atMost: limits.pingsPerUpkeep, freshness: limits.freshness, at: now)
        for contact in silent {
            verify(contact, at: now, into: &actions)
            pings += 1
        }
        guard joining.hasJoined else { return }
        republishDue(at: now, into: &actions)
        probeReachability(at: now, into: &actions)
        while pings < limits.pingsPerUpkeep, joining.nextRemembered < joining.remembered.count {
            let contact = joining.remembered[joining.nextRemembered]
            joining.nextRemembered += 1
            guard table.hasRoom(for: contact) else { continue }
            verify(contact, at: now, into: &actions)
            pings += 1
        }
        refreshStaleBucket(at: now, into: &actions)
        overlayUpkeep(at: now, into: &actions)
    }

    /// Looks into the part of the key space that we know least of, unless we are at it.
    ///
    /// Besides the nodes nearest to it, some from elsewhere and for an empty bucket the bootstrap nodes are asked: in a
    /// network that starts all at once, neighbours may know as little of the far half as we do.
    mutating func refreshStaleBucket(at now: Instant, into actions: inout DHTActionBuffer) {
        guard refresh == nil, joining.hasJoined, let bucket = table.staleBucket(limits: limits, at: now) else { return }
        let target = table.randomID(inBucket: bucket, using: &random)
        var outsiders = table.goodContacts(at: now).map(\.endpoint)
        outsiders.shuffle(using: &random)
        outsiders.removeSubrange(min(limits.refreshOutsiders, outsiders.count)...)
        if table.range(ofBucket: bucket).isEmpty { outsiders += joining.endpoints.prefix(limits.refreshOutsiders) }
        let id = begin(.refresh, target: target, asking: outsiders, at: now, into: &actions)
        // With nobody to ask, a lookup is over before `begin` returns.
        if lookups.index(of: id) != nil { refresh = id }
    }
}
