import Availability
import Cryptography
import Kademlia
import Metainfo
import Primitives

/// Records as plain items of BEP 44, beside those that nodes of our kind keep (secure-peer.md, §2): any node of the
/// mainline DHT stores them, but only who knows a key can look its item up. So they are for torrents with a trusted list.
extension TorrentSession {
    /// Who stores an item forgets it after two hours (BEP 44).
    private static let mirrorInterval: Duration = .seconds(3600)
    /// Keys that are looked up beside one search for peers: each costs as much as that search does.
    private static let mirrorsPerSearch = 8

    /// Stores our record as an item, if that is due.
    func mirror(_ record: AvailabilityRecord, isFarewell: Bool) {
        guard security.trusted != nil, let dht = core.dht else { return }
        let isDue = records.mirroredAt.map { core.now - $0 >= TorrentSession.mirrorInterval } ?? !isFarewell
        guard isDue || isFarewell && records.mirroredAt != nil else { return }
        // It is what we have just signed.
        guard
            let item = try? Item(
                verifying: record.value,
                key: record.key,
                salt: AvailabilityRecord.salt(of: infoHash),
                sequence: record.sequence,
                signature: record.signature
            )
        else { return }
        records.mirroredAt = core.now
        dht.publish(item)
    }

    /// Looks for what the keys of the trusted list have stored: some of them each time.
    func findMirrors() {
        guard let trusted = security.trusted, let dht = core.dht else { return }
        let salt = AvailabilityRecord.salt(of: infoHash)
        for key in trusted.shuffled(using: &core.random).prefix(TorrentSession.mirrorsPerSearch)
        where key != core.identity.publicKey {
            var handler = DHTDriver.LookupHandler()
            handler.foundItem = { [weak self] in self?.foundMirror($0) }
            _ = dht.findItem(Item.target(of: key, salt: salt), salt: salt, newerThan: nil, handler)
        }
    }

    /// A record, if its owner meant this torrent; its endpoints are asked to prove the key, as those of any record are.
    private func foundMirror(_ item: Item) {
        guard let seal = item.seal,
            let claim = try? RecordClaim(
                item.value.span.bytes,
                key: seal.key,
                of: infoHash,
                pieceCount: torrent?.layout.pieceCount,
                sequence: seal.sequence,
                signature: seal.signature,
                at: core.wallClock.unixMilliseconds(at: core.now)
            ), let record = try? AvailabilityRecord(verifying: claim)
        else { return }
        let places = [record.content.endpoint4, record.content.endpoint6].compactMap { $0 }.filter { !core.isOurs($0) }
        found(record, at: places)
        if records.lookup == nil { findRecords() }
        if let lookup = records.lookup { _ = core.dht?.askForRecords(from: places, in: lookup) }
    }
}
