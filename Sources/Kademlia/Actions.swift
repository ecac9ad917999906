package import Cryptography
package import Primitives

/// Names one lookup of one node.
package struct LookupID: Hashable, Comparable, Sendable {
    package let number: UInt64
    package static func < (left: LookupID, right: LookupID) -> Bool { left.number < right.number }
}

/// Names one ping that was asked for by a command.
package struct PingID: Hashable, Sendable {
    package let number: UInt64
}

/// How a lookup ended.
package struct LookupSummary: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        /// The closest reachable nodes have answered.
        case complete
        /// There was nobody to ask, or nobody answered.
        case nobodyAnswered
    }

    package var outcome: Outcome
    /// The closest nodes that answered, nearest first; at most k.
    package var closest: [Contact]
    package var queriesSent: Int
    package var replies: Int
    /// How many steps away from our own table the farthest of `closest` was found.
    package var hops: Int
    /// Peers handed on.
    package var peersFound: Int
    /// Nodes that confirmed that they took what was to be stored.
    package var storedOn: Int
    /// What those said that did not take it.
    package var refusals: [StoreRefusal] = []
}

/// What a DHT node wants done.
package enum DHTAction: Hashable, Sendable {
    /// Send the bytes of the buffer in this range.
    case send(Range<Int>, to: Endpoint)
    /// Resolve the bootstrap nodes and answer with `bootstrapNodesResolved`.
    case resolveBootstrapNodes
    /// Other nodes answer: this many are in the table.
    case bootstrapped(nodes: Int)
    /// Nobody answered; the next attempt starts by itself.
    case bootstrapFailed(attempt: Int, retryIn: Duration)
    /// Peers not handed on before by this lookup.
    case foundPeers(LookupID, [Endpoint])
    /// What a scrape came to; its lookup is finished next.
    case scraped(LookupID, ScrapeSummary)
    /// What one node shows of the info-hashes that it holds.
    case sampled(LookupID, NodeSample)
    /// Too many nodes sit right beside the target of a lookup to be there by chance: it asks a wider region, and takes
    /// longer (hardening D15).
    case eclipseSuspected(LookupID)
    /// Others agree that this is our external address. We go by `id` now, which is new unless it is the old one's too.
    case addressChanged(IPAddress, id: NodeID)
    /// An item, proved, that is newer than what this lookup handed on before.
    indirect case foundItem(LookupID, Item)
    /// A record of who holds which pieces, its signature proved, that is newer than what this lookup handed on before of
    /// its key. Nobody is to be dialled because of it until `.provedKey` names an endpoint for the key.
    indirect case foundRecord(LookupID, FoundRecord)
    /// What somebody handed on as a record, and is none.
    indirect case refusedRecord(LookupID, RefusedRecord)
    /// Who answers at an endpoint that a record named, or that sent its own, holds this key, which may be another than the
    /// record's. Said anew for each record that names the endpoint.
    indirect case provedKey(Ed25519.PublicKey, at: Endpoint)
    case lookupProgress(LookupID, asked: Int, answered: Int)
    case finished(LookupID, LookupSummary)
    case pong(PingID, from: NodeID, roundTrip: Duration)
    case pingFailed(PingID)
}

/// Actions and the datagrams they speak of, in storage that is used again and again.
package struct DHTActionBuffer: Sendable {
    private var writer = ByteWriter(capacity: 4096)
    package private(set) var actions: [DHTAction] = []

    package init() {}

    /// What the ranges of `.send` point into.
    package var bytes: [UInt8] { writer.bytes }
    package var isEmpty: Bool { actions.isEmpty }

    package mutating func removeAll() {
        writer.removeAll()
        actions.removeAll(keepingCapacity: true)
    }

    mutating func append(_ action: DHTAction) { actions.append(action) }

    /// Replaces the actions from `start` on, datagrams excepted, by what `body` makes of each; `nil` takes it out.
    mutating func rewrite(from start: Int, _ body: (DHTAction) -> DHTAction?) {
        var end = start
        for index in start..<max(start, actions.count) {
            if case .send = actions[index] {
                if end != index { actions[end] = actions[index] }
            } else if let action = body(actions[index]) {
                actions[end] = action
            } else {
                continue
            }
            end += 1
        }
        actions.removeSubrange(end...)
    }

    /// Appends a datagram that `write` fills, and returns its length.
    @discardableResult
    mutating func send(to endpoint: Endpoint, _ write: (inout ByteWriter) -> Void) -> Int {
        let start = writer.count
        write(&writer)
        actions.append(.send(start..<writer.count, to: endpoint))
        return writer.count - start
    }
}
