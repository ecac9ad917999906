import Cryptography
import Primitives

/// Who holds which key (`sp_id`; secure-peer.md, "Proof of binding").
extension DHTNode {
    /// Signs what the querier asks, within the limits; a node without a key does not know the query.
    mutating func answerProof(
        _ message: Message,
        _ datagram: RawSpan,
        from sender: Endpoint,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard let key = identity.key else {
            return sendError(.methodUnknown, message, datagram, to: sender, into: &actions)
        }
        // The answer is never longer than the question: a forged source gains nothing.
        let length = ReplySize.proof(sender.address.family) + message.transaction.count
        guard let range = message.body.nonce, range.count == UInt256.byteCount, datagram.byteCount >= length,
            let nonce = UInt256(datagram, at: range.lowerBound)
        else { return sendError(.invalidArguments, message, datagram, to: sender, into: &actions) }
        guard kind.proving.answers(sender.address, at: now),
            let proof = BindingProof(of: nonce, as: id, to: sender, with: key)
        else { return sendError(.busy, message, datagram, to: sender, into: &actions) }
        statistics.proofsAnswered += 1
        reply(to: message, datagram, sender, into: &actions) { $0.replyProof(proof) }
    }

    /// Asks the places of a record to prove its key, where we may ask them, each once in a while.
    ///
    /// - Parameter source: who named them; `nil` for what we hold ourselves.
    mutating func prove(
        _ places: [Endpoint],
        namedBy source: IPAddress?,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        for place in places {
            guard place.isUsable(in: family), limits.allowsPeer(onPort: place.port), !ownEndpoints.contains(place),
                source?.mayName(place.address) ?? true
            else { continue }
            if let key = kind.proving.key(at: place, now) {
                actions.append(.provedKey(key, at: place))
            } else {
                kind.proving.add(place, expecting: nil, isClaimed: true, at: now)
            }
        }
        askForProofs(at: now, into: &actions)
    }

    /// Asks those whose turn has come.
    mutating func askForProofs(at now: Instant, into actions: inout DHTActionBuffer) {
        while queries.count < limits.openQueries,
            let (endpoint, expected, nonce) = kind.proving.next(at: now, using: &secrets)
        {
            send(.proveKey(nonce), to: endpoint, expecting: expected, for: .proveKey, at: now, into: &actions)
        }
    }

    /// Checks a proof: who gave one has its place in the overlay, and is named to who waits for it.
    mutating func proofArrived(
        of query: OpenQuery,
        from contact: Contact,
        _ message: Message,
        _ datagram: RawSpan,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard let question = kind.proving.close(query.endpoint) else { return }
        guard let proof = BindingProof(message.body, in: datagram),
            let seen = message.externalAddress.flatMap({ Endpoint(compact: datagram.extracting($0)) }),
            identity.external.mayBeOurs(seen, seenBy: contact.endpoint.address),
            proof.shows(contact, answering: question.nonce, to: seen), proof.key != identity.key?.publicKey
        else {
            statistics.proofsRefused += 1
            kind.overlay.forget(contact, at: now)
            return pumpThoseWithoutNodes(at: now, into: &actions)
        }
        statistics.keysProved += 1
        kind.proving.proved(proof.key, at: contact.endpoint, now)
        if question.isClaimed { actions.append(.provedKey(proof.key, at: contact.endpoint)) }
        if message.isOfOurKind(datagram) {
            enteredOverlay(contact, proof.key, after: now - query.sentAt, at: now, into: &actions)
        }
    }
}
