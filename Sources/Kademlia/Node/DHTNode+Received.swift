package import Primitives

extension DHTNode {
    /// Takes a datagram from the network, whatever it is.
    ///
    /// - Parameter companion: our node of the other family, whose contacts an asker may want as well (BEP 32).
    package mutating func received(
        _ datagram: RawSpan,
        from sender: Endpoint,
        beside companion: borrowing DHTNode? = nil,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        told(now, into: &actions)
        statistics.datagramsReceived += 1
        statistics.bytesReceived += datagram.byteCount
        guard datagram.byteCount <= limits.datagramBytes else { return statistics.drop(.tooLarge) }
        guard sender.isUsable(in: family) else { return statistics.drop(.unusableSource) }
        if let query = Message(usual: datagram, transactionBytes: limits.transactionBytes) {
            return take(query, datagram, from: sender, beside: companion, at: now, into: &actions)
        }
        do {
            let message = try Message(datagram, transactionBytes: limits.transactionBytes)
            statistics.keysOutOfOrder += message.orderFaults
            take(message, datagram, from: sender, beside: companion, at: now, into: &actions)
        } catch {
            statistics.drop(.malformed)
        }
    }

    private mutating func take(
        _ message: Message,
        _ datagram: RawSpan,
        from sender: Endpoint,
        beside companion: borrowing DHTNode?,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        switch message.kind {
        case .query(let method):
            queried(method, message, datagram, from: sender, beside: companion, at: now, into: &actions)
        case .reply, .error:
            replied(message, datagram, from: sender, at: now, into: &actions)
        }
    }

    private mutating func replied(
        _ message: Message,
        _ datagram: RawSpan,
        from sender: Endpoint,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard message.transaction.count == 4,
            let transaction = datagram.bigEndian(UInt32.self, at: message.transaction.lowerBound),
            let query = queries.take(transaction, from: sender, at: now)
        else { return statistics.drop(.unmatched) }
        validated.insert(sender.address, at: now)
        heardAgain(at: now, into: &actions)
        if case .verify = query.purpose { verifying.remove(sender) }
        switch (message.kind, message.body.id) {
        case (.reply, let id?) where id == self.id:
            statistics.drop(.ownIdentifier)
            fail(query, at: now, into: &actions)
        case (.reply, let id?):
            statistics.repliesReceived += 1
            heardAddress(message, datagram, from: sender, at: now, into: &actions)
            answered(query, by: Contact(id, sender), message, datagram, at: now, into: &actions)
        default:
            // Alive, but of no use to us: the node keeps its place in the table.
            statistics.errorsReceived += 1
            noteRefusal(of: query, message, datagram)
            fail(query, at: now, into: &actions)
        }
        feedStarved(at: now, into: &actions)
    }

    private mutating func answered(
        _ query: OpenQuery,
        by contact: Contact,
        _ message: Message,
        _ datagram: RawSpan,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        if let expected = query.expected, expected != contact.id {
            table.forget(Contact(expected, query.endpoint), at: now)
            kind.overlay.forget(Contact(expected, query.endpoint), at: now)
        }
        recent.answered(contact)
        admit(contact, after: now - query.sentAt, at: now, into: &actions)
        let isOfOurKind = message.isOfOurKind(datagram)
        if isOfOurKind, query.purpose != .proveKey { met(contact, after: now - query.sentAt, at: now, into: &actions) }
        switch query.purpose {
        case .verify:
            break
        case .ping(let ping):
            actions.append(.pong(ping, from: contact.id, roundTrip: now - query.sentAt))
        case .proveKey:
            proofArrived(of: query, from: contact, message, datagram, at: now, into: &actions)
        case .lookup(let id), .findNode(let id):
            // A mainline node may answer our own queries as if they were `find_node`: it knows nothing of the overlay.
            if !isOfOurKind, let index = lookups.index(of: id), lookups[index].isInOverlay {
                return fail(query, at: now, into: &actions)
            }
            lookupAnswered(id, query, by: contact, message.body, datagram, at: now, into: &actions)
        case .store(let id):
            guard let index = lookups.index(of: id) else { return }
            lookups[index].storeConfirmed(query)
            pump(id, at: now, into: &actions)
        }
    }

    private mutating func lookupAnswered(
        _ id: LookupID,
        _ query: OpenQuery,
        by contact: Contact,
        _ body: MessageBody,
        _ datagram: RawSpan,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard let index = lookups.index(of: id) else { return }
        var usable = body.contacts(family, in: datagram, atMost: limits.nodesPerReply)
        let namedCount = usable.count
        usable.removeAll { !mayContact($0, namedBy: contact.endpoint.address) }
        statistics.contactsRefused += namedCount - usable.count
        let token = body.token.flatMap { (1...limits.tokenBytes).contains($0.count) ? datagram.copy($0) : nil }
        hearForCompanion(body, datagram, from: contact, to: lookups[index].purpose)
        let (awake, silent) = awakeAndSilent(usable, at: now)
        lookups[index].answered(query, by: contact, token: token, naming: awake, silent: silent)
        switch lookups[index].purpose {
        case .getPeers, .scrape:
            let peers = body.peers(family, in: datagram, atMost: limits.valuesPerLookup)
            handOn(peers, of: index, from: contact.endpoint.address, into: &actions)
            lookups[index].scrape?.take(body, peers, in: datagram)
        case .sample: sampled(body, in: datagram, of: contact, by: id).map { actions.append($0) }
        case .item, .republish: takeItem(of: index, query, body, datagram, at: now, into: &actions)
        case .records: takeRecords(of: index, contact, body, datagram, at: now, into: &actions)
        case .join, .refresh, .findNode, .overlay: break
        }
        if lookups[index].isCommanded {
            actions.append(
                .lookupProgress(id, asked: lookups[index].queriesSent, answered: lookups[index].replies)
            )
        }
        pump(id, at: now, into: &actions)
    }

    /// Hands peers on that are new and allowed.
    mutating func handOn(
        _ peers: [Endpoint],
        of index: Int,
        from source: IPAddress?,
        into actions: inout DHTActionBuffer
    ) {
        var new: [Endpoint] = []
        for peer in peers where lookups[index].peers.admits(peer, from: source) { new.append(peer) }
        statistics.peersRefused += peers.count - new.count
        if new.isEmpty { return }
        actions.append(.foundPeers(lookups[index].id, new))
        noteForRecords(new, foundBy: index)
    }

    /// Whether we talk to a node that another one named (hardening D2).
    private func mayContact(_ contact: Contact, namedBy source: IPAddress) -> Bool {
        contact.id != id && contact.endpoint.isUsable && source.mayName(contact.endpoint.address)
            && !ownEndpoints.contains(contact.endpoint)
    }

    /// Takes note that a node answered us; there is no other way into the table (D6).
    private mutating func admit(
        _ contact: Contact,
        after roundTrip: Duration,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        switch table.answered(contact, after: roundTrip, at: now) {
        case .updated, .refused:
            return
        case .waiting(let questionable):
            if let questionable { verify(questionable, at: now, into: &actions) }
        case .added:
            // Lookups that had nobody to ask are glad of the first node that there is.
            for lookup in lookups where lookup.replies == 0 && lookup.id != joining.lookup && !lookup.isInOverlay {
                guard let index = lookups.index(of: lookup.id) else { continue }
                lookups[index].add([contact])
                pump(lookup.id, at: now, into: &actions)
            }
            nodeAdded(at: now, into: &actions)
        }
    }

    /// Tells whoever waits for it that a query found no useful answer.
    mutating func fail(_ query: OpenQuery, at now: Instant, into actions: inout DHTActionBuffer) {
        switch query.purpose {
        case .verify:
            verifying.remove(query.endpoint)
        case .ping(let ping):
            actions.append(.pingFailed(ping))
        case .proveKey:
            _ = kind.proving.close(query.endpoint)
            pumpThoseWithoutNodes(at: now, into: &actions)
        case .lookup(let id), .findNode(let id):
            guard let index = lookups.index(of: id) else { return }
            // A peer that knows nothing of records, whether it says so or is silent, is not asked again soon.
            if query.expected == nil, lookups[index].records != nil {
                kind.proving.foundSilent(query.endpoint, at: now)
            }
            lookups[index].failed(query)
            pump(id, at: now, into: &actions)
        case .store(let id):
            guard let index = lookups.index(of: id) else { return }
            lookups[index].storeFailed(query)
            pump(id, at: now, into: &actions)
        }
    }
}
