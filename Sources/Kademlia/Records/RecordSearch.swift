import Availability
import Cryptography
import Primitives

/// What a lookup has found of the records of one torrent, and how much more it may ask and check.
struct RecordSearch: Sendable {
    let infoHash: InfoHash
    /// Of the torrent, where that is known.
    var pieceCount: Int?
    @SharedLimits private var limits: DHTLimits
    /// The latest record of each key.
    private var newest: [Ed25519.PublicKey: Int64] = [:]
    /// In the order in which they were found.
    private var prefixes: [UInt32] = []
    /// What was refused, to say so once.
    private var refused: Set<OfferedRecord> = []
    private var checks = 0
    /// Peers that were taken up, and those of them whose turn has not come.
    private var peers: Set<Endpoint> = []
    private var peersWaiting = 0
    /// Nodes that have more than they could send, and how often such were asked.
    private var further: [Contact] = []
    private var furtherAsked: [Endpoint: Int] = [:]
    /// Where keys are asked to prove themselves (D14).
    var places: FoundPeers

    init(infoHash: InfoHash, limits: SharedLimits) {
        self.infoHash = infoHash
        _limits = limits
        places = FoundPeers(limits: limits)
    }

    var isEmpty: Bool { newest.isEmpty }
    var count: Int { newest.count }
    /// Whether peers wait for their turn, or nodes to be asked once more.
    var isWaiting: Bool { peersWaiting > 0 || !further.isEmpty }
    /// Whether nodes were asked once more.
    var hasAskedFurther: Bool { !furtherAsked.isEmpty }

    /// What a query says is known already: the latest found.
    var knownPrefixes: [UInt32] { Array(prefixes.suffix(limits.records.knownPrefixes)) }

    // MARK: Records

    /// Whether a record would be news.
    func wants(_ offer: OfferedRecord) -> Bool { newest[offer.key].map { $0 < offer.sequence } ?? true }

    /// Whether one more signature may be checked; counts it if so.
    mutating func affordsCheck() -> Bool {
        guard checks < limits.records.checksPerLookup else { return false }
        checks += 1
        return true
    }

    mutating func took(_ record: AvailabilityRecord) {
        if newest.updateValue(record.sequence, forKey: record.key) == nil { prefixes.append(record.key.prefix) }
    }

    /// Whether a refusal is news.
    mutating func refuses(_ offer: OfferedRecord) -> Bool {
        refused.count < limits.records.checksPerLookup && refused.insert(offer).inserted
    }

    // MARK: Peers

    /// Takes a peer up that is to be asked for its record; `false` where it was before, or there are too many.
    mutating func admits(_ peer: Endpoint) -> Bool {
        guard peers.count < limits.records.peersAsked, peers.insert(peer).inserted else { return false }
        peersWaiting += 1
        return true
    }

    /// The turn of a peer has come, or will not.
    mutating func turnCame() { peersWaiting -= 1 }

    // MARK: Once more

    /// Takes note of how many records a node has, after it sent some that were news.
    mutating func heard(_ held: Int64, from contact: Contact) {
        let asked = furtherAsked[contact.endpoint, default: 0]
        guard held > Int64(newest.count), asked < limits.records.furtherQuestionsPerNode,
            furtherAsked.values.reduce(0, +) < limits.records.furtherQuestions, !further.contains(contact)
        else { return }
        furtherAsked[contact.endpoint] = asked + 1
        further.append(contact)
    }

    mutating func takeFurther() -> Contact? {
        further.isEmpty ? nil : further.removeFirst()
    }
}
