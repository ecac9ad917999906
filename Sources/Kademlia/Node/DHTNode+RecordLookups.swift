package import Availability
import Cryptography
package import Primitives

/// The client's side of records of who holds which pieces (secure-peer.md, §2, "Queries" and "Reader rules").
extension DHTNode {
    /// Says which pieces we hold: to whoever asks us, until `withdrawRecord`, and to the nodes of our kind that are closest
    /// to the info-hash.
    ///
    /// `.finished` says how many took it.
    package mutating func publish(
        _ record: AvailabilityRecord,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        _ = kind.records.keep(record)
        return beginInOverlay(
            .records(record.infoHash),
            target: NodeID(record.infoHash),
            storing: .record(record),
            at: now,
            into: &actions
        )
    }

    /// Says to nobody any more which pieces of a torrent we hold. What was put to others expires.
    package mutating func withdrawRecord(of infoHash: InfoHash) { kind.records.withdraw(infoHash) }

    /// Finds records of who holds which pieces: at the nodes of our kind that are closest to the info-hash, and at peers
    /// that a `findPeers` of the same info-hash comes upon while this runs; it ends no sooner than that.
    ///
    /// - Parameters:
    ///   - pieceCount: of the torrent, where that is known; records that say otherwise are refused.
    ///   - peers: who are asked for their own record as well.
    package mutating func findRecords(
        of infoHash: InfoHash,
        pieceCount: Int? = nil,
        asking peers: [Endpoint] = [],
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        var found: [HeldRecord] = []
        if let wallClock { found = kind.records.records(of: infoHash, at: wallClock.unixMilliseconds(at: now)) }
        let id = beginInOverlay(
            .records(infoHash),
            target: NodeID(infoHash),
            at: now,
            into: &actions
        ) {
            $0.lookups[$1].records?.pieceCount = pieceCount
            $0.admit(peers, to: $1, at: now)
        }
        if let index = lookups.index(of: id) { offerHeld(found, to: index, at: now, into: &actions) }
        askPeers(at: now, into: &actions)
        return id
    }

    /// Asks peers for their own records as a part of a lookup that still runs; `false` where it is over.
    package mutating func askForRecords(
        from peers: [Endpoint],
        in lookup: LookupID,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> Bool {
        guard let index = lookups.index(of: lookup), lookups[index].records != nil else { return false }
        admit(peers, to: index, at: now)
        askPeers(at: now, into: &actions)
        return true
    }

    // MARK: Peers

    /// Notes the peers that a `get_peers` found, where somebody searches for records of the same torrent: they are asked
    /// for their own when time moves on, and not in the midst of the answer that named them.
    mutating func noteForRecords(_ peers: [Endpoint], foundBy index: Int) {
        guard case .getPeers(let infoHash) = lookups[index].purpose else { return }
        for search in lookups.recordSearches(of: infoHash) {
            guard let index = lookups.index(of: search) else { continue }
            admit(peers, to: index, at: toldTime)
        }
    }

    private mutating func admit(_ peers: [Endpoint], to index: Int, at now: Instant) {
        for peer in peers where peer.isUsable(in: family) && limits.allowsPeer(onPort: peer.port) {
            guard kind.peerQuestions.hasRoom, !ownEndpoints.contains(peer), !kind.proving.isSilent(peer, at: now),
                lookups[index].records?.admits(peer) == true
            else { continue }
            kind.peerQuestions.add(peer, of: lookups[index].id)
        }
    }

    /// Asks the peers whose turn has come.
    mutating func askPeers(at now: Instant, into actions: inout DHTActionBuffer) {
        while let (lookup, peer) = kind.peerQuestions.next(at: now) {
            guard let index = lookups.index(of: lookup) else { continue }
            lookups[index].records?.turnCame()
            lookups[index].add(strangers: [peer])
            pump(lookup, at: now, into: &actions)
        }
    }

    // MARK: Records

    /// Begins with what others put here.
    private mutating func offerHeld(
        _ held: [HeldRecord],
        to index: Int,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        let lookup = lookups[index].id
        for record in held {
            let offer = OfferedRecord(record)
            take(offer, record.value.span.bytes, from: nil, for: lookup, at: now, into: &actions)
        }
    }

    /// Takes the records out of a reply, and asks for more where the node has more.
    mutating func takeRecords(
        of index: Int,
        _ sender: Contact,
        _ body: MessageBody,
        _ datagram: RawSpan,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard lookups[index].storing == nil, let before = lookups[index].records?.count else { return }
        let lookup = lookups[index].id
        for offer in OfferedRecord.list(body, in: datagram, atMost: limits.records.readPerReply) {
            take(
                offer,
                datagram.extracting(offer.value),
                from: sender.endpoint,
                for: lookup,
                at: now,
                into: &actions
            )
        }
        guard let index = lookups.index(of: lookup), let after = lookups[index].records?.count, after > before else {
            return
        }
        lookups[index].records?.heard(body.count ?? 0, from: sender)
    }

    /// Checks one record and hands it on. One that is refused is dropped and counted, and whoever sent it is not held to
    /// blame: it may have been lied to.
    private mutating func take(
        _ offer: OfferedRecord,
        _ value: RawSpan,
        from sender: Endpoint?,
        for lookup: LookupID,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard let index = lookups.index(of: lookup), let search = lookups[index].records, let wallClock,
            offer.key != identity.key?.publicKey, search.wants(offer)
        else { return }
        do throws(RecordFault) {
            let claim = try RecordClaim(
                value,
                key: offer.key,
                of: search.infoHash,
                pieceCount: search.pieceCount,
                sequence: offer.sequence,
                signature: offer.signature,
                at: wallClock.unixMilliseconds(at: now)
            )
            guard lookups[index].records?.affordsCheck() == true, kind.peerQuestions.affordsCheck(at: now) else {
                statistics.recordsUnchecked += 1
                return
            }
            let found = FoundRecord(
                record: try AvailabilityRecord(verifying: claim),
                sender: sender,
                seenAt: offer.seenAt
            )
            lookups[index].records?.took(found.record)
            statistics.recordsFound += 1
            actions.append(.foundRecord(lookup, found))
            provePlaces(of: found, for: index, at: now, into: &actions)
        } catch {
            statistics.refuse(error)
            guard let sender, lookups[index].records?.refuses(offer) == true else { return }
            actions.append(.refusedRecord(lookup, RefusedRecord(offer, error, from: sender)))
        }
    }

    /// Asks where a key may be for a proof, within what one lookup may be made to ask (D14).
    private mutating func provePlaces(
        of found: FoundRecord,
        for index: Int,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        let source = (found.sender ?? found.seenAt)?.address
        var places: [Endpoint] = []
        for place in found.places where lookups[index].records?.places.admits(place, from: source) == true {
            places.append(place)
        }
        prove(places, namedBy: source, at: now, into: &actions)
    }
}

extension [Lookup] {
    /// The running searches for records of a torrent.
    func recordSearches(of infoHash: InfoHash) -> [LookupID] {
        filter { $0.records?.infoHash == infoHash && $0.storing == nil }.map(\.id)
    }

    /// Whether a search for records may still be told of peers, whom it would ask.
    func isWaitingForPeers(_ index: Int) -> Bool {
        guard let search = self[index].records, self[index].storing == nil else { return false }
        return contains { $0.purpose == .getPeers(search.infoHash) }
    }
}
