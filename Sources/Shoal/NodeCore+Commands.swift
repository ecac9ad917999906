import Cryptography
import Kademlia
import Metainfo
import Primitives
import SecurePeer

/// What the actor's callers ask for besides sharing.
extension NodeCore {
    func fetch(_ source: FetchSource, _ options: FetchOptions) throws(ShoalError) -> String {
        try throwIfStopping()
        let request = try FetchRequest(source)
        let infoHash = request.infoHash
        guard torrents[infoHash] == nil else {
            throw ShoalError(.usage, "\(infoHash) is shared or fetched by this node already")
        }
        let security = try security(by: options.sessions)
        let session = TorrentSession(infoHash: infoHash, purpose: .fetch(options), security: security, core: self)
        session.selectedFiles = request.selectedFiles
        torrents[infoHash] = session
        turn { session.startFetching(request, options) }
        return infoHash.hex
    }

    /// Talks to the owners of these keys only from now on, or to everybody.
    func trust(_ keys: [String]?, for infoHash: String) throws(ShoalError) {
        let session = try torrent(infoHash)
        let trusted = try keys.map { (texts) throws(ShoalError) in try SessionSecurity.keys(texts) }
        turn { session.trust(trusted) }
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

    /// The first node answers: whoever could not tell anybody where it is tells now. The first node of a network gets here
    /// when its first visitor comes.
    func joinedDHT() {
        for torrent in Array(torrents.values) { torrent.discoverAgain() }
    }

    /// How long a key counts as proved where no record says more: so often nodes of our kind prove it to each other anyway.
    private static let proofLifetime: Duration = .seconds(15 * 60)

    /// An endpoint has proved a key over UDP: it speaks SPS/1 at the same port, unless its record says that it does not.
    func proved(_ key: Ed25519.PublicKey, at endpoint: Endpoint) {
        learned(key, at: endpoint, by: .proof(until: now + NodeCore.proofLifetime))
        for torrent in Array(torrents.values) { torrent.proved(key, at: endpoint) }
        for survey in Array(recordSurveys.values) { survey.proved(key, at: endpoint) }
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
