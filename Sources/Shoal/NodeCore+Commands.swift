import Kademlia
import Metainfo
import Primitives

/// What the actor's callers ask for besides sharing.
extension NodeCore {
    func fetch(_ source: FetchSource, _ options: FetchOptions) throws(ShoalError) -> String {
        try throwIfStopping()
        let request = try FetchRequest(source)
        let infoHash = request.infoHash
        guard torrents[infoHash] == nil else {
            throw ShoalError(.usage, "\(infoHash) is shared or fetched by this node already")
        }
        let session = TorrentSession(infoHash: infoHash, purpose: .fetch(options), core: self)
        session.selectedFiles = request.selectedFiles
        torrents[infoHash] = session
        turn { session.startFetching(request.torrent, peers: request.peers + options.peers) }
        return infoHash.hex
    }

    func torrent(_ text: String) throws(ShoalError) -> TorrentSession {
        guard let infoHash = InfoHash(text: text), let session = torrents[infoHash] else {
            throw ShoalError(.notFound, "this node has no torrent \(text)")
        }
        return session
    }

    func readVerified(_ infoHash: String, at offset: Int64) async throws(ShoalError) -> [UInt8]? {
        let session = try torrent(infoHash)
        let result: Result<[UInt8]?, ShoalError> = await withCheckedContinuation { done in
            turn { session.readVerified(at: offset) { done.resume(returning: $0) } }
        }
        return try result.get()
    }

    // MARK: DHT

    private func driver() throws(ShoalError) -> DHTDriver {
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
        guard let target = InfoHash(text: text) else {
            throw ShoalError(.usage, "'\(text)' is no node ID: 40 hexadecimal or 32 base32 digits are needed")
        }
        let search = DHTSearch(self, timeout: timeout)
        let summary = await search.run { handler in dht.findNode(NodeID(target), handler) }
        return summary?.closest.map { DHTContact($0) } ?? []
    }

    func findPeers(of text: String, timeout: Double) async throws(ShoalError) -> [String] {
        let dht = try driver()
        guard let infoHash = InfoHash(text: text) else {
            throw ShoalError(.usage, "'\(text)' is no info-hash: 40 hexadecimal or 32 base32 digits are needed")
        }
        let search = DHTSearch(self, timeout: timeout)
        _ = await search.run { handler in dht.findPeers(of: infoHash, announcing: nil, handler) }
        return search.peers.map(\.description)
    }

    /// The table, once its own neighbourhood was looked up.
    func routingTable(timeout: Double) async throws(ShoalError) -> [DHTContact] {
        let dht = try driver()
        let search = DHTSearch(self, timeout: timeout)
        _ = await search.run { handler in dht.findNode(dht.nodeID, handler) }
        return dht.contacts.map { DHTContact($0) }
    }

    /// The first node answers: whoever could not tell anybody where it is tells now. The first node of a network gets here
    /// when its first visitor comes.
    func joinedDHT() {
        for torrent in Array(torrents.values) { torrent.discoverAgain() }
    }

    /// Nobody answered: the person hears whom we asked and what happens next.
    func bootstrapFailed(retryIn pause: Duration) {
        let nodes = configuration.bootstrap
        let whom =
            switch nodes.count {
            case 0: "no remembered DHT node answers"
            case 1: "the bootstrap node \(nodes[0]) does not answer"
            default: "none of the \(nodes.count) bootstrap nodes answers (\(nodes.joined(separator: ", ")))"
            }
        emit(.notice("\(whom); trying again in \(Int(pause.inSeconds.rounded(.up))) s"))
    }
}

/// One lookup that a person waits for.
private final class DHTSearch {
    private let core: NodeCore
    private let timeout: Double
    private(set) var peers: [Endpoint] = []
    private var lookup: LookupID?
    private var done: CheckedContinuation<LookupSummary?, Never>?
    private lazy var alarm = Alarm(core) { [unowned self] in finish(nil) }

    init(_ core: NodeCore, timeout: Double) {
        self.core = core
        self.timeout = timeout
    }

    /// The summary, or `nil` when the time was over first; peers found until then count.
    func run(_ begin: @escaping (DHTDriver.LookupHandler) -> LookupID) async -> LookupSummary? {
        await withCheckedContinuation { done in
            self.done = done
            core.turn {
                // A day is as good as for ever, and can be added to any time.
                alarm.set(core.now + .seconds(min(max(0, timeout), 86_400)))
                lookup = begin(
                    DHTDriver.LookupHandler(
                        foundPeers: { self.peers += $0 },
                        finished: { self.finish($0) },
                        stopped: { self.finish(nil) }
                    )
                )
            }
        }
    }

    private func finish(_ summary: LookupSummary?) {
        guard let done else { return }
        self.done = nil
        alarm.set(nil)
        if summary == nil, let lookup { core.dht?.cancel(lookup) }
        done.resume(returning: summary)
    }
}

extension DHTContact {
    init(_ contact: Contact) { self.init(nodeID: contact.id.hex, address: contact.endpoint.description) }
}
