import Primitives

/// What a lookup leaves with the nodes that it found.
enum StoredValue: Hashable, Sendable {
    /// That this host has what the target names, and takes connections on `port` (BEP 5 `announce_peer`).
    ///
    /// A seed has all of it (BEP 33).
    case peer(port: UInt16, isSeed: Bool)

    /// The query that stores it at a node that gave `token`.
    func query(under target: NodeID, token: [UInt8]) -> OutgoingQuery {
        switch self {
        case .peer(let port, let isSeed):
            .announcePeer(InfoHash(target.value), port: port, isSeed: isSeed, token: token)
        }
    }
}

/// How far a lookup is with storing its value.
struct Storing: Hashable, Sendable {
    let value: StoredValue
    /// Open queries that are not late, and those that are.
    fileprivate var inFlight = 0
    fileprivate var late = 0
    fileprivate(set) var confirmed = 0
    /// Who was asked to take it: nobody is twice.
    fileprivate var handedTo: Set<Endpoint> = []

    init(_ value: StoredValue) { self.value = value }

    /// Late confirmations are waited for only while there is none at all: they count, but hold nobody up.
    fileprivate var isOver: Bool { inFlight == 0 && (late == 0 || confirmed > 0) }
}

/// The second phase of a lookup that stores something: the nodes it found are asked to take the value.
extension Lookup {
    /// Nodes that confirmed that they took the value.
    var storedOn: Int { storing?.confirmed ?? 0 }

    var isStoringOver: Bool { storing?.isOver ?? true }

    /// Whom to hand the value to now, each once; the caller must then send the queries.
    mutating func nextStores() -> [(contact: Contact, token: [UInt8])] {
        guard let handedTo = storing?.handedTo else { return [] }
        // The nearest need not wait until the region is explored, and get it even if they are not in it.
        var takers = closest
        if phase == .storing, let widening {
            takers += widening.residents(atMost: limits.storesPerValue - handedTo.count)
        }
        var stores: [(contact: Contact, token: [UInt8])] = []
        for taker in takers {
            guard let token = taker.token, storing?.handedTo.insert(taker.contact.endpoint).inserted == true else {
                continue
            }
            stores.append((taker.contact, token))
        }
        storing?.inFlight += stores.count
        return stores
    }

    mutating func storeConfirmed(_ query: OpenQuery) {
        closeStore(query)
        storing?.confirmed += 1
    }

    mutating func storeFailed(_ query: OpenQuery) { closeStore(query) }

    mutating func storeBecameSlow() {
        storing?.inFlight -= 1
        storing?.late += 1
    }

    private mutating func closeStore(_ query: OpenQuery) {
        if query.isSlow { storing?.late -= 1 } else { storing?.inFlight -= 1 }
    }
}
