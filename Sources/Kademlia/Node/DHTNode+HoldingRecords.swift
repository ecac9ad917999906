import Availability
import Cryptography
import Primitives

/// The server's side of records of who holds which pieces (secure-peer.md, §2, "Queries" and "Storing node rules").
extension DHTNode {
    /// Answers `get_have` with the nodes of our kind that are closest, a token, and records that the asker does not know:
    /// our own first, of the others a choice by chance, for different nodes shall tell different ones.
    ///
    /// Everything within three times the query, and records only where the query is long enough for any reply: a short one
    /// gets nodes and a token alone (N18).
    mutating func answerGetHave(
        _ message: Message,
        _ datagram: RawSpan,
        from sender: Endpoint,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard let infoHash = message.body.infoHash else {
            return sendError(.invalidArguments, message, datagram, to: sender, into: &actions)
        }
        statistics.getHavesAnswered += 1
        let allowance = min(limits.replyBytes, datagram.byteCount * limits.amplification)
        let isPadded = allowance == limits.replyBytes
        var room = allowance - ReplySize.have(sender.address.family) - message.transaction.count
        var wanted: [HeldRecord] = []
        var count = 0
        if let wallClock {
            let time = wallClock.unixMilliseconds(at: now)
            let own = kind.records.ownRecord(of: infoHash, at: time)
            var held = kind.records.records(of: infoHash, at: time)
            count = held.count + (own == nil ? 0 : 1)
            let known = message.body.knownPrefixes(in: datagram, atMost: limits.records.knownPrefixes)
            held.removeAll { known.contains($0.prefix) || !sender.address.mayHear(of: $0) }
            held.shuffle(using: &random)
            wanted = (own.map { known.contains($0.prefix) ? [] : [$0] } ?? []) + held
        }
        var chosen: [HeldRecord] = []
        // The first record goes before the nodes; what they leave is for the others.
        if let first = wanted.first(where: { isPadded && ReplySize.record($0) + ReplySize.records <= room }) {
            room -= ReplySize.records + ReplySize.record(first)
            chosen = [first]
            named.fit(room)
            room -= named.byteCount
            for record in wanted where record.key != first.key && ReplySize.record(record) <= room {
                chosen.append(record)
                room -= ReplySize.record(record)
            }
        } else {
            named.fit(room)
        }
        let token = tokens.token(for: sender.address, infoHash, at: now, using: &secrets)
        reply(to: message, datagram, sender, count: count, into: &actions) { [named] in
            $0.replyNodes(named)
            if !chosen.isEmpty { $0.replyRecords(chosen) }
            $0.replyToken(token)
        }
    }

    mutating func answerPutHave(
        _ message: Message,
        _ datagram: RawSpan,
        from sender: Endpoint,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        if let error = putHave(message.body, datagram, from: sender, at: now) {
            return sendError(error, message, datagram, to: sender, into: &actions)
        }
        statistics.putHavesAccepted += 1
        reply(to: message, datagram, sender, into: &actions) { _ in }
    }

    /// Stores a record, or says why not. What costs little is checked first, the signature last (hardening D12, D18).
    private mutating func putHave(
        _ body: MessageBody,
        _ datagram: RawSpan,
        from sender: Endpoint,
        at now: Instant
    ) -> ProtocolError? {
        guard let infoHash = body.infoHash, let token = body.token, let value = body.value,
            let sequence = body.sequence, let key = body.key, key.count == Ed25519.PublicKey.byteCount,
            let key = Ed25519.PublicKey(datagram, at: key.lowerBound),
            let signature = body.signature, signature.count == Ed25519.Signature.byteCount,
            let signature = Ed25519.Signature(datagram, at: signature.lowerBound)
        else { return .invalidArguments }
        guard token.count == 8, let token = datagram.bigEndian(UInt64.self, at: token.lowerBound),
            tokens.accepts(token, from: sender.address, infoHash, at: now, using: &secrets)
        else { return .invalidToken }
        validated.insert(sender.address, at: now)
        // Without a calendar nobody can tell what has expired.
        guard let wallClock else { return .busy }
        let time = wallClock.unixMilliseconds(at: now)
        do throws(RecordFault) {
            let claim = try RecordClaim(
                datagram.extracting(value),
                key: key,
                of: infoHash,
                sequence: sequence,
                signature: signature,
                at: time
            )
            if let held = kind.records.record(of: infoHash, by: key) {
                guard claim.sequence > held.sequence else { return renewed(claim, held, at: now) }
            }
            switch kind.records.refusal(of: infoHash, by: key, from: sender.address, at: time) {
            case .networkQuota: return .networkQuota
            case .addressQuota: return .addressQuota
            case .full: return .storeFull
            case nil: break
            }
            guard kind.records.affordsCheck(for: sender.address, at: now) else { return .busy }
            kind.records.store(try AvailabilityRecord(verifying: claim), from: sender, at: now, wallClock)
            return nil
        } catch {
            statistics.refuse(error)
            return ProtocolError(error)
        }
    }

    /// What is said to a record that is not newer: the same one counts anew, any other is refused.
    private mutating func renewed(_ claim: RecordClaim, _ held: HeldRecord, at now: Instant) -> ProtocolError? {
        guard claim.sequence == held.sequence, claim.value == held.value, claim.signature == held.signature else {
            return .oldSequence
        }
        kind.records.renew(claim.infoHash, claim.key, at: now)
        return nil
    }
}

extension ProtocolError {
    /// The code for what is wrong with a record.
    fileprivate init(_ fault: RecordFault) {
        switch fault {
        case .tooLong: self = .recordTooLong
        case .signature: self = .invalidSignature
        case .fromTheFuture: self = .fromTheFuture
        case .expired: self = .expired
        case .malformed, .field, .blob, .count, .pieceCount: self = .invalidArguments
        }
    }
}

extension IPAddress {
    /// Whether a record's source may be told to a host here, as with peers (hardening D2).
    fileprivate func mayHear(of record: HeldRecord) -> Bool { record.seenAt.map { mayName($0.address) } ?? true }
}
