import Primitives

/// The contacts that a reply names: of each family that was wanted (BEP 32).
///
/// Storage is used again and again, so that an answer allocates nothing.
struct NamedContacts: Sendable {
    private var contactsV4: [Contact] = []
    private var contactsV6: [Contact] = []
    private var hasV4 = false
    private var hasV6 = false

    /// What `nodes` holds; `nil` where it is not wanted.
    var v4: [Contact]? { hasV4 ? contactsV4 : nil }
    /// What `nodes6` holds.
    var v6: [Contact]? { hasV6 ? contactsV6 : nil }

    /// What both take in a reply, with their heads: `5:nodes` or `6:nodes6` and a length of up to three digits.
    var byteCount: Int {
        (hasV4 ? 11 + contactsV4.count * Contact.compactByteCount(.v4) : 0)
            + (hasV6 ? 12 + contactsV6.count * Contact.compactByteCount(.v6) : 0)
    }

    mutating func removeAll() {
        hasV4 = false
        hasV6 = false
    }

    /// Leaves the farthest out, of the family that takes more room, until the rest fits.
    mutating func trim(toBytes limit: Int) {
        while byteCount > limit {
            let sizeV4 = hasV4 ? contactsV4.count * Contact.compactByteCount(.v4) : 0
            let sizeV6 = hasV6 ? contactsV6.count * Contact.compactByteCount(.v6) : 0
            guard sizeV4 + sizeV6 > 0 else { return }
            if sizeV6 > sizeV4 { contactsV6.removeLast() } else { contactsV4.removeLast() }
        }
    }

    /// Leaves out as many as it takes to fit, heads included.
    mutating func fit(_ limit: Int) {
        trim(toBytes: limit)
        if byteCount > limit { removeAll() }
    }

    /// Lets `fill` replace the contacts of one family, which are wanted from here on.
    mutating func name(_ family: AddressFamily, _ fill: (inout [Contact]) -> Void) {
        switch family {
        case .v4:
            hasV4 = true
            fill(&contactsV4)
        case .v6:
            hasV6 = true
            fill(&contactsV6)
        }
    }
}

extension MessageBody {
    /// The place in the key space that a query is about. Some old versions of libtorrent ask `find_node` with
    /// `info_hash`.
    var place: NodeID? { target ?? infoHash.map { NodeID($0) } }
}

extension DHTNode {
    /// Chooses the contacts for the answer to a query: our closest where our family is wanted, our companion's where
    /// the other one is. A family of which we have no node is left out, wanted or not.
    mutating func name(
        for method: Message.Method,
        _ body: MessageBody,
        to asker: IPAddress,
        beside companion: borrowing DHTNode?
    ) {
        named.removeAll()
        switch method {
        case .findNode, .getPeers, .get, .sampleInfohashes: break
        case .getHave: return nameOwnKind(body, to: asker, beside: companion)
        case .ping, .announcePeer, .put, .proveKey, .putHave, .unknown: return
        }
        guard let place = body.place else { return }
        let count = limits.bucketSize
        if body.wants(family, over: family) {
            named.name(family) { table.closest(to: place, atMost: count, for: asker, into: &$0) }
        }
        guard body.wants(family.other, over: family) else { return }
        switch companion {
        case .some(let companion):
            named.name(companion.family) {
                companion.table.closest(to: place, atMost: count, for: asker, into: &$0)
            }
        case .none: break
        }
    }
    /// Chooses the contacts for the answer to one of our own queries, which only nodes of our own kind understand.
    private mutating func nameOwnKind(_ body: MessageBody, to asker: IPAddress, beside companion: borrowing DHTNode?) {
        guard let place = body.place else { return }
        let count = limits.bucketSize
        if body.wants(family, over: family) {
            named.name(family) { [kind] in
                kind.overlay.table.closest(to: place, atMost: count, for: asker, into: &$0)
            }
        }
        guard body.wants(family.other, over: family) else { return }
        switch companion {
        case .some(let companion):
            named.name(companion.family) {
                companion.kind.overlay.table.closest(to: place, atMost: count, for: asker, into: &$0)
            }
        case .none: break
        }
    }
}
