import Primitives

/// What is special about lookups among the nodes of our kind.
extension Lookup {
    /// Whether it leads through the overlay: whoever is not of our kind is of no use to it, and it tells nothing of the
    /// network of all.
    var isInOverlay: Bool { purpose.isInOverlay }

    /// The query that it asks.
    ///
    /// A publisher wants no records, and so need not earn them by a long query.
    var getHave: OutgoingGetHave {
        guard let records, storing == nil else {
            return OutgoingGetHave(infoHash: InfoHash(target.value), isPadded: false)
        }
        return OutgoingGetHave(infoHash: records.infoHash, known: records.knownPrefixes)
    }

    /// Whether peers are still to be asked, or nodes asked once more.
    var isWaitingForRecords: Bool {
        guard let records, storing == nil, !isSpent else { return false }
        return records.isWaiting || askedInFlight > 0 && records.hasAskedFurther
    }

    /// Whom to ask once more, because it has more records than fitted its reply.
    mutating func nextFurtherQuery() -> Query? {
        guard askedInFlight < limits.mostInFlight, let contact = records?.takeFurther() else { return nil }
        candidates.update(contact) { $0.state = .asked }
        askedInFlight += 1
        queriesSent += 1
        return .contact(contact)
    }
}

extension Lookup.Purpose {
    var isInOverlay: Bool {
        switch self {
        case .records, .overlay: true
        default: false
        }
    }

    /// Whoever only reads would rather miss a slow node than wait for it.
    var isHurried: Bool {
        switch self {
        case .getPeers, .records: true
        default: false
        }
    }
}
