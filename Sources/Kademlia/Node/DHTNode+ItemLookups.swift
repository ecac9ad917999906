package import Primitives

/// The client's side of BEP 44.
extension DHTNode {
    /// Finds an item. An immutable one ends the lookup; of a mutable one every newer version is handed on until the
    /// closest nodes have answered.
    ///
    /// - Parameters:
    ///   - target: `Item.target(of:salt:)`, or the hash of an immutable item.
    ///   - salt: what the target was made with: replies do not repeat it, but it is signed.
    ///   - sequence: the version that is known already; only newer ones are handed on.
    package mutating func findItem(
        _ target: NodeID,
        salt: [UInt8] = [],
        newerThan sequence: Int64? = nil,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        begin(.item(salt: salt, newerThan: sequence), target: target, at: now, into: &actions)
    }

    /// Stores an item at the nodes closest to its target.
    ///
    /// If a newer version turns up on the way, it is handed on (`foundItem`) and nothing more is stored; the summary's
    /// refusals then have code 302.
    ///
    /// - Parameters:
    ///   - replaced: the version that the nodes must have for it to be taken (BEP 44 `cas`); those that have another one
    ///     refuse with code 301.
    ///   - isKept: whether we publish it again, hourly, until `withdraw` or the end.
    package mutating func store(
        _ item: Item,
        replacing replaced: Int64? = nil,
        keeping isKept: Bool = false,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        if isKept { items.keep(item, at: now, using: &random) }
        var outgoing = OutgoingItem(item: item, occasion: .published)
        outgoing.replacing = replaced
        return begin(
            .item(salt: item.seal?.salt ?? [], newerThan: item.seal?.sequence),
            target: item.target,
            storing: .item(outgoing),
            at: now,
            into: &actions
        )
    }

    /// Publishes an item of ours no more; the network forgets it in its own time.
    package mutating func withdraw(_ target: NodeID) { items.withdraw(target) }

    // MARK: Finding

    /// Begins with what we hold ourselves.
    mutating func offerOwnItem(to index: Int, at now: Instant, into actions: inout DHTActionBuffer) {
        guard lookups[index].storing == nil, let held = items.item(at: lookups[index].target, now),
            lookups[index].item?.offered(held) == true
        else { return }
        found(held, by: index, into: &actions)
    }

    /// Takes the item out of a reply, if it is one and news.
    mutating func takeItem(
        of index: Int,
        _ query: OpenQuery,
        _ body: MessageBody,
        _ datagram: RawSpan,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard let verdict = lookups[index].item?.offered(body, in: datagram, by: query.endpoint) else { return }
        switch verdict {
        case .nothingNew: break
        case .lie:
            statistics.itemsRefused += 1
            lookups[index].distrust(query)
        case .better(let item):
            lookups[index].adoptNewest()
            found(item, by: index, into: &actions)
        }
    }

    private mutating func found(_ item: Item, by index: Int, into actions: inout DHTActionBuffer) {
        if lookups[index].isCommanded { actions.append(.foundItem(lookups[index].id, item)) }
        // There is no other value with this hash.
        if item.seal == nil, lookups[index].storing == nil { lookups[index].abandon() }
    }

    /// Takes note of why a node would not store what we gave it.
    mutating func noteRefusal(of query: OpenQuery, _ message: Message, _ datagram: RawSpan) {
        noteOtherKind(query, at: toldTime, message)
        guard case .store(let id) = query.purpose, let index = lookups.index(of: id), let code = message.errorCode
        else {
            return
        }
        let text = datagram.extracting(message.errorText ?? 0..<0)
        lookups[index].storing?.refused(StoreRefusal(code: code, text: text))
    }
}
