import Availability
import Cryptography
import Primitives
package import Swarming

/// How the nodes of a simulated swarm find each other, where they do not all meet at the start.
///
/// As in the engine: lookups name some endpoints, a `PeerDirectory` chooses whom to dial, and slots are few.
package struct SwarmMeeting: Hashable, Sendable {
    /// Slots of a node, and how many of them may go to peers that came by themselves.
    package var connections = 30
    package var incoming = 22
    /// Endpoints that one lookup names, by chance, and those that a node keeps.
    package var namedByLookup = 50
    package var mostKnown = 200
    package var lookupTime = Duration.seconds(2)
    /// Between lookups, while something is missing that nobody connected holds, and else.
    package var impatientPause = Duration.seconds(60)
    package var patientPause = Duration.seconds(900)
    /// Between two looks at what else there is to dial.
    package var attention = Duration.seconds(1)
    /// Connections of no use make room.
    package var makesRoom = true
    /// `nil`: nobody publishes any, nobody asks for any.
    package var records: Records?

    package struct Records: Hashable, Sendable {
        /// Nodes that keep records, and how many each keeps (secure-peer.md, §2).
        package var stores = 8
        package var keptByStore = 64
        package var eviction = Eviction.lot
        /// Records that one lookup brings from them: each node answers some nine times, with two records of 2000 pieces a
        /// time. The endpoints that the lookup names are asked for their own besides.
        package var readPerLookup = 144
        package var limits = GuidanceLimits()

        package init() {}
    }

    /// Which record leaves a full store.
    package enum Eviction: String, Hashable, Sendable, CaseIterable {
        case oldest
        /// That with the highest lot, which a node draws for each key and keeps secret.
        case lot
    }

    package init() {}
}

/// The nodes of a DHT that keep the records of one torrent.
struct RecordStores {
    private var stores: [[Int]]
    private let lots: [SipHash]
    private let capacity: Int
    private let eviction: SwarmMeeting.Eviction

    init(_ records: SwarmMeeting.Records, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        stores = [[Int]](repeating: [], count: records.stores)
        lots = stores.map { _ in SipHash(using: &random) }
        capacity = records.keptByStore
        eviction = records.eviction
    }

    /// A node publishes its record; the newest is last.
    mutating func put(_ node: Int) {
        for index in stores.indices {
            stores[index].removeAll { $0 == node }
            stores[index].append(node)
            guard stores[index].count > capacity else { continue }
            let lot = lots[index]
            if eviction == .lot { stores[index].sort { lot.hash(Self.name($0)) < lot.hash(Self.name($1)) } }
            stores[index].remove(at: eviction == .oldest ? 0 : capacity)
        }
    }

    private static func name(_ node: Int) -> [UInt8] {
        [UInt8(truncatingIfNeeded: node >> 8), UInt8(truncatingIfNeeded: node)]
    }

    /// Whose records a lookup brings.
    func records(atMost count: Int, using random: inout SeededRandom) -> [Int] {
        Array(Set(stores.joined()).sorted().shuffled(using: &random).prefix(count))
    }
}

/// What became of dials in a whole run.
package struct MeetingCounts: Hashable, Sendable {
    package var dialsByRecord = 0
    package var dialsByChance = 0
    /// Dials that found no free slot at the other end.
    package var refused = 0
    package var recordsPublished = 0
    package var recordsRead = 0
    package var liesFound = 0
    /// Connections that were given up for somebody else.
    package var roomsMade = 0

    package init() {}
}

/// Whom a node knows.
struct Encounters {
    var directory: PeerDirectory
    var schedule: PublishingSchedule
    /// What it published last.
    var published: (claims: PieceClaims, isFull: Bool, sequence: Int64)?
    var dialling: Set<Int> = []
    /// Of its links, those that came by themselves.
    var incoming: Set<Int> = []
    /// Links over which payload went.
    var useful: Set<Int> = []
}

/// What happens between nodes that do not know each other yet.
enum MeetingOccasion {
    case looksUp(Int)
    case lookedUp(Int)
    case attends(Int)
    case knocked(Int, at: Int)
    case answered(Int, by: Int, isWelcome: Bool)
}
