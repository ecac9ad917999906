import Kademlia
import Metainfo
import Primitives

/// Questions to the DHT that somebody waits for.
extension NodeCore {
    func driver() throws(ShoalError) -> DHTDriver {
        guard let dht else { throw ShoalError(.usage, "this needs the DHT, which --no-dht switched off") }
        return dht
    }

    func ping(_ address: String) async throws(ShoalError) -> (nodeID: String, roundTrip: Double)? {
        let dht = try driver()
        guard HostAndPort(address) != nil else { throw ShoalError(.usage, "'\(address)' is not HOST:PORT") }
        let endpoints: [Endpoint] = await withCheckedContinuation { done in
            resolve(address) { done.resume(returning: $0) }
        }
        try throwIfStopping()
        guard let endpoint = endpoints.first(where: { serves($0.address.family) }) ?? endpoints.first else {
            throw ShoalError(.network, "cannot find the address of '\(address)'")
        }
        let result: DHTDriver.PingResult = await withCheckedContinuation { done in
            turn { dht.ping(endpoint) { done.resume(returning: $0) } }
        }
        guard case .answered(let id, let roundTrip) = result else { return nil }
        return (id.hex, roundTrip.inSeconds)
    }

    func findNodes(closestTo text: String, timeout: Double) async throws(ShoalError) -> [DHTContact] {
        let dht = try driver()
        let target = try NodeCore.place(text)
        let search = DHTSearch(self, timeout: timeout)
        let summary = await search.run { handler in dht.findNode(target, handler) }
        return summary?.closest.map { DHTContact($0) } ?? []
    }

    func findPeers(of text: String, timeout: Double) async throws(ShoalError) -> [String] {
        let dht = try driver()
        let infoHash = try NodeCore.infoHash(text)
        let search = DHTSearch(self, timeout: timeout)
        _ = await search.run { handler in dht.findPeers(of: infoHash, announces: false, handler) }
        return search.peers.map(\.description)
    }

    func scrape(_ text: String, timeout: Double) async throws(ShoalError) -> DHTScrape {
        let dht = try driver()
        let infoHash = try NodeCore.infoHash(text)
        let search = DHTSearch(self, timeout: timeout)
        _ = await search.run { handler in dht.scrape(infoHash, handler) }
        if let scrape = search.scrape { return scrape }
        throw NodeCore.nothing(search, "no node knows \(infoHash)")
    }

    func sample(
        around text: String?,
        timeout: Double,
        _ each: @escaping @Sendable (DHTSample) -> Void
    ) async throws(ShoalError) {
        let dht = try driver()
        let target = try text.map(NodeCore.place) ?? NodeID(UInt160.random(using: &random))
        let search = DHTSearch(self, timeout: timeout)
        var samples = 0
        search.onSample = { sample in
            samples += 1
            each(DHTSample(sample))
        }
        _ = await search.run { handler in dht.sample(around: target, handler) }
        if samples == 0 { throw NodeCore.nothing(search, "no node there shows what it holds (BEP 51)") }
    }

    /// The tables, once our own neighbourhood was looked up.
    func routingTable(timeout: Double) async throws(ShoalError) -> DHTTable {
        let dht = try driver()
        let search = DHTSearch(self, timeout: timeout)
        _ = await search.run { handler in dht.findNode(dht.nodeID, handler) }
        let buckets = dht.reports.flatMap { report in report.buckets.map { DHTBucket($0, of: report.family) } }
        return DHTTable(buckets: buckets, contacts: dht.contacts.map { DHTContact($0) })
    }

    func dhtReports() throws(ShoalError) -> [DHTReport] {
        let dht = try driver()
        return dht.reports.map { DHTReport($0, elapsed: (now - dht.startedAt).inSeconds) }
    }

    // MARK: Words

    static func place(_ text: String) throws(ShoalError) -> NodeID {
        guard let place = InfoHash(text: text) else {
            throw ShoalError(.usage, "'\(text)' is no node ID: 40 hexadecimal or 32 base32 digits are needed")
        }
        return NodeID(place)
    }

    static func infoHash(_ text: String) throws(ShoalError) -> InfoHash {
        guard let infoHash = InfoHash(text: text) else {
            throw ShoalError(.usage, "'\(text)' is no info-hash: 40 hexadecimal or 32 base32 digits are needed")
        }
        return infoHash
    }

    /// Why a search came to nothing: nobody was there, or nobody had it.
    static func nothing(_ search: DHTSearch, _ message: String) -> ShoalError {
        search.answers == 0
            ? ShoalError(.noPeers, "no DHT node answers; name one with --bootstrap") : ShoalError(.notFound, message)
    }
}

extension DHTContact {
    init(_ contact: Contact) { self.init(nodeID: contact.id.hex, address: contact.endpoint.description) }
}

extension DHTSample {
    init(_ sample: NodeSample) {
        self.init(
            node: DHTContact(sample.node),
            infoHashes: sample.infoHashes.map(\.hex),
            total: sample.total,
            interval: sample.interval.inSeconds
        )
    }
}

extension AddressFamily {
    /// As reports and scripts call it.
    var word: String { self == .v4 ? "ipv4" : "ipv6" }
}

extension DHTBucket {
    init(_ bucket: BucketSummary, of family: AddressFamily) {
        self.init(
            family: family.word,
            sharedBits: bucket.sharedBits,
            good: bucket.good,
            questionable: bucket.questionable,
            bad: bucket.bad,
            replacements: bucket.replacements
        )
    }
}

extension DHTReport {
    init(_ report: NodeReport, elapsed: Double) {
        let statistics = report.statistics
        self.init(
            family: report.family.word,
            nodeID: report.id.hex,
            externalAddress: report.externalAddress?.description,
            isServing: report.isServing,
            nodes: report.buckets.reduce(0) { $0 + $1.good },
            roundTrip: report.roundTrips?.median.inSeconds,
            roundTrip90: report.roundTrips?.ninetieth.inSeconds,
            roundTrip99: report.roundTrips?.ninetyNinth.inSeconds,
            networkSize: report.networkSize,
            elapsed: elapsed,
            bytesReceived: statistics.bytesReceived,
            bytesSent: statistics.bytesSent,
            datagramsReceived: statistics.datagramsReceived,
            datagramsSent: statistics.datagramsSent,
            dropped: statistics.droppedInAll,
            queriesSent: statistics.queriesSent,
            repliesReceived: statistics.repliesReceived,
            timeouts: statistics.timeouts,
            queriesAnswered: statistics.queriesAnswered,
            storedInfoHashes: report.storedInfoHashes,
            storedPeers: report.storedPeers,
            storedItems: report.storedItems,
            storedRecords: report.storedRecords,
            overlayNodes: report.overlayNodes
        )
    }
}
