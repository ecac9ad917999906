package import Primitives

extension DHTNode {
    /// The address by which public hosts reach us, as far as enough of them agree (BEP 42).
    package var externalAddress: IPAddress? { identity.external.decided }

    /// Takes note of how a node that answered sees us; a new external address means a new identifier.
    mutating func heardAddress(
        _ message: Message,
        _ datagram: RawSpan,
        from sender: Endpoint,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard let range = message.externalAddress, let own = Endpoint(compact: datagram.extracting(range)),
            let address = identity.external.hears(own.address, from: sender.address, at: now)
        else { return }
        let renamed = identity.source?.id(at: address) ?? id
        reachability.moved()
        actions.append(.addressChanged(address, id: renamed))
        guard renamed != id else { return }
        move(to: renamed, at: now, into: &actions)
    }

    /// Goes by another identifier: the nodes we know are sorted anew around it, and its neighbourhood is searched.
    ///
    /// What others store with us stays: those that look for it still come for a while, and announce again elsewhere.
    private mutating func move(to renamed: NodeID, at now: Instant, into actions: inout DHTActionBuffer) {
        id = renamed
        table = table.moved(to: renamed, at: now)
        let search = kind.overlay.refresh
        kind.overlay.move(to: renamed, at: now)
        statistics.identifierChanges += 1
        // A search for the old neighbourhood is of no use any more.
        for outdated in [joining.lookup, refresh, search].compactMap({ $0 }) {
            lookups.removeAll { $0.id == outdated }
            starved.removeAll { $0 == outdated }
        }
        refresh = nil
        joining.lookup = nil
        if joining.isStarted { join(at: now, into: &actions) }
    }
}
