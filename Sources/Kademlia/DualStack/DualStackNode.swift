package import Primitives

/// A node of the IPv4 DHT, of the IPv6 DHT, or of both (BEP 32: they are two, with a table and a store each).
///
///     datagram ──▶ the half of its sender's family ──▶ actions
///     command ───▶ both halves, under one identifier ──▶ findings as they come, one end when both have ended
///
/// Each half may name the other's contacts to who wants them, and tells it of those that it hears of itself.
package struct DualStackNode: ~Copyable {
    private var v4: DHTNode?
    private var v6: DHTNode?
    private let hasBoth: Bool
    /// Commands that run on both halves.
    private var commands: [LookupID: DualStackCommand] = [:]
    /// Whether the driver resolves the bootstrap nodes; one answer serves both halves.
    private var isResolving = false
    /// Records that one half has just found: what they say of the other family is the other half's to find out.
    private var claims: [FoundRecord] = []

    /// A node with one half or two; one with none stays silent.
    package init(v4: consuming DHTNode?, v6: consuming DHTNode?) {
        hasBoth = v4 != nil && v6 != nil
        self.v4 = v4
        self.v6 = v6
        guard hasBoth else { return }
        tell(.v4) { $0.companionship.hasCompanion = true }
        tell(.v6) { $0.companionship.hasCompanion = true }
    }

    // MARK: Facts

    /// Takes a datagram from the network, whatever it is.
    package mutating func received(
        _ datagram: RawSpan,
        from sender: Endpoint,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        let start = actions.actions.count
        let family = sender.address.family
        switch family {
        case .v4: v4?.received(datagram, from: sender, beside: v6, at: now, into: &actions)
        case .v6: v6?.received(datagram, from: sender, beside: v4, at: now, into: &actions)
        }
        settle(family, since: start, at: now, into: &actions)
    }

    /// Does what is due at `now`.
    package mutating func advanced(to now: Instant, into actions: inout DHTActionBuffer) {
        forEachHalf(at: now, into: &actions) { $0.advanced(to: now, into: &$1) }
    }

    /// Takes note that the host slept; see `DHTNode.woke`.
    package mutating func woke(at now: Instant, into actions: inout DHTActionBuffer) {
        forEachHalf(at: now, into: &actions) { $0.woke(at: now, into: &$1) }
    }

    /// Takes the driver's answers to `.resolveBootstrapNodes`: all that is known so far, more often than once if need be.
    ///
    /// - Parameter isComplete: whether that is all; a half of whose family there is nothing until then goes on waiting.
    package mutating func bootstrapNodesResolved(
        _ endpoints: [Endpoint],
        isComplete: Bool = true,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        if isComplete { isResolving = false }
        forEachHalf(at: now, into: &actions) {
            $0.bootstrapNodesResolved(endpoints, isComplete: isComplete, at: now, into: &$1)
        }
    }

    // MARK: Commands

    /// Joins the networks; see `DHTNode.start`. Each half takes the nodes of its family.
    package mutating func start(
        bootstrap: Bool,
        remembered: [Contact],
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        forEachHalf(at: now, into: &actions) {
            $0.start(bootstrap: bootstrap, remembered: remembered, at: now, into: &$1)
        }
    }

    /// Finds the nodes of both families closest to a place in the key space.
    package mutating func findNode(
        closestTo target: NodeID,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        command(towards: target, at: now, into: &actions) { $0.findNode(closestTo: target, at: now, into: &$1) }
    }

    /// Finds peers, and announces us where a port is given: our IPv4 address in the one DHT, the IPv6 address in the
    /// other (BEP 32).
    ///
    /// - Parameter port6: over IPv6, where that is another one: a router maps ports of IPv4 only.
    package mutating func findPeers(
        of infoHash: InfoHash,
        announcingPort port: UInt16?,
        overIPv6 port6: UInt16? = nil,
        isSeed: Bool = false,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        command(towards: NodeID(infoHash), at: now, into: &actions) {
            let port = $0.family == .v6 ? port6 ?? port : port
            return $0.findPeers(of: infoHash, announcingPort: port, isSeed: isSeed, at: now, into: &$1)
        }
    }

    /// Counts seeds and peers (BEP 33); `.scraped` comes once from each half, for the two networks hold different
    /// addresses.
    package mutating func scrape(
        _ infoHash: InfoHash,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        command(towards: NodeID(infoHash), at: now, into: &actions) { $0.scrape(infoHash, at: now, into: &$1) }
    }

    /// Asks the nodes around a place in the key space for samples of their info-hashes (BEP 51).
    package mutating func sample(
        around target: NodeID,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        command(towards: target, at: now, into: &actions) { $0.sample(around: target, at: now, into: &$1) }
    }

    /// Ends a lookup without a word; an unknown one is ignored.
    package mutating func cancel(_ lookup: LookupID) {
        commands[lookup] = nil
        tell(.v4) { $0.cancel(lookup) }
        tell(.v6) { $0.cancel(lookup) }
    }

    /// Says that something is not shared here any more; see `DHTNode.withdraw`.
    package mutating func withdraw(_ infoHash: InfoHash) {
        tell(.v4) { $0.withdraw(infoHash) }
        tell(.v6) { $0.withdraw(infoHash) }
    }

    /// Tells both halves which addresses this host has; see `DHTNode.hasAddresses`.
    package mutating func hasAddresses(_ addresses: [IPAddress], port: UInt16? = nil) {
        tell(.v4) { $0.hasAddresses(addresses, port: port) }
        tell(.v6) { $0.hasAddresses(addresses, port: port) }
    }

    /// Asks whether a node is there. Where we have no half of its family, it is not.
    package mutating func ping(
        _ endpoint: Endpoint,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> PingID {
        level()
        let family = has(endpoint.address.family) ? endpoint.address.family : endpoint.address.family.other
        return tell(family) { $0.ping(endpoint, at: now, into: &actions) } ?? PingID(number: 0)
    }

    /// Begins a command on both halves under one identifier.
    ///
    /// Every command that a `DHTNode` knows and that ends with `.finished` can be given this way.
    mutating func command(
        towards target: NodeID,
        at now: Instant,
        into actions: inout DHTActionBuffer,
        _ begin: (inout DHTNode, inout DHTActionBuffer) -> LookupID
    ) -> LookupID {
        level()
        if hasBoth { commands[nextLookup] = DualStackCommand(target: target) }
        var lookup: LookupID?
        forEachHalf(at: now, into: &actions) { lookup = begin(&$0, &$1) }
        return lookup ?? nextLookup
    }

    // MARK: Questions

    package func has(_ family: AddressFamily) -> Bool { ask(family) { _ in true } ?? false }

    /// The identifier in one DHT; both share their tail (secure-peer.md, §1).
    package func id(_ family: AddressFamily) -> NodeID? { ask(family) { $0.id } }

    /// When `advanced` is next needed.
    package var nextDeadline: Instant? {
        let v4 = ask(.v4) { $0.nextDeadline } ?? nil
        let v6 = ask(.v6) { $0.nextDeadline } ?? nil
        guard let v4, let v6 else { return v4 ?? v6 }
        return min(v4, v6)
    }

    /// Whether somebody answered, in one DHT or the other, since we were last alone there.
    package var isJoined: Bool { both { $0.isJoined }.contains(true) }

    package func isJoined(_ family: AddressFamily) -> Bool { ask(family) { $0.isJoined } ?? false }

    /// The good nodes of both tables: for the file of remembered nodes.
    package var contacts: [Contact] { both { $0.contacts }.flatMap { $0 } }

    /// By what hosts of the internet reach us, as far as they agree (BEP 42).
    package func externalAddress(_ family: AddressFamily) -> IPAddress? { ask(family) { $0.externalAddress } ?? nil }

    /// Whether we answer hosts of the internet there, or only ask them (BEP 43).
    package func isServing(_ family: AddressFamily) -> Bool { ask(family) { $0.isServing } ?? false }

    package func contacts(_ family: AddressFamily) -> [Contact] { ask(family) { $0.contacts } ?? [] }

    package func buckets(_ family: AddressFamily) -> [BucketSummary] { ask(family) { $0.buckets } ?? [] }

    /// What both halves have seen and done.
    package var statistics: DHTStatistics { both { $0.statistics }.reduce(DHTStatistics(), +) }

    package func statistics(_ family: AddressFamily) -> DHTStatistics? { ask(family) { $0.statistics } }

    /// The peers that others announced to us under an info-hash.
    package func storedPeers(of infoHash: InfoHash) -> [Endpoint] {
        both { $0.storedPeers(of: infoHash) }.flatMap { $0 }
    }

    // MARK: Stored peers

    /// What was announced to one half, to be encoded for the next run.
    package func peerFile(_ family: AddressFamily) -> PeerFile? { ask(family) { $0.peerFile } }

    /// Takes up what was announced to one half in a former run; see `DHTNode.restorePeers`.
    package mutating func restorePeers(
        _ bytes: RawSpan,
        writtenAgo age: Duration,
        _ family: AddressFamily,
        at now: Instant
    ) throws(PeerFile.Fault) {
        switch family {
        case .v4: try v4?.restorePeers(bytes, writtenAgo: age, at: now)
        case .v6: try v6?.restorePeers(bytes, writtenAgo: age, at: now)
        }
    }

    // MARK: Halves

    /// Reads something from one half; `nil` where there is none.
    func ask<Answer>(_ family: AddressFamily, _ question: (borrowing DHTNode) -> Answer) -> Answer? {
        switch family {
        case .v4:
            switch v4 {
            case .some(let node): question(node)
            case .none: nil
            }
        case .v6:
            switch v6 {
            case .some(let node): question(node)
            case .none: nil
            }
        }
    }

    private func both<Answer>(_ question: (borrowing DHTNode) -> Answer) -> [Answer] {
        AddressFamily.allCases.compactMap { ask($0, question) }
    }

    @discardableResult
    mutating func tell<Answer>(_ family: AddressFamily, _ body: (inout DHTNode) -> Answer) -> Answer? {
        switch family {
        case .v4: v4?.told(body)
        case .v6: v6?.told(body)
        }
    }

    mutating func forEachHalf(
        at now: Instant,
        into actions: inout DHTActionBuffer,
        _ body: (inout DHTNode, inout DHTActionBuffer) -> Void
    ) {
        for family in AddressFamily.allCases {
            let start = actions.actions.count
            tell(family) { body(&$0, &actions) }
            settle(family, since: start, at: now, into: &actions)
        }
    }

    /// Brings the numbers of both halves level: what they begin next gets the same one.
    private mutating func level() {
        let number = both { $0.lastNumber }.max() ?? 0
        tell(.v4) { $0.lastNumber = number }
        tell(.v6) { $0.lastNumber = number }
    }

    private var nextLookup: LookupID { LookupID(number: (both { $0.lastNumber }.max() ?? 0) + 1) }

    // MARK: One voice

    /// Looks through what one half has just said, joins it with what the other one said, and tells the other half of
    /// the contacts that this one heard of.
    private mutating func settle(
        _ family: AddressFamily,
        since start: Int,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard hasBoth else { return }
        actions.rewrite(from: start) { merged($0, from: family) }
        let heard = tell(family) { $0.companionship.takeHeard() } ?? []
        guard !heard.isEmpty || !claims.isEmpty else { return }
        let next = actions.actions.count
        let found = claims
        claims.removeAll()
        tell(family.other) {
            if !heard.isEmpty { $0.heard(of: heard, at: now, into: &actions) }
            for found in found {
                let source = (found.sender ?? found.seenAt)?.address
                $0.prove(found.places, namedBy: source, at: now, into: &actions)
            }
        }
        settle(family.other, since: next, at: now, into: &actions)
    }

    /// What the owner is told of an action of one half; `nil` for nothing.
    private mutating func merged(_ action: DHTAction, from family: AddressFamily) -> DHTAction? {
        switch action {
        case .resolveBootstrapNodes:
            defer { isResolving = true }
            return isResolving ? nil : action
        case .bootstrapped:
            return .bootstrapped(nodes: both { $0.table.count }.reduce(0, +))
        case .bootstrapFailed(let attempt, _):
            // News only where both have failed: many a machine has but one of the two networks.
            let isNews = ask(family.other) { !$0.isJoined && $0.joining.failedAttempts >= attempt }
            return isNews == true ? action : nil
        case .lookupProgress(let lookup, let asked, let answered):
            guard let sum = commands[lookup]?.progressed(family, asked: asked, answered: answered) else { return nil }
            return .lookupProgress(lookup, asked: sum.asked, answered: sum.answered)
        case .foundRecord(let lookup, let found):
            guard commands[lookup]?.isNews(found.record) == true else { return nil }
            claims.append(found)
            return action
        case .foundItem(let lookup, let item):
            return commands[lookup]?.isNews(item) == true ? action : nil
        case .finished(let lookup, let summary):
            return finished(lookup, summary, in: family).map { .finished(lookup, $0) }
        default: return action
        }
    }

    /// The summary of a whole command, once the second half has ended, or the first while the second has nobody who
    /// answers: a network that is not there keeps nobody waiting.
    private mutating func finished(_ lookup: LookupID, _ summary: LookupSummary, in family: AddressFamily)
        -> LookupSummary?
    {
        guard let isComplete = commands[lookup]?.finished(summary, in: family) else { return nil }
        if !isComplete {
            let isHopeless = ask(family.other) { !$0.isJoined && !$0.hasReplies(lookup) } ?? true
            guard summary.outcome == .complete, isHopeless else { return nil }
            tell(family.other) { $0.cancel(lookup) }
        }
        return commands.removeValue(forKey: lookup)?.summary
    }
}

extension DHTNode {
    fileprivate mutating func told<Answer>(_ body: (inout DHTNode) -> Answer) -> Answer { body(&self) }

    /// Whether anybody has answered this lookup yet.
    fileprivate func hasReplies(_ lookup: LookupID) -> Bool {
        lookups.index(of: lookup).map { lookups[$0].replies > 0 } ?? false
    }
}
