package import Availability

/// Why a datagram was dropped without an answer.
package enum DHTDropReason: Int, Hashable, Sendable, CaseIterable {
    /// Longer than `DHTLimits.datagramBytes`.
    case tooLarge
    /// Not a KRPC message: broken bencoding, no transaction, an unknown type.
    case malformed
    /// A reply or an error that matches no open query, by transaction *and* source (hardening D1).
    case unmatched
    /// A query of an address, a network, or of all together beyond what is answered (D10).
    case rateLimited
    /// It carries our own identifier.
    case ownIdentifier
    /// A query, while we only ask (BEP 43).
    case readOnly
    /// It comes from an address or a port that cannot be answered.
    case unusableSource
}

/// What a node has seen and done since it was made.
package struct DHTStatistics: Hashable, Sendable {
    package var datagramsReceived = 0
    package var datagramsSent = 0
    package var bytesReceived = 0
    package var bytesSent = 0
    /// Keys in messages that did not follow the one before them (hardening P4): a fault of their sender's.
    package var keysOutOfOrder = 0

    package var pingsAnswered = 0
    package var findNodesAnswered = 0
    package var getPeersAnswered = 0
    package var announcesAccepted = 0
    package var getsAnswered = 0
    package var putsAccepted = 0
    package var samplesAnswered = 0
    /// Our own queries (secure-peer.md, §1 and §2).
    package var proofsAnswered = 0
    package var getHavesAnswered = 0
    package var putHavesAccepted = 0
    package var errorsSent = 0

    package var queriesSent = 0
    package var repliesReceived = 0
    package var errorsReceived = 0
    package var timeouts = 0
    /// How often we took another identifier, for another external address (BEP 42), and how often the host slept.
    package var identifierChanges = 0
    package var wakeUps = 0
    /// Contacts in replies that we will not talk to (D2; ourselves among them), and peers that we will not hand on
    /// (D14).
    package var contactsRefused = 0
    package var peersRefused = 0
    /// Items in replies that were not what was asked for, or whose signature was false.
    package var itemsRefused = 0
    /// Lookups whose target too many nodes surrounded (D15).
    package var eclipsesSuspected = 0
    /// Keys that others proved to us, and proofs that showed nothing.
    package var keysProved = 0
    package var proofsRefused = 0
    /// Records in replies that were good, and those that were not looked at because too many came.
    package var recordsFound = 0
    package var recordsUnchecked = 0

    private var dropped = [Int](repeating: 0, count: DHTDropReason.allCases.count)

    package init() {}

    /// Records of others that were refused, put here or sent to us, and why.
    package private(set) var recordsRefused: [RecordFault: Int] = [:]

    mutating func refuse(_ fault: RecordFault) { recordsRefused[fault, default: 0] += 1 }

    package func dropped(_ reason: DHTDropReason) -> Int { dropped[reason.rawValue] }
    package var droppedInAll: Int { dropped.reduce(0, +) }

    mutating func drop(_ reason: DHTDropReason) { dropped[reason.rawValue] += 1 }

    /// All counts but those of dropped datagrams; a test holds the list against the properties.
    package static var counters: [WritableKeyPath<DHTStatistics, Int>] {
        [
            \.datagramsReceived, \.datagramsSent, \.bytesReceived, \.bytesSent, \.pingsAnswered, \.findNodesAnswered,
            \.getPeersAnswered, \.announcesAccepted, \.getsAnswered, \.putsAccepted, \.samplesAnswered, \.errorsSent,
            \.queriesSent, \.repliesReceived, \.errorsReceived, \.timeouts, \.contactsRefused, \.peersRefused,
            \.itemsRefused, \.eclipsesSuspected, \.proofsAnswered, \.getHavesAnswered, \.putHavesAccepted, \.keysProved,
            \.proofsRefused, \.recordsFound, \.recordsUnchecked,
            \.identifierChanges, \.wakeUps, \.keysOutOfOrder,
        ]
    }

    /// The counts of two nodes together.
    package static func + (left: DHTStatistics, right: DHTStatistics) -> DHTStatistics {
        var sum = left
        for counter in counters { sum[keyPath: counter] += right[keyPath: counter] }
        for (index, count) in right.dropped.enumerated() { sum.dropped[index] += count }
        sum.recordsRefused.merge(right.recordsRefused, uniquingKeysWith: +)
        return sum
    }
}
