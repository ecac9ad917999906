import Availability
import Primitives

/// What a lookup leaves with the nodes that it found.
enum StoredValue: Hashable, Sendable {
    /// That this host has what the target names, and takes connections on `port` (BEP 5 `announce_peer`).
    ///
    /// A seed has all of it (BEP 33).
    case peer(port: UInt16, isSeed: Bool)
    /// BEP 44.
    case item(OutgoingItem)
    /// Which pieces we hold.
    indirect case record(AvailabilityRecord)

    /// Whether every node of the region is to have it.
    var isForAll: Bool {
        if case .item(let outgoing) = self { outgoing.occasion != .repair } else { true }
    }

    /// Whether it says that this host has all of what the target names.
    var isOfSeed: Bool {
        if case .peer(_, let isSeed) = self { isSeed } else { false }
    }

    /// Whether a node that has this version of the item is to be asked to take it.
    func isFor(holderOf sequence: Int64?) -> Bool {
        if case .item(let outgoing) = self { outgoing.isFor(holderOf: sequence) } else { true }
    }

    /// The query that stores it at a node that gave `token` and said which version of the item it has.
    func query(under target: NodeID, token: [UInt8], toHolderOf sequence: Int64?) -> OutgoingQuery {
        switch self {
        case .peer(let port, let isSeed):
            .announcePeer(InfoHash(target.value), port: port, isSeed: isSeed, token: token)
        case .item(let outgoing): outgoing.query(token: token, toHolderOf: sequence)
        case .record(let record): .putHave(OutgoingPutHave(record: record, token: token))
        }
    }
}

/// How far a lookup is with storing its value.
struct Storing: Hashable, Sendable {
    var value: StoredValue
    /// Open queries that are not late, and those that are.
    fileprivate var inFlight = 0
    fileprivate var late = 0
    fileprivate(set) var confirmed = 0
    /// Who was asked to take it: nobody is twice.
    fileprivate var handedTo: Set<Endpoint> = []
    private(set) var farthest: UInt160?
    private(set) var refusals: [StoreRefusal] = []

    init(_ value: StoredValue) { self.value = value }

    /// Late confirmations are waited for only while there is none at all: they count, but hold nobody up.
    fileprivate var isOver: Bool { inFlight == 0 && (late == 0 || confirmed > 0) }

    /// Whether it was not handed to this node before; notes that it is.
    fileprivate mutating func hands(to taker: Candidate) -> Bool {
        guard handedTo.insert(taker.contact.endpoint).inserted else { return false }
        farthest = max(farthest ?? taker.distance, taker.distance)
        return true
    }

    /// Counts a node that would not take the value.
    mutating func refused(_ refusal: StoreRefusal) { StoreRefusal.add(refusal, to: &refusals) }
}

/// The second phase of a lookup that stores something: the nodes it found are asked to take the value.
extension Lookup {
    /// Nodes that confirmed that they took the value.
    var storedOn: Int { storing?.confirmed ?? 0 }

    var isStoringOver: Bool { storing?.isOver ?? true }

    /// Whom to hand the value to now, each once; the caller must then send the queries.
    mutating func nextStores() -> [(contact: Contact, query: OutgoingQuery)] {
        guard let value = storing?.value, let handedTo = storing?.handedTo, !isSuperseded else { return [] }
        // The nearest need not wait until the region is explored, and get it even if they are not in it.
        var takers = closest
        if phase == .storing, let widening {
            takers += widening.residents(atMost: limits.storesPerValue - handedTo.count)
        }
        var stores: [(contact: Contact, query: OutgoingQuery)] = []
        for taker in takers {
            let sequence = item?.version(at: taker.contact.endpoint)
            guard let token = taker.token, value.isFor(holderOf: sequence), storing?.hands(to: taker) == true else {
                continue
            }
            stores.append((taker.contact, value.query(under: target, token: token, toHolderOf: sequence)))
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
