import Primitives

/// The server's side of BEP 44.
extension DHTNode {
    /// Answers `get` with nodes, a token where a `put` would find room, and the item unless the asker has it.
    mutating func answerGet(
        _ message: Message,
        _ datagram: RawSpan,
        from sender: Endpoint,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard let target = message.body.target else {
            return sendError(.invalidArguments, message, datagram, to: sender, into: &actions)
        }
        statistics.getsAnswered += 1
        let item = items.item(at: target, now)
        let isWanted = item.map { $0.seal.map { $0.sequence > message.body.sequence ?? -1 } ?? true } ?? false
        if isWanted, let item {
            named.trim(toBytes: ReplySize.contacts(beside: item, transaction: message.transaction.count, limits))
        }
        let token =
            items.hasRoom(for: target, from: sender.address, at: now)
            ? tokens.token(for: sender.address, InfoHash(target.value), at: now, using: &secrets) : nil
        reply(to: message, datagram, sender, into: &actions) { [named] in
            if isWanted, let seal = item?.seal { $0.replyKey(seal.key) }
            $0.replyNodes(named)
            if let seal = item?.seal { $0.replySequence(seal.sequence, signature: isWanted ? seal.signature : nil) }
            if let token { $0.replyToken(token) }
            if isWanted, let item { $0.replyValue(item.value) }
        }
    }

    mutating func answerPut(
        _ message: Message,
        _ datagram: RawSpan,
        from sender: Endpoint,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        if let error = put(message.body, datagram, from: sender.address, at: now) {
            return sendError(error, message, datagram, to: sender, into: &actions)
        }
        statistics.putsAccepted += 1
        reply(to: message, datagram, sender, into: &actions) { _ in }
    }

    /// Stores an item, or says why not. What costs little is checked first, the signature last (hardening D12).
    private mutating func put(
        _ body: MessageBody,
        _ datagram: RawSpan,
        from address: IPAddress,
        at now: Instant
    ) -> ProtocolError? {
        guard let value = body.value, let range = body.token else { return .invalidArguments }
        guard value.count <= Item.longestValue else { return .valueTooLong }
        guard body.salt?.count ?? 0 <= Item.longestSalt else { return .saltTooLong }
        guard let claim = ItemClaim(body, in: datagram) else { return .invalidArguments }
        guard range.count == 8, let token = datagram.bigEndian(UInt64.self, at: range.lowerBound),
            tokens.accepts(token, from: address, InfoHash(claim.target.value), at: now, using: &secrets)
        else { return .invalidToken }
        validated.insert(address, at: now)
        let held = items.item(at: claim.target, now)
        if let held, let error = conflict(of: claim, body.compareAndSwap, with: held) { return error }
        guard items.hasRoom(for: claim.target, from: address, at: now) else { return .storeFull }
        let item: Item
        do {
            if let held, claim.isSame(as: held) {
                item = held
            } else {
                try claim.check()
                guard claim.seal == nil || items.affordsSignatureCheck(at: now) else { return .busy }
                item = try claim.proved()
            }
        } catch {
            return ProtocolError(error)
        }
        let age = Duration.seconds(min(max(0, body.age ?? 0), Int64(limits.itemLifetime.inSeconds) * 1000))
        return items.store(item, from: address, age: age, at: now, using: &random) ? nil : .storeFull
    }

    /// What speaks against a new version of what we hold. One who has the same version may renew it.
    private func conflict(of claim: ItemClaim, _ compareAndSwap: Int64?, with held: Item) -> ProtocolError? {
        guard let seal = claim.seal, let old = held.seal else { return nil }
        if let compareAndSwap, compareAndSwap != old.sequence { return .otherSequence }
        if seal.sequence < old.sequence { return seal.sequence < 0 ? .invalidArguments : .oldSequence }
        return seal.sequence == old.sequence && claim.value != held.value ? .oldSequence : nil
    }
}

extension ProtocolError {
    /// The code of BEP 44 for what is wrong with an item.
    init(_ error: ItemError) {
        switch error {
        case .valueTooLong: self = .valueTooLong
        case .saltTooLong: self = .saltTooLong
        case .invalidSignature: self = .invalidSignature
        case .negativeSequence, .malformedValue: self = .invalidArguments
        }
    }
}
