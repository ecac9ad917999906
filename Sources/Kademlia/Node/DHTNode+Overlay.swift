import Cryptography
import Primitives

/// How the nodes of our own kind find each other: by the version that they show in every message, by what such nodes name
/// to each other, and by the peers of a torrent.
extension DHTNode {
    /// Takes note of an answer of a node that says it is of our kind: it keeps its place, or is asked to prove its key.
    mutating func met(
        _ contact: Contact,
        after roundTrip: Duration,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        if kind.overlay.answered(contact, after: roundTrip, at: now) { return }
        guard isOfOurKind, kind.proving.isIdle, kind.overlay.hasRoom(for: contact), limits.accepts(contact) else {
            return
        }
        kind.proving.add(contact.endpoint, expecting: contact.id, isClaimed: false, at: now)
        askForProofs(at: now, into: &actions)
    }

    /// Takes note of a query of such a node, which others can reach. Its source may be forged, so it is not asked before
    /// what it asked us is answered, and only while there is nothing else to ask.
    mutating func wasAsked(by contact: Contact, at now: Instant, into actions: inout DHTActionBuffer) {
        guard isOfOurKind, kind.proving.isIdle, kind.overlay.hasRoom(for: contact), limits.accepts(contact) else {
            return
        }
        kind.proving.add(contact.endpoint, expecting: contact.id, isClaimed: false, at: now)
        askForProofs(at: now, into: &actions)
    }

    /// Takes note that a node of the overlay answered with an error: unless it only has too much to do, it is not of our
    /// kind any more.
    mutating func noteOtherKind(_ query: OpenQuery, at now: Instant, _ message: Message) {
        guard query.purpose == .proveKey, let expected = query.expected,
            message.errorCode != ProtocolError.busyCode
        else { return }
        kind.overlay.failed(Contact(expected, query.endpoint), at: now)
    }

    /// A node proved its key.
    mutating func enteredOverlay(
        _ contact: Contact,
        _ key: Ed25519.PublicKey,
        after roundTrip: Duration,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        let isFirst = kind.overlay.count == 0
        if let questionable = kind.overlay.proved(contact, key, after: roundTrip, at: now) {
            kind.proving.add(questionable.endpoint, expecting: questionable.id, isClaimed: false, at: now)
        }
        // Searches that had nobody to ask are glad of the first node that there is.
        for index in lookups.indices where lookups[index].isInOverlay && lookups[index].replies == 0 {
            lookups[index].add([contact])
        }
        pumpThoseWithoutNodes(at: now, into: &actions)
        if isFirst, kind.overlay.count > 0, joining.isStarted { refreshOverlay(at: now, into: &actions) }
    }

    /// Lets searches go on that waited for the outcome of a proof.
    mutating func pumpThoseWithoutNodes(at now: Instant, into actions: inout DHTActionBuffer) {
        for lookup in lookups where lookup.isInOverlay && lookup.replies == 0 {
            pump(lookup.id, at: now, into: &actions)
        }
    }

    /// Asks nodes that were silent for long to prove their key again, and looks for more of them where few are known.
    mutating func overlayUpkeep(at now: Instant, into actions: inout DHTActionBuffer) {
        // One that waited for the peers of a search that was called off would wait for ever.
        for lookup in lookups where lookup.records != nil { pump(lookup.id, at: now, into: &actions) }
        let silent = kind.overlay.table.nodesToPing(
            atMost: limits.pingsPerUpkeep,
            freshness: limits.freshness,
            at: now
        )
        for contact in silent { kind.proving.add(contact.endpoint, expecting: contact.id, isClaimed: false, at: now) }
        askForProofs(at: now, into: &actions)
        refreshOverlay(at: now, into: &actions)
    }

    /// Looks into the part of the key space where we know least of the overlay, unless we are at it.
    private mutating func refreshOverlay(at now: Instant, into actions: inout DHTActionBuffer) {
        guard kind.overlay.refresh == nil, kind.overlay.count > 0,
            let bucket = kind.overlay.table.staleBucket(limits: kind.overlay.table.limits, at: now)
        else { return }
        let isNearest = bucket == kind.overlay.table.buckets.count - 1
        let target = isNearest ? id : kind.overlay.table.randomID(inBucket: bucket, using: &random)
        let search = beginInOverlay(.overlay, target: target, at: now, into: &actions)
        if lookups.index(of: search) != nil { kind.overlay.refresh = search }
    }

    /// The search for more nodes has ended.
    mutating func overlayRefreshed(at now: Instant, into actions: inout DHTActionBuffer) {
        kind.overlay.refresh = nil
        // At the start all parts are filled one after the other, then upkeep sets the pace.
        if kind.overlay.table.hasUnexploredBucket(limits: kind.overlay.table.limits) {
            refreshOverlay(at: now, into: &actions)
        }
    }

    /// Starts a lookup with the nodes of our kind that we know.
    mutating func beginInOverlay(
        _ purpose: Lookup.Purpose,
        target: NodeID,
        storing value: StoredValue? = nil,
        at now: Instant,
        into actions: inout DHTActionBuffer,
        _ prepare: (inout DHTNode, Int) -> Void = { _, _ in }
    ) -> LookupID {
        var lookup = newLookup(purpose, target: target, storing: value)
        let id = lookup.id
        kind.overlay.table.closest(to: target, atMost: limits.candidatesInView, for: nil, into: &contactScratch)
        lookup.add(contactScratch) { kind.overlay.table.roundTrip(of: $0)?.smoothed }
        kind.overlay.refreshing(target, at: now)
        lookups.append(lookup)
        prepare(&self, lookups.count - 1)
        pump(id, at: now, into: &actions)
        return id
    }
}
