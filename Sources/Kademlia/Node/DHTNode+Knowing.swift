package import Cryptography
package import Primitives

/// A node that another one knows, and what it remembers of it.
package struct Acquaintance: Hashable, Sendable {
    package var contact: Contact
    package var heardAt: Instant
    /// `nil` where it was not measured.
    package var roundTrip: Duration?

    package init(_ contact: Contact, heardAt: Instant, roundTrip: Duration?) {
        self.contact = contact
        self.heardAt = heardAt
        self.roundTrip = roundTrip
    }
}

extension DHTNode {
    /// A node as it is after some time in a network, without the datagrams that it takes to get there.
    ///
    /// For simulations: a network of 100,000 nodes cannot be joined node by node before each measurement. Everything else
    /// is as if it had happened: each acquaintance counts as having answered when it was last heard of, one after the
    /// other, so all rules of the table hold and those that it has no place for are not remembered.
    ///
    /// - Parameters:
    ///   - acquaintances: whom it knows; quickest with the nearest first, for the table keeps them in this order. With
    ///     nobody, it stands where `start` with bootstrap nodes stands after it failed.
    ///   - source, key, address, seed: as for the other initialisers.
    ///   - networkSize: what its lookups have taught it so far.
    ///   - isReached: whether uninvited queries have come lately, so that it serves (BEP 43).
    package init(
        identity source: NodeIDSource,
        key: Ed25519.SigningKey? = nil,
        at address: IPAddress,
        limits: DHTLimits = DHTLimits(),
        seed: UInt64,
        now: Instant,
        knowing acquaintances: [Acquaintance],
        networkSize: Int? = nil,
        isReached: Bool = false
    ) {
        self.init(identity: source, key: key, at: address, limits: limits, seed: seed, now: now)
        if let networkSize { size = NetworkSize(limits: sharedLimits, believing: networkSize) }
        if isReached { reachability.reached(at: now) }
        joining.isStarted = true
        joining.usesBootstrap = true
        for acquaintance in acquaintances {
            if let roundTrip = acquaintance.roundTrip { queries.learn(roundTrip: roundTrip) }
            _ = table.answered(acquaintance.contact, after: acquaintance.roundTrip, at: acquaintance.heardAt)
        }
        table.refreshed(within: limits.underfullPause, before: now, using: &random)
        joining.hasJoined = table.hasReachableNodes
        if !joining.hasJoined { joining.retryAt = now }
        // Nodes did not all start at once, so their timers do not fire at once.
        nextUpkeep = now + limits.upkeepInterval * Double.random(in: 0..<1, using: &random)
    }
}
