import Primitives

extension DHTNode {
    /// Answers a query, within the limits, and takes note of who asked.
    mutating func queried(
        _ method: Message.Method,
        _ message: Message,
        _ datagram: RawSpan,
        from sender: Endpoint,
        beside companion: borrowing DHTNode?,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        if message.body.id == id {
            return metOurselves(message, datagram, at: now, into: &actions)
        }
        guard reachability.answers(sender.address, isJoined: joining.hasJoined, at: now) else {
            return statistics.drop(.readOnly)
        }
        guard queryLimits.admits(sender.address, at: now) else { return statistics.drop(.rateLimited) }
        let sent = statistics.bytesSent
        guard let querier = message.body.id else {
            sendError(.invalidArguments, message, datagram, to: sender, into: &actions)
            return queryLimits.sent(statistics.bytesSent - sent, to: sender.address, at: now)
        }
        name(for: method, message.body, to: sender.address, beside: companion)
        switch method {
        case .ping: answerPing(message, datagram, from: sender, into: &actions)
        case .findNode: answerFindNode(message, datagram, from: sender, into: &actions)
        case .getPeers: answerGetPeers(message, datagram, from: sender, at: now, into: &actions)
        case .announcePeer: answerAnnounce(message, datagram, from: sender, at: now, into: &actions)
        case .get: answerGet(message, datagram, from: sender, at: now, into: &actions)
        case .put: answerPut(message, datagram, from: sender, at: now, into: &actions)
        case .sampleInfohashes: answerSample(message, datagram, from: sender, at: now, into: &actions)
        case .proveKey: answerProof(message, datagram, from: sender, at: now, into: &actions)
        case .getHave: answerGetHave(message, datagram, from: sender, at: now, into: &actions)
        case .putHave: answerPutHave(message, datagram, from: sender, at: now, into: &actions)
        case .unknown:
            sendError(.methodUnknown, message, datagram, to: sender, into: &actions)
        }
        queryLimits.sent(statistics.bytesSent - sent, to: sender.address, at: now)
        // One that is read-only cannot be asked by others, so it is no use in a table (BEP 43, hardening D13).
        guard !message.isReadOnly else { return }
        heard(Contact(querier, sender), at: now, into: &actions)
        if message.isOfOurKind(datagram) { wasAsked(by: Contact(querier, sender), at: now, into: &actions) }
    }

    private mutating func answerPing(
        _ message: Message,
        _ datagram: RawSpan,
        from sender: Endpoint,
        into actions: inout DHTActionBuffer
    ) {
        statistics.pingsAnswered += 1
        reply(to: message, datagram, sender, into: &actions) { _ in }
    }

    private mutating func answerFindNode(
        _ message: Message,
        _ datagram: RawSpan,
        from sender: Endpoint,
        into actions: inout DHTActionBuffer
    ) {
        guard message.body.place != nil else {
            return sendError(.invalidArguments, message, datagram, to: sender, into: &actions)
        }
        statistics.findNodesAnswered += 1
        reply(to: message, datagram, sender, into: &actions) { [named] in $0.replyNodes(named) }
    }

    private mutating func answerGetPeers(
        _ message: Message,
        _ datagram: RawSpan,
        from sender: Endpoint,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard let infoHash = message.body.infoHash else {
            return sendError(.invalidArguments, message, datagram, to: sender, into: &actions)
        }
        statistics.getPeersAnswered += 1
        let filters = filters(for: message, datagram, from: sender, at: now)
        let fitting = ReplySize.values(
            family,
            fitting: filters?.roomForRest ?? limits.replyBytes,
            named: named,
            transaction: message.transaction.count
        )
        let isValidated = validated.contains(sender.address, at: now)
        let allowed = isValidated ? limits.valuesPerReply : limits.valuesPerUnvalidatedReply
        peers.sample(
            infoHash,
            atMost: min(fitting, allowed),
            for: sender.address,
            sparingSeeds: message.body.sparesSeeds,
            at: now,
            using: &random,
            into: &peerScratch
        )
        nameOurselves(sharing: infoHash, to: sender.address, atMost: min(fitting, allowed))
        let token =
            peers.hasRoom(for: infoHash, from: sender.address)
            ? tokens.token(for: sender.address, infoHash, at: now, using: &secrets) : nil
        reply(to: message, datagram, sender, filters: filters, into: &actions) { [named, peerScratch] in
            $0.replyNodes(named)
            if let token { $0.replyToken(token) }
            if !peerScratch.isEmpty { $0.replyValues(peerScratch) }
        }
    }

    private mutating func answerAnnounce(
        _ message: Message,
        _ datagram: RawSpan,
        from sender: Endpoint,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        let port = message.body.impliesPort ? sender.port : message.body.port.flatMap { UInt16(exactly: $0) }
        guard let infoHash = message.body.infoHash, let port, port != 0, let range = message.body.token else {
            return sendError(.invalidArguments, message, datagram, to: sender, into: &actions)
        }
        guard range.count == 8, let token = datagram.bigEndian(UInt64.self, at: range.lowerBound),
            tokens.accepts(token, from: sender.address, infoHash, at: now, using: &secrets)
        else { return sendError(.invalidToken, message, datagram, to: sender, into: &actions) }
        validated.insert(sender.address, at: now)
        // The source is what is stored, never an argument: nobody signs up another host (hardening D8).
        guard
            peers.announce(
                Endpoint(sender.address, port),
                isSeed: message.body.isSeed,
                for: infoHash,
                at: now
            )
        else {
            return sendError(.storeFull, message, datagram, to: sender, into: &actions)
        }
        statistics.announcesAccepted += 1
        reply(to: message, datagram, sender, into: &actions) { _ in }
    }

    /// Pings an asker that the table has room for: only who answers gets in (D6).
    private mutating func heard(_ contact: Contact, at now: Instant, into actions: inout DHTActionBuffer) {
        table.queried(by: contact, at: now)
        // Forged sources may use up these pings, but never those by which the table is kept.
        guard verifying.count < limits.verifications, table.hasRoom(for: contact) else { return }
        verify(contact, at: now, into: &actions)
    }

    /// Takes note of an own endpoint when one of our queries comes back to us; a stranger who uses our identifier is
    /// ignored.
    private mutating func metOurselves(
        _ message: Message,
        _ datagram: RawSpan,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        statistics.drop(.ownIdentifier)
        guard message.transaction.count == 4,
            let transaction = datagram.bigEndian(UInt32.self, at: message.transaction.lowerBound),
            let query = queries.takeEcho(transaction)
        else { return }
        if ownEndpoints.count < limits.ownEndpoints { ownEndpoints.insert(query.endpoint) }
        joining.endpoints.removeAll { $0 == query.endpoint }
        fail(query, at: now, into: &actions)
        feedStarved(at: now, into: &actions)
    }

    mutating func reply(
        to message: Message,
        _ datagram: RawSpan,
        _ sender: Endpoint,
        filters: ScrapeFilters? = nil,
        count held: Int? = nil,
        into actions: inout DHTActionBuffer,
        _ values: (inout ByteWriter) -> Void
    ) {
        let transaction = datagram.extracting(message.transaction)
        reachability.answered(sender.address, at: toldTime)
        let count = actions.send(to: sender) {
            $0.beginReply(from: id, to: sender, filters: filters, count: held)
            values(&$0)
            $0.endReply(transaction: transaction)
        }
        statistics.datagramsSent += 1
        statistics.bytesSent += count
    }

    mutating func sendError(
        _ error: ProtocolError,
        _ message: Message,
        _ datagram: RawSpan,
        to sender: Endpoint,
        into actions: inout DHTActionBuffer
    ) {
        let transaction = datagram.extracting(message.transaction)
        let count = actions.send(to: sender) { $0.error(error, transaction: transaction, to: sender) }
        statistics.errorsSent += 1
        statistics.datagramsSent += 1
        statistics.bytesSent += count
    }
}
