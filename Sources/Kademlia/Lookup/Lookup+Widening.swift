import Primitives

/// The phase in which a lookup asks the whole region of its target, and not the nearest alone (hardening D15).
///
/// Whatever stores goes through it, so that its value lies with honest nodes however many Sybils sit beside the key;
/// whatever reads does only where it suspects an eclipse.
extension Lookup {
    /// Whether it is about something that is stored in the network, and so worth an attack.
    var asksForValues: Bool {
        switch purpose {
        case .getPeers, .scrape, .item, .republish: true
        case .join, .refresh, .findNode, .sample, .records, .overlay: false
        }
    }

    /// Whether k nodes of different networks turned up where one is to be expected.
    ///
    /// Those that do not answer count as well: Sybils cost their owner even less when they keep silent, and a search
    /// that tries one after the other never comes to the end of them.
    var isSurrounded: Bool {
        guard let region else { return false }
        var count = 0
        var networks: Set<IPAddress> = []
        for candidate in candidates.sorted where candidate.state != .fresh && candidate.state != .asked {
            guard region.isSurrounded(eighthAt: candidate.distance, bits: limits.eclipseBits) else { return false }
            let address = candidate.contact.endpoint.address
            guard limits.exempts(address) || networks.insert(address.network).inserted else { continue }
            count += 1
            if count == limits.bucketSize { return true }
        }
        return false
    }

    /// Who only brings old versions up to date has no need to: whoever holds one publishes it again in time.
    var isWholeRegionWanted: Bool { region != nil && (storing?.value.isForAll ?? false || isSurrounded) }

    /// Whether somebody has to call `widen`.
    var needsWidening: Bool { phase == .widening && widening == nil }

    var isWideningOver: Bool { askedInFlight == 0 && widening?.isExhausted ?? false }

    /// - Parameter beginnings: where paths start that know nothing of each other; none for one path with all there is.
    mutating func widen(from beginnings: [[Contact]], seed: UInt64) {
        guard let region else { return }
        widening = RegionSearch(region, found: candidates.sorted, known: beginnings, limits: $limits, seed: seed)
    }

    mutating func nextRegionQuery() -> Query? {
        guard askedInFlight < limits.regionQueriesInFlight, let query = widening?.nextQuery() else { return nil }
        askedInFlight += 1
        queriesSent += 1
        switch query {
        case .ask(let contact):
            candidates.add([contact], depth: 1)
            candidates.update(contact) { $0.state = .asked }
            return .contact(contact)
        case .findNode(let place, let contact): return .findNode(place, contact)
        }
    }

    mutating func heardInRegion(_ query: OpenQuery, _ sender: Contact, token: [UInt8]?, naming contacts: [Contact]) {
        if let expected = query.expected, expected != sender.id {
            widening?.missed(Contact(expected, query.endpoint), .failed)
        }
        widening?.answered(by: sender, token: token, naming: contacts)
    }
}
