import Primitives

/// Where others reach us, by the votes of those who answer us (the `ip` of BEP 42, hardening D5).
///
/// A reply that nobody asked for never gets here, so a vote costs its giver an address. Of one network the newest vote
/// counts, whoever in it gave it: the owner of a /24 has one voice, however often it is raised.
struct ExternalAddress: Sendable {
    private struct Vote: Sendable {
        let network: IPAddress
        var address: IPAddress
        /// Replies in a row that said so.
        var replies: Int
        var heardAt: Instant
    }

    @SharedLimits private var limits: DHTLimits
    /// The newest last, one a network.
    private var votes: [Vote] = []
    private var changedAt: Instant?
    /// The address by which public hosts see us; `nil` as long as too few agree.
    private(set) var decided: IPAddress?
    /// What hosts of private networks, and of this host, last said: they decide about nothing but what is said to them.
    private var ofPrivate: IPAddress?
    /// The addresses that this host has, as far as somebody told us.
    var interfaces: [IPAddress] = []
    private var ofLoopback: IPAddress?
    /// The port that this host listens on, as far as somebody told us.
    var port: UInt16?

    /// - Parameter decided: where a former run was, until the votes say otherwise.
    init(decided: IPAddress? = nil, limits: SharedLimits) {
        _limits = limits
        self.decided = decided.flatMap { $0.isPublic ? $0 : nil }
    }

    /// Takes a vote; returns the address where it decides for another one than before.
    ///
    /// - Parameters:
    ///   - address: how the voter sees us. Another family than the voter's, or a private address from a public voter, is
    ///     ignored.
    mutating func hears(_ address: IPAddress, from voter: IPAddress, at now: Instant) -> IPAddress? {
        guard address.isV4 == voter.isV4 else { return nil }
        if voter.isLoopback {
            if address.isLoopback { ofLoopback = address }
            return nil
        }
        if voter.isPrivate {
            if address.isPrivate { ofPrivate = address }
            return nil
        }
        guard address.isPublic, voter.isPublic else { return nil }
        count(address, in: voter.network, at: now)
        return decide(at: now)
    }

    /// The address by which `asker` can be expected to reach us: of its kind, the one that shares most with its own.
    ///
    /// A host may be in several private networks, and what a host of one of them said is of no use in another.
    func address(for asker: IPAddress) -> IPAddress? {
        if !asker.isLoopback, !asker.isPrivate { return decided ?? interfaces.first { $0.isPublic } }
        let told = asker.isLoopback ? ofLoopback : ofPrivate
        let own = interfaces.filter { $0.isLoopback == asker.isLoopback && $0.isPrivate == asker.isPrivate }
        return (own + [told].compactMap { $0 }).max { $0.sharedBits(with: asker) < $1.sharedBits(with: asker) }
    }

    /// Whether we may be the one that `source` says it sees at `endpoint`: only then is what it signs said to us.
    ///
    /// Who relays our question to somebody else is seen in our place, so what an answer says must be checked against what
    /// we know by ourselves. An address of our own interfaces is not translated, and there the port has to be ours too.
    /// Beyond a translation the address is the one that the others agree on, and the port may be any. Where we know
    /// nothing yet, only the relay's own address is ruled out; between public hosts its identifier gives it away as well.
    func mayBeOurs(_ endpoint: Endpoint, seenBy source: IPAddress) -> Bool {
        let address = endpoint.address
        guard address.family == source.family else { return false }
        if address.isLoopback || interfaces.contains(address) {
            return address.isLoopback == source.isLoopback && port ?? endpoint.port == endpoint.port
        }
        if source.isPublic { return decided.map { $0 == address } ?? (address.isPublic && address != source) }
        // A host of our own network meets us where we are.
        return !source.isLoopback && address.isPrivate && address != source
            && !interfaces.contains { $0.network == source.network }
    }

    /// Forgets the votes: what was true in another network, or before a long sleep, has no voice in this one.
    mutating func forgetVotes() { votes.removeAll() }

    private mutating func count(_ address: IPAddress, in network: IPAddress, at now: Instant) {
        let lifetime = limits.voteLifetime
        votes.removeAll { now - $0.heardAt > lifetime }
        var vote = Vote(network: network, address: address, replies: 0, heardAt: now)
        if let index = votes.firstIndex(where: { $0.network == network }) {
            let old = votes.remove(at: index)
            if old.address == address { vote.replies = old.replies }
        }
        vote.replies = min(vote.replies + 1, limits.votesToDecide)
        vote.heardAt = now
        if votes.count >= limits.voters { votes.removeFirst() }
        votes.append(vote)
    }

    private mutating func decide(at now: Instant) -> IPAddress? {
        guard let newest = votes.last?.address, newest != decided else { return nil }
        if let changedAt, now - changedAt < limits.identifierPause { return nil }
        let agreeing = votes.count { $0.address == newest }
        guard votes.reduce(0, { $0 + $1.replies }) >= limits.votesToDecide, agreeing >= limits.votersToDecide,
            agreeing * 3 >= votes.count * 2
        else { return nil }
        changedAt = now
        decided = newest
        return newest
    }
}

extension IPAddress {
    /// How many leading bits two addresses of one family share.
    fileprivate func sharedBits(with other: IPAddress) -> Int {
        switch (self, other) {
        case (.v4(let left), .v4(let right)): return (left ^ right).leadingZeroBitCount
        case (.v6(let high, let low), .v6(let otherHigh, let otherLow)):
            return high == otherHigh
                ? 64 + (low ^ otherLow).leadingZeroBitCount : (high ^ otherHigh).leadingZeroBitCount
        default: return 0
        }
    }
}
