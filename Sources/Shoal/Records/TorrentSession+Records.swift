import Availability
import Cryptography
import Kademlia
import Metainfo
import PeerWire
import Primitives
import SecurePeer
import Swarming

/// What a torrent does with signed records of who holds which pieces: those of its swarm, and its own.
struct Records {
    /// When our own is due; `nil` until we know how many pieces there are.
    var schedule: PublishingSchedule?
    var isLooking = false
    var lookup: LookupID?
    /// When our own was last stored as a plain item too.
    var mirroredAt: Instant?
    /// The latest good record of each key: it counts once an endpoint proves the key.
    var found = LRUCache<Ed25519.PublicKey, AvailabilityRecord>(capacity: 256)
}

extension TorrentSession {
    /// How long a fetch goes on before it publishes: most that end sooner are gone then, and would have to say so.
    private static let firstRecordPause: Duration = .seconds(15)

    // MARK: Theirs

    /// Asks nodes of our kind who holds what, and the peers that the search beside it finds: these may be of our kind, and then
    /// know best what they hold. Who has everything needs nobody.
    func findRecords() {
        guard usesDHT, !records.isLooking, !isSharing, swarm?.isComplete != true else { return }
        var handler = DHTDriver.LookupHandler()
        handler.foundRecord = { [weak self] in self?.found($0.record, at: $0.places) }
        handler.finished = { [weak self] _ in
            self?.records.isLooking = false
            self?.records.lookup = nil
        }
        records.isLooking = true
        let lookup = core.dht?.findRecords(of: infoHash, pieceCount: torrent?.layout.pieceCount, handler)
        // Where there is nobody to ask it has ended by now.
        records.lookup = records.isLooking ? lookup : nil
    }

    /// - Parameter places: where others say that its owner is. Until it proves that, we only try to speak SPS/1 there first.
    func found(_ record: AvailabilityRecord, at places: [Endpoint]) {
        if record.content.flags.contains(.secure) {
            for place in places { core.learned(record.key, at: place, by: .hearsay) }
        }
        // A node that was away may hand on an older one than another did.
        guard record.key != core.identity.publicKey,
            records.found.value(of: record.key).map({ $0.sequence < record.sequence }) ?? true
        else { return }
        records.found.insert(record, for: record.key)
    }

    /// Only what an endpoint proved itself leads us there: a record must not aim us at a host that never heard of it.
    func proved(_ key: Ed25519.PublicKey, at endpoint: Endpoint) {
        guard let record = records.found.value(of: key), !core.isOurs(endpoint) else { return }
        let claim = HolderClaim(record, by: core.wallClock, at: core.now)
        if record.content.flags.contains(.secure) {
            core.learned(key, at: endpoint, by: .proof(until: claim.expiresAt))
        } else {
            core.evidence.declined(key, at: endpoint)
        }
        if directory.claimed(claim, by: endpoint, at: core.now) { dial() }
    }

    /// A peer showed what it holds: was its record true?
    func compareWithRecord(_ session: PeerSession) {
        guard let candidate = session.candidate else { return }
        let verdict = swarm?.compareClaim(of: session.handle, at: candidate, in: &directory, now: core.now)
        if case .broken = verdict { peerBrokeItsWord(session) }
    }

    // MARK: Ours

    /// The torrent is known: from now on there may be something to say.
    func prepareRecord(_ torrent: Torrent) {
        directory.learn(pieceCount: torrent.layout.pieceCount)
        guard torrent.layout.pieceCount > 0 else { return }
        records.schedule = PublishingSchedule(
            pieceCount: torrent.layout.pieceCount,
            isPrivate: torrent.isPrivate,
            earliest: isSharing ? beganAt : beganAt + TorrentSession.firstRecordPause,
            seed: core.random.next()
        )
    }

    /// Publishes our record if it is due, and sees to it that the next one is.
    func publishWhenDue() {
        guard usesDHT, let held = swarm?.have.setCount else { return }
        records.schedule?.holds(held, isComplete: swarm?.isComplete == true)
        if discovery.announcedTo > 0 || sessions.values.contains(where: { !$0.wasDialled }) {
            records.schedule?.becameFindable()
        }
        if let publication = records.schedule?.publication(at: core.now) { publish(publication) }
        publishAlarm.set(records.schedule?.nextDeadline)
    }

    /// Takes back what was published, and ends the search for what others did.
    func leaveRecords() {
        publishAlarm.set(nil)
        if let farewell = records.schedule?.stopped() { publish(farewell) }
        core.dht?.withdrawRecord(of: infoHash)
        guard let lookup = records.lookup else { return }
        records.isLooking = false
        records.lookup = nil
        core.dht?.cancel(lookup)
    }

    private func publish(_ publication: PublishingSchedule.Publication) {
        guard let dht = core.dht, let have = swarm?.have, let port = core.publicPort(.v4), let blob = blob(of: have)
        else {
            return
        }
        let content = RecordContent(
            blob,
            heldCount: have.setCount,
            port: port,
            flags: security.recordFlags,
            load: load,
            lifetimeSeconds: publication.lifetimeSeconds,
            endpoint4: dht.externalAddress(.v4).map { Endpoint($0, port) },
            endpoint6: dht.externalAddress(.v6).map { Endpoint($0, core.publicPort(.v6) ?? port) }
        )
        // Only where no memory can be locked is there no signature; the next heartbeat tries again.
        guard
            let record = try? AvailabilityRecord(
                signing: content,
                of: infoHash,
                sequence: core.nextRecordSequence(),
                with: core.identity
            )
        else { return }
        dht.publish(record)
        mirror(record, isFarewell: publication == .farewell)
    }

    /// Only a digest names the rarest pieces, which take milliseconds to find.
    private func blob(of have: Bitfield) -> HaveBlob? {
        let blob = HaveBlob(have)
        if blob?.claims.isExact ?? true { return blob }
        return HaveBlob(have, rarestFirst: swarm?.rarestHeld(by: &directory) ?? [])
    }

    /// What a fetcher may expect of us.
    private var load: RecordContent.Load {
        guard sessions.count < TorrentSession.maximumPeers, core.hasRoom else { return .full }
        let isAnybodyWaiting = swarm?.statistics.contains { $0.isInterestedInUs && $0.isChoked } ?? false
        return isAnybodyWaiting ? .busy : .free
    }
}
