/// A DHT node as a person sees it.
public struct DHTContact: Hashable, Sendable {
    /// 40 hexadecimal digits.
    public var nodeID: String
    /// `ip:port`.
    public var address: String
}

/// How many addresses share and fetch a torrent, as the DHT knows it (BEP 33).
public struct DHTScrape: Hashable, Sendable {
    /// Addresses that are complete: an estimate.
    public var seeds: Double
    /// Addresses that are not: an estimate.
    public var peers: Double
    /// Nodes whose counts went into the estimates.
    public var sources: Int
    /// Nodes whose counts were left out because they cannot be true.
    public var refused: Int
}

/// What one node shows of the info-hashes that it holds peers for (BEP 51).
public struct DHTSample: Hashable, Sendable {
    /// Who it is.
    public var node: DHTContact
    /// 40 hexadecimal digits each, in no order.
    public var infoHashes: [String]
    /// How many it holds in all, as it says.
    public var total: Int
    /// Seconds for which it shows the same ones, as it says.
    public var interval: Double
}

/// A value in the DHT (BEP 44), proved by its hash or its signature.
public struct DHTItem: Hashable, Sendable {
    /// Where it is stored: 40 hexadecimal digits.
    public var target: String
    /// Bencoded.
    public var value: [UInt8]
    /// The publisher's key, 64 hexadecimal digits; `nil` for an immutable item.
    public var key: String?
    /// Tells items of one key apart; empty for none.
    public var salt: [UInt8]
    /// The version of a mutable item.
    public var sequence: Int64?
    /// The publisher's signature, 128 hexadecimal digits.
    public var signature: String?
}

/// What became of a value that was to be stored.
public struct DHTReceipt: Hashable, Sendable {
    /// What was stored.
    public var item: DHTItem
    /// Nodes that took it.
    public var nodes: Int
    /// What those said that did not.
    public var refusals: [Refusal]

    /// One kind of refusal.
    public struct Refusal: Hashable, Sendable {
        /// BEP 44: 301 for another version than the expected one, 302 for a version that is not newer, ...
        public var code: Int
        /// What the first of them said.
        public var text: String
        /// How many said so.
        public var nodes: Int
    }
}

/// One bucket of a routing table.
public struct DHTBucket: Hashable, Sendable {
    /// `ipv4` or `ipv6`: each has a table of its own (BEP 32).
    public var family: String
    /// How many leading bits its nodes share with our ID; in the last bucket at least so many.
    public var sharedBits: Int
    /// Nodes that were heard of lately.
    public var good: Int
    /// Nodes that were silent for long, or failed once.
    public var questionable: Int
    /// Nodes that failed and may be replaced.
    public var bad: Int
    /// Nodes that wait for a place.
    public var replacements: Int
}

/// Our routing tables.
public struct DHTTable: Hashable, Sendable {
    /// The farthest first, IPv4 before IPv6.
    public var buckets: [DHTBucket]
    /// The nodes that answer.
    public var contacts: [DHTContact]
}

/// What our node has seen and done in one of the two DHTs since it began.
public struct DHTReport: Hashable, Sendable {
    /// `ipv4` or `ipv6`.
    public var family: String
    /// 40 hexadecimal digits.
    public var nodeID: String
    /// Our address as others see it; `nil` while too few have said so.
    public var externalAddress: String?
    /// Whether we answer the queries of others (BEP 43).
    public var isServing: Bool
    /// Nodes that were heard of lately.
    public var nodes: Int
    /// The usual time until an answer (the median of about the last thousand), in seconds; `nil` before the first.
    public var roundTrip: Double?
    /// What nine of ten answers do not exceed, in seconds; `nil` before the first.
    public var roundTrip90: Double?
    /// What ninety-nine of a hundred answers do not exceed, in seconds; `nil` before the first.
    public var roundTrip99: Double?
    /// Nodes in the whole network, estimated from our lookups; `nil` while there were too few.
    public var networkSize: Int?
    /// Seconds since the node began.
    public var elapsed: Double
    /// Bytes.
    public var bytesReceived: Int
    /// Bytes.
    public var bytesSent: Int
    /// Datagrams.
    public var datagramsReceived: Int
    /// Datagrams.
    public var datagramsSent: Int
    /// Datagrams that were not answered, for whatever reason.
    public var dropped: Int
    /// Questions of ours.
    public var queriesSent: Int
    /// Answers to them.
    public var repliesReceived: Int
    /// Questions of ours that nobody answered.
    public var timeouts: Int
    /// Questions of others that we answered.
    public var queriesAnswered: Int
    /// Info-hashes that others announced themselves for at our node.
    public var storedInfoHashes: Int
    /// Announced peers.
    public var storedPeers: Int
    /// Values (BEP 44).
    public var storedItems: Int
    /// Signed records of who holds which pieces.
    public var storedRecords: Int
    /// Nodes of shoal that proved their key: who keeps our records, and whose we read.
    public var overlayNodes: Int
}

/// Who holds what of a torrent, as one peer says itself.
public struct DHTHolder: Hashable, Sendable {
    /// How the peer took the question.
    public enum State: String, Hashable, Sendable {
        /// It said what it holds.
        case answered
        /// Nothing came from there.
        case silent
        /// It would not talk about this torrent.
        case refused
    }

    /// `ip:port`.
    public var address: String
    /// How it took the question.
    public var state: State
    /// What it calls itself.
    public var client: String?
    /// Pieces that it says it holds; `nil` where that is unknown.
    public var pieces: Int?
    /// Pieces of the torrent; `nil` while nobody has told us the metadata.
    public var total: Int?
    /// Whether it says that it holds all of them.
    public var isSeed: Bool
}

/// A key's signed word on which pieces of a torrent it holds, as the DHT hands it on.
public struct DHTRecord: Hashable, Sendable {
    /// Who signed it, `sp1-...`.
    public var key: String
    /// `ip:port` where the key's owner is, or is said to be; `nil` where nobody says.
    public var address: String?
    /// Whether that address proved that it has the key.
    public var isAddressProved: Bool
    /// Pieces that it says are held.
    public var pieces: Int?
    /// Pieces of the torrent, by its word.
    public var total: Int?
    /// Seconds since it was signed, by the owner's clock.
    public var age: Double?
    /// Seconds for which it is still good.
    public var timeLeft: Double?
    /// Why it is not to be believed, a snake_case word (`expired`, `signature`, ...); `nil` where everything about it is right.
    public var fault: String?

    /// Whether it says that everything is held.
    public var isSeed: Bool { pieces != nil && pieces == total }
}

/// What is known of who holds what of a torrent.
public enum DHTFinding: Hashable, Sendable {
    /// A signed record.
    case record(DHTRecord)
    /// What a peer answered when it was asked.
    case holder(DHTHolder)
}
