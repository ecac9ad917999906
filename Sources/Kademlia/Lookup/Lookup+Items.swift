import Primitives

/// What is special about lookups of items (BEP 44).
extension Lookup {
    /// Takes one who lied to us out of the count: somebody else is asked instead, and nothing is stored there.
    mutating func distrust(_ query: OpenQuery) {
        guard let expected = query.expected else { return }
        candidates.update(Contact(expected, query.endpoint)) { $0.state = .failed }
    }

    /// Whether the network has a newer version than the one that is to be stored: it would be refused where that is
    /// known, and split the readers where it is not.
    var isSuperseded: Bool {
        guard case .item(let outgoing)? = storing?.value, let newest = item?.newest else { return false }
        return newest.isNewer(than: outgoing.item)
    }

    /// Stores the newest version in place of an older one. Only who publishes it for others does so: a publisher has to
    /// know that somebody else did.
    mutating func adoptNewest() {
        guard case .item(var outgoing)? = storing?.value, case .heldFor = outgoing.occasion, let newest = item?.newest,
            newest.isNewer(than: outgoing.item)
        else { return }
        outgoing.item = newest
        storing?.value = .item(outgoing)
    }

    /// Brings those of the nearest nodes up to date that answered with an older version than we found.
    ///
    /// At most k queries, to nodes that have the item already: nobody is made to store what it does not.
    mutating func beginRepair() {
        guard storing == nil, case .item = purpose, phase == .searching, let newest = item?.newest,
            let sequence = newest.seal?.sequence,
            closest.contains(where: { $0.token != nil && item?.version(at: $0.contact.endpoint) ?? sequence < sequence }
            )
        else { return }
        storing = Storing(.item(OutgoingItem(item: newest, occasion: .repair)))
    }

    /// What the nodes said that did not take the value; a publisher is told of a newer version as of a refusal.
    var refusals: [StoreRefusal] {
        guard var storing else { return [] }
        if isSuperseded { storing.refused(.superseded(nodes: 1)) }
        return storing.refusals
    }
}
