import Primitives

/// What a lookup has found of the item that it is after.
///
/// Nobody is believed: an immutable item must have the hash that was asked for, a mutable one the key and a signature
/// of it, whoever sends it (BEP 44).
struct ItemSearch: Sendable {
    enum Verdict: Hashable, Sendable {
        /// The node has no item, or none that is newer than what we know.
        case nothingNew
        case better(Item)
        /// Not an item of this target, or one with a false signature.
        case lie
    }

    private let target: NodeID
    private let salt: [UInt8]
    /// Versions up to this one are not wanted.
    private let known: Int64?
    private(set) var newest: Item?
    /// Which version each node says that it has.
    private var versions: [Endpoint: Int64] = [:]

    init(target: NodeID, salt: [UInt8], newerThan known: Int64?) {
        self.target = target
        self.salt = salt
        self.known = known
    }

    /// The version that nodes need not send again: the latest that we have, or that our asker has.
    var latest: Int64? {
        guard let found = newest?.seal?.sequence else { return known }
        return max(found, known ?? found)
    }

    /// Looks at what a reply says; a signature is checked only for a version that would be news.
    mutating func offered(_ body: MessageBody, in datagram: RawSpan, by endpoint: Endpoint) -> Verdict {
        if let sequence = body.sequence { versions[endpoint] = sequence }
        guard body.value != nil else { return .nothingNew }
        guard let claim = ItemClaim(body, in: datagram, salt: salt), claim.target == target else { return .lie }
        if let seal = claim.seal, let latest, seal.sequence <= latest { return .nothingNew }
        if claim.seal == nil, newest != nil { return .nothingNew }
        do {
            let item = try claim.proved()
            newest = item
            return .better(item)
        } catch {
            return .lie
        }
    }

    /// The version that a node says it has: what it is told to replace, unproved.
    func version(at endpoint: Endpoint) -> Int64? { versions[endpoint] }

    /// Takes an item that is proved already; whether it is news.
    mutating func offered(_ item: Item) -> Bool {
        if let seal = item.seal, let latest, seal.sequence <= latest { return false }
        newest = item
        return true
    }
}
