import Cryptography
import Metainfo

/// Torrents whose publisher says which version is the newest (BEP 46).
extension Node {
    /// Signs that a torrent is the newest version of what a key publishes, and stores that in the DHT.
    ///
    /// - Parameters:
    ///   - infoHash: 40 hexadecimal digits.
    ///   - version: whose torrent it is; what is published already stays as it is.
    ///   - timeout: seconds, for finding the version before and for storing each.
    /// - Returns: what `Event.published` says as well.
    /// - Throws: `ShoalError` with `.noPeers` when no node took it, `.network` when it was refused.
    @discardableResult
    public func publish(
        _ infoHash: String,
        as version: DHTVersion,
        timeout: Double
    ) async throws(ShoalError) -> Publication {
        try await open().publish(infoHash, as: version, timeout: timeout)
    }

    /// Finds the newest version of a torrent.
    ///
    /// - Parameters:
    ///   - link: a magnet link with `xs=urn:btpk:`.
    ///   - sequence: the version that is known already.
    ///   - timeout: seconds.
    /// - Returns: what `Event.version` says as well; `nil` when the DHT has no (newer) one.
    /// - Throws: `ShoalError` with `.noPeers` when no node answers, `.badData` when what is published is no torrent.
    @discardableResult
    public func newestVersion(
        of link: String,
        newerThan sequence: Int64? = nil,
        timeout: Double
    ) async throws(ShoalError) -> TorrentVersion? {
        try await open().newest(link, newerThan: sequence, timeout: timeout)
    }
}

extension PublisherKey {
    /// The link by which others follow what this key publishes.
    ///
    /// - Parameter salt: what the publisher tells its torrents apart by, at most 64 bytes.
    public func magnetLink(salt: [UInt8]) throws(ShoalError) -> String {
        guard let source = UpdateSource(key: key.publicKey, salt: salt) else {
            throw ShoalError(.usage, "the salt is too long: it may have 64 bytes (BEP 44)")
        }
        return MagnetLink(source).description
    }
}
