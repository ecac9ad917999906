import Primitives

extension DHTNode {
    /// Starts a lookup with the nodes we know best: the table, or while it is empty whoever we have heard of.
    mutating func begin(
        _ purpose: Lookup.Purpose,
        target: NodeID,
        storing value: StoredValue? = nil,
        asking outsiders: [Endpoint] = [],
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        var lookup = newLookup(purpose, target: target, storing: value)
        let id = lookup.id
        lookup.region = lookup.asksForValues ? size.spacing.map { Region(around: target, spacing: $0) } : nil
        table.closest(to: target, atMost: limits.candidatesInView, for: nil, into: &contactScratch)
        let knowsNobody = contactScratch.isEmpty
        recent.appendNearest(to: target, atMost: limits.bucketSize, at: now, to: &contactScratch)
        let (awake, silent) = awakeAndSilent(contactScratch, at: now)
        lookup.add(awake.isEmpty ? silent : awake) { table.roundTrip(of: $0)?.smoothed }
        if knowsNobody {
            let nearest = joining.remembered.sorted { $0.id.isCloser(to: target, than: $1.id) }
            lookup.add(strangers: nearest.prefix(limits.rememberedPerLookup).map(\.endpoint))
            lookup.add(strangers: joining.endpoints)
        }
        lookup.add(strangers: outsiders)
        table.refreshing(target, at: now)
        lookups.append(lookup)
        if case .getPeers(let infoHash) = purpose {
            peers.sample(
                infoHash,
                atMost: limits.valuesPerLookup,
                for: nil,
                at: now,
                using: &random,
                into: &peerScratch
            )
            handOn(peerScratch, of: lookups.count - 1, from: nil, into: &actions)
        }
        offerOwnItem(to: lookups.count - 1, at: now, into: &actions)
        pump(id, at: now, into: &actions)
        return id
    }

    /// A lookup that knows nobody yet.
    mutating func newLookup(_ purpose: Lookup.Purpose, target: NodeID, storing value: StoredValue? = nil) -> Lookup {
        Lookup(
            id: LookupID(number: nextNumber()),
            target: target,
            purpose: purpose,
            storing: value,
            usualRoundTrip: queries.roundTrips.median,
            limits: sharedLimits
        )
    }

    /// Lets a lookup go as far as it can: ask, store, finish.
    mutating func pump(_ id: LookupID, at now: Instant, into actions: inout DHTActionBuffer) {
        guard let index = lookups.index(of: id) else { return }
        ask(index, at: now, into: &actions)
        if lookups[index].settles() {
            store(index, at: now, into: &actions)
            if id == joining.lookup { joined(into: &actions) }
        }
        // As long as somebody may still tell us of a node, a lookup that found none has not failed.
        let isTheirTurn = id != joining.lookup || joining.resolveDeadline != nil
        let isWaiting = isWaitingForNodes || lookups[index].isInOverlay && kind.proving.isAsking
        if lookups[index].replies == 0, lookups[index].phase != .finished, isWaiting, isTheirTurn { return }
        if lookups.isWaitingForPeers(index) { return }
        lookups[index].advancePhase()
        if lookups[index].needsWidening {
            widen(index, at: now, into: &actions)
            ask(index, at: now, into: &actions)
            lookups[index].advancePhase()
        }
        if lookups[index].phase == .storing {
            store(index, at: now, into: &actions)
            lookups[index].finishStoring()
        }
        if lookups[index].phase == .finished { finish(index, at: now, into: &actions) }
    }

    /// Gives lookups that found no free query their turn.
    mutating func feedStarved(at now: Instant, into actions: inout DHTActionBuffer) {
        while queries.count < limits.openQueries, !starved.isEmpty {
            let id = starved.removeFirst()
            guard let index = lookups.index(of: id) else { continue }
            lookups[index].isStarved = false
            pump(id, at: now, into: &actions)
        }
    }

    /// Tells apart who may answer and who lately did not.
    mutating func awakeAndSilent(_ contacts: [Contact], at now: Instant) -> (awake: [Contact], silent: [Contact]) {
        if recent.noneIsSilent { return (contacts, []) }
        var (awake, silent): ([Contact], [Contact]) = ([], [])
        for contact in contacts {
            if recent.isSilent(contact, at: now) { silent.append(contact) } else { awake.append(contact) }
        }
        return (awake, silent)
    }

    private var isWaitingForNodes: Bool { joining.resolveDeadline != nil || joining.lookup != nil }

    private mutating func ask(_ index: Int, at now: Instant, into actions: inout DHTActionBuffer) {
        let lookup = lookups[index].id
        let outgoing: OutgoingQuery =
            switch lookups[index].purpose {
            case .getPeers(let infoHash):
                .getPeers(infoHash, sparesSeeds: lookups[index].storing?.value.isOfSeed ?? false)
            case .scrape(let infoHash): .scrape(infoHash)
            case .sample: .sampleInfohashes(lookups[index].target)
            case .item, .republish: .get(lookups[index].target, newerThan: lookups[index].item?.latest)
            case .records, .overlay: .getHave(lookups[index].getHave)
            case .join, .refresh, .findNode:
                .findNode(lookups[index].target, wantsBoth: wantsBothFamilies(for: lookups[index].purpose))
            }
        let patience = lookups[index].patience
        while queries.count < limits.openQueries {
            guard let query = lookups[index].nextQuery() else { return }
            switch query {
            case .contact(let contact):
                send(
                    outgoing,
                    to: contact.endpoint,
                    expecting: contact.id,
                    for: .lookup(lookup),
                    patience: patience,
                    at: now,
                    into: &actions
                )
            case .findNode(let place, let contact):
                send(
                    .findNode(place, wantsBoth: false),
                    to: contact.endpoint,
                    expecting: contact.id,
                    for: .findNode(lookup),
                    at: now,
                    into: &actions
                )
            case .stranger(let endpoint):
                send(outgoing, to: endpoint, expecting: nil, for: .lookup(lookup), at: now, into: &actions)
            }
        }
        guard !lookups[index].isStarved else { return }
        lookups[index].isStarved = true
        starved.append(lookup)
    }

    /// Lets a lookup look all over its region, from two beginnings where an eclipse is suspected.
    private mutating func widen(_ index: Int, at now: Instant, into actions: inout DHTActionBuffer) {
        var beginnings: [[Contact]] = []
        if lookups[index].isSurrounded {
            statistics.eclipsesSuspected += 1
            actions.append(.eclipseSuspected(lookups[index].id))
            // Not those nearest to the target: in the table too these are the Sybils.
            var known = table.contacts { !$0.isBad }
            known.shuffle(using: &random)
            beginnings = [Array(known[..<(known.count / 2)]), Array(known[(known.count / 2)...])]
        }
        lookups[index].widen(from: beginnings, seed: secrets.next())
    }

    private mutating func store(_ index: Int, at now: Instant, into actions: inout DHTActionBuffer) {
        let lookup = lookups[index].id
        for (contact, query) in lookups[index].nextStores() {
            send(
                query,
                to: contact.endpoint,
                expecting: contact.id,
                for: .store(lookup),
                patience: .greatest,
                at: now,
                into: &actions
            )
        }
    }

    private mutating func finish(_ index: Int, at now: Instant, into actions: inout DHTActionBuffer) {
        let lookup = lookups.remove(at: index)
        // Who surrounds a key shall not be where its next search begins.
        let closest = lookup.closest
        if !lookup.isInOverlay {
            if !lookup.isSurrounded { recent.found(closest.map(\.contact), at: now) }
            size.measured(lookup.target, closest: closest.map(\.distance), isDrawn: lookup.purpose == .refresh)
        }
        switch lookup.purpose {
        case .join: joinFinished(at: now, into: &actions)
        case .refresh:
            refresh = nil
            // After a join all parts of the table are filled one after the other, then upkeep sets the pace.
            if table.hasUnexploredBucket(limits: limits) { refreshStaleBucket(at: now, into: &actions) }
        case .republish: republished(lookup, at: now)
        case .overlay: overlayRefreshed(at: now, into: &actions)
        case .findNode, .sample, .item, .records: actions.append(.finished(lookup.id, lookup.summary))
        case .getPeers(let infoHash):
            actions.append(.finished(lookup.id, lookup.summary))
            // Records are asked of the peers that it found: they wait for no more of them.
            for search in lookups.recordSearches(of: infoHash) { pump(search, at: now, into: &actions) }
        case .scrape:
            if let scrape = lookup.scrape { actions.append(.scraped(lookup.id, scrape.summary)) }
            actions.append(.finished(lookup.id, lookup.summary))
        }
    }
}
