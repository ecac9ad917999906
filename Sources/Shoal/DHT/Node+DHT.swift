/// Questions to the distributed hash table.
extension Node {
    /// Pings one node.
    ///
    /// - Parameter address: `host:port`.
    /// - Returns: its ID in hex and the round trip in seconds, or `nil` when it stays silent.
    public func ping(_ address: String) async throws(ShoalError) -> (nodeID: String, roundTrip: Double)? {
        try await open().ping(address)
    }

    /// The nodes closest to a place in the key space.
    ///
    /// - Parameters:
    ///   - target: 40 hexadecimal or 32 base32 digits.
    ///   - timeout: seconds.
    public func findNodes(closestTo target: String, timeout: Double) async throws(ShoalError) -> [DHTContact] {
        try await open().findNodes(closestTo: target, timeout: timeout)
    }

    /// The peers that the DHT names for an info-hash, `ip:port`.
    ///
    /// - Parameters:
    ///   - infoHash: 40 hexadecimal or 32 base32 digits.
    ///   - timeout: seconds.
    public func findPeers(of infoHash: String, timeout: Double) async throws(ShoalError) -> [String] {
        try await open().findPeers(of: infoHash, timeout: timeout)
    }

    /// How many seeds and peers a torrent has (BEP 33).
    ///
    /// - Parameters:
    ///   - infoHash: 40 hexadecimal or 32 base32 digits.
    ///   - timeout: seconds.
    /// - Throws: `ShoalError` with `.noPeers` when no node answers, `.notFound` when none knows the torrent.
    public func scrape(_ infoHash: String, timeout: Double) async throws(ShoalError) -> DHTScrape {
        try await open().scrape(infoHash, timeout: timeout)
    }

    /// What the nodes around a place in the key space show of the info-hashes that they hold (BEP 51).
    ///
    /// - Parameters:
    ///   - target: 40 hexadecimal or 32 base32 digits; `nil` for a random place.
    ///   - timeout: seconds.
    ///   - each: called with each node's sample as it comes.
    /// - Throws: `ShoalError` with `.noPeers` when no node answers, `.notFound` when none takes part.
    public func sample(
        around target: String?,
        timeout: Double,
        _ each: @escaping @Sendable (DHTSample) -> Void
    ) async throws(ShoalError) {
        try await open().sample(around: target, timeout: timeout, each)
    }

    /// Stores a value that is known by its hash (BEP 44, immutable).
    ///
    /// - Parameters:
    ///   - value: bencoded, at most 1000 bytes.
    ///   - timeout: seconds.
    /// - Throws: `ShoalError` with `.noPeers` when no node took it, `.network` when all refused.
    public func put(_ value: [UInt8], timeout: Double) async throws(ShoalError) -> DHTReceipt {
        try await open().put(value, timeout: timeout)
    }

    /// Stores the next version of a value that is known by its publisher's key (BEP 44, mutable).
    ///
    /// - Parameters:
    ///   - value: bencoded, at most 1000 bytes.
    ///   - version: whose it is, and which version.
    ///   - timeout: seconds, for finding the version before and for storing each.
    /// - Throws: `ShoalError` with `.noPeers` when no node took it, `.network` when it was refused.
    public func put(
        _ value: [UInt8],
        as version: DHTVersion,
        timeout: Double
    ) async throws(ShoalError) -> DHTReceipt {
        try await open().put(value, as: version, timeout: timeout)
    }

    /// Finds a value (BEP 44).
    ///
    /// - Parameters:
    ///   - name: the target (40 hexadecimal digits) or the publisher's key (64).
    ///   - salt: what the publisher tells its values apart by.
    ///   - newerThan: the version that is known already.
    ///   - timeout: seconds.
    /// - Returns: the newest version that was found, or `nil` when those nodes have none that ought to.
    /// - Throws: `ShoalError` with `.noPeers` when no node answers.
    public func item(
        _ name: String,
        salt: [UInt8] = [],
        newerThan: Int64? = nil,
        timeout: Double
    ) async throws(ShoalError) -> DHTItem? {
        try await open().item(name, salt: salt, newerThan: newerThan, timeout: timeout)
    }

    /// Finds out who holds which pieces of a torrent: by the signed records that nodes of shoal keep, and by asking its peers,
    /// a handshake each, and no data.
    ///
    /// - Parameters:
    ///   - infoHash: 40 hexadecimal or 32 base32 digits.
    ///   - timeout: seconds in all.
    ///   - each: called for each record, and for each peer as it is known, at most 50 of them.
    /// - Returns: the count of BEP 33, where nodes keep one.
    /// - Throws: `ShoalError` with `.noPeers` when no node answers, `.notFound` when none knows the torrent.
    public func holders(
        of infoHash: String,
        timeout: Double,
        _ each: @escaping @Sendable (DHTFinding) -> Void
    ) async throws(ShoalError) -> DHTScrape? {
        try await open().holders(of: infoHash, timeout: timeout, each)
    }

    /// The routing tables, after looking up our own neighbourhood.
    ///
    /// - Parameter timeout: seconds.
    public func routingTable(timeout: Double) async throws(ShoalError) -> DHTTable {
        try await open().routingTable(timeout: timeout)
    }

    /// What the node has seen and done, one report for each of the two DHTs that it takes part in.
    public func dhtReports() async throws(ShoalError) -> [DHTReport] { try open().dhtReports() }
}

/// Whose value a mutable item is, and which version of it.
public struct DHTVersion: Sendable {
    /// Who signs.
    public var key: PublisherKey
    /// Tells values of one key apart, at most 64 bytes.
    public var salt: [UInt8] = []
    /// Higher for each version; `nil` for the next one after that in the DHT, or the time in seconds where that is more.
    public var sequence: Int64?
    /// Stored only where this version is (BEP 44 `cas`).
    public var replacing: Int64?
    /// Whether the node publishes it again, hourly, until it stops.
    public var isKept = false

    /// The next version of a value.
    public init(_ key: PublisherKey) { self.key = key }
}
