import Primitives

/// A node that has answered us.
struct TableEntry: Hashable, Sendable {
    enum Status: Hashable, Sendable {
        case good
        case questionable
        case bad
    }

    /// Failed queries in a row after which a node may be replaced (BEP 5, hardening D6).
    static let failuresOfBad: UInt8 = 2

    let contact: Contact
    /// The last reply to us, or query of it.
    var heardAt: Instant
    /// What its answers took, as far as that was measured.
    var roundTrip: RoundTrip?
    var failures: UInt8 = 0
    /// Whether its identifier is one that its address allows (D4); known once it has a place.
    var fits = true

    var isBad: Bool { failures >= TableEntry.failuresOfBad }

    /// Good is who was heard of lately; having answered once is what being an entry means (BEP 5).
    func status(at now: Instant, freshness: Duration) -> Status {
        if isBad { return .bad }
        return failures == 0 && now - heardAt < freshness ? .good : .questionable
    }

    mutating func failed() { failures = min(failures, TableEntry.failuresOfBad - 1) + 1 }
}

/// What is known of one part of the key space, beside its nodes.
struct Bucket: Hashable, Sendable {
    /// Nodes that answered while the bucket was full, the latest last; they move up when an entry goes bad.
    var replacements: [TableEntry] = []
    var changedAt: Instant
    /// When a lookup last went into this part of the key space, if ever.
    var refreshedAt: Instant?
}

/// What a person may want to know of one bucket.
package struct BucketSummary: Hashable, Sendable {
    /// How many leading bits its nodes share with our identifier; in the last bucket at least so many.
    package var sharedBits: Int
    package var good: Int
    package var questionable: Int
    package var bad: Int
    package var replacements: Int
}
