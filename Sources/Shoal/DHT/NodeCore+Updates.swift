import Cryptography
import Bencode
import Kademlia
import Metainfo
import Primitives

/// Torrents that have a publisher, who says which version is the newest (BEP 46).
extension NodeCore {
    func publish(_ text: String, as version: DHTVersion, timeout: Double) async throws(ShoalError) -> Publication {
        let infoHash = try NodeCore.infoHash(text)
        let link = try version.key.magnetLink(salt: version.salt)
        let receipt = try await put(TorrentUpdate(infoHash: infoHash).value, as: version, timeout: timeout)
        let publication = Publication(
            infoHash: infoHash.hex,
            magnet: link,
            key: version.key.publicKey,
            sequence: receipt.item.sequence ?? 0,
            nodes: receipt.nodes
        )
        emit(.published(publication))
        return publication
    }

    func newest(
        _ text: String,
        newerThan sequence: Int64?,
        timeout: Double
    ) async throws(ShoalError) -> TorrentVersion? {
        let link = try MagnetLink(understanding: text)
        guard let source = link.updates else {
            throw ShoalError(.usage, "the link names no publisher (xs=urn:btpk:...) whose versions could be followed")
        }
        let found = try await item(source.key.hex, salt: source.salt, newerThan: sequence, timeout: timeout)
        guard let found else { return nil }
        guard let update = TorrentUpdate(found.value) else {
            throw ShoalError(.badData, "what \(source.key.hex) publishes there is no torrent (BEP 46)")
        }
        let version = TorrentVersion(
            infoHash: update.infoHash.hex,
            sequence: found.sequence ?? 0,
            previous: sequence
        )
        emit(.version(version))
        return version
    }
}

/// What a publisher signs: the info-hash of the newest version (BEP 46).
struct TorrentUpdate: Hashable {
    let infoHash: InfoHash

    init(infoHash: InfoHash) { self.infoHash = infoHash }

    /// Reads `{"ih": <20 bytes>}`; other keys are passed over.
    init?(_ value: [UInt8]) {
        var reader = BencodeReader(value.span.bytes, limits: .krpc)
        var found: InfoHash?
        do {
            try reader.beginDictionary()
            while let key = try reader.nextKey() {
                if reader.matches(key, "ih") {
                    found = try reader.optionalString().flatMap { reader.identifier(InfoHash.self, $0) }
                } else {
                    try reader.skipValue()
                }
            }
            try reader.finish()
        } catch {
            return nil
        }
        guard let found else { return nil }
        infoHash = found
    }

    /// Bencoded.
    var value: [UInt8] {
        var writer = BencodeWriter(capacity: 30)
        writer.dictionary {
            $0.key("ih")
            $0.string(infoHash)
        }
        return writer.take()
    }
}

extension MagnetLink {
    /// Reads a link, or says in a person's words what is wrong with it.
    init(understanding text: String) throws(ShoalError) {
        do throws(MagnetError) { self = try MagnetLink(parsing: text) } catch { throw ShoalError(.usage, "\(error)") }
    }
}
