import Primitives

/// What is kept of one peer of a swarm; one type for each family, so that an IPv4 peer takes 32 bytes and not 48.
protocol PeerRow: BitwiseCopyable {
    var id: RowID { get set }
    var stamp: RowStamp { get set }
    var endpoint: Endpoint { get }

    /// `nil` for an address of the other family.
    init?(_ endpoint: Endpoint, _ id: RowID, _ stamp: RowStamp)
    func isAt(_ other: Self) -> Bool
    /// A hash of the endpoint that nobody can foresee who does not know the key.
    func hash(_ key: RowKey) -> UInt32
}

/// The secret of a registry's hashes: with a known one, a host could choose its ports and IPv6 addresses so that they
/// all meet in one place of an index.
struct RowKey {
    let first: UInt64
    let second: UInt64

    init(using random: inout some RandomNumberGenerator) {
        first = random.next()
        second = random.next() | 1
    }

    /// Both halves of a product, for the middle bits of either are mixed best (as in wyhash).
    func mix(_ word: UInt64) -> UInt64 {
        let (high, low) = (word ^ first).multipliedFullWidth(by: second)
        return high ^ low
    }
}

/// By which names a peer goes beside its endpoint.
struct RowID: BitwiseCopyable {
    private let high: UInt64
    private let middle: UInt64
    private let low: UInt32
    /// What proves that it is the same peer at another address; 0 is none (BEP 15 has no other way to say so).
    let key: UInt32

    init(_ peerID: PeerID, key: UInt32?) {
        (high, middle, low) = (peerID.value.high, peerID.value.middle, peerID.value.low)
        self.key = key ?? 0
    }

    var peerID: PeerID { PeerID(UInt160(high: high, middle: middle, low: low)) }

    /// Whether both are proven to be the same peer.
    func isSame(as other: RowID) -> Bool {
        key != 0 && key == other.key && middle == other.middle && low == other.low && high == other.high
    }
}

/// When a peer was heard of last, and two bits beside, in 16 bits: with 32 a row would be longer than half a cache line.
struct RowStamp: BitwiseCopyable {
    private var bits: UInt16

    /// The clock goes round after 72 hours; peers are removed long before, for an interval is a day at most.
    static let secondsPerTick: Int64 = 16
    private static let mask: UInt16 = 0x3fff

    init(at now: Instant) { bits = RowStamp.ticks(now) }

    private static func ticks(_ now: Instant) -> UInt16 {
        UInt16(truncatingIfNeeded: now.nanoseconds / (secondsPerTick * 1_000_000_000)) & mask
    }

    mutating func renew(at now: Instant) { bits = bits & ~RowStamp.mask | RowStamp.ticks(now) }

    /// As it was after some time: how a row that was written down comes back.
    init(at now: Instant, ticksAgo ticks: UInt16) {
        bits = (RowStamp.ticks(now) &- min(ticks, RowStamp.mask)) & RowStamp.mask
    }

    /// In whole ticks of 16 seconds.
    func ticks(until now: Instant) -> UInt16 { (RowStamp.ticks(now) &- bits) & RowStamp.mask }

    /// In whole ticks.
    func age(at now: Instant) -> Duration {
        .seconds(Int64(ticks(until: now)) * RowStamp.secondsPerTick)
    }

    /// Whether its `completed` was counted: that counts once a peer.
    var hasCompleted: Bool {
        get { bits & 0x4000 != 0 }
        set { bits = newValue ? bits | 0x4000 : bits & ~0x4000 }
    }

    /// Whether it announced to another tracker that uses the same database.
    var isForeign: Bool {
        get { bits & 0x8000 != 0 }
        set { bits = newValue ? bits | 0x8000 : bits & ~0x8000 }
    }
}

/// 32 bytes.
struct RowV4: PeerRow {
    var id: RowID
    private let address: UInt32
    private let port: UInt16
    var stamp: RowStamp

    init?(_ endpoint: Endpoint, _ id: RowID, _ stamp: RowStamp) {
        guard case .v4(let bits) = endpoint.address else { return nil }
        self.id = id
        address = bits
        port = endpoint.port
        self.stamp = stamp
    }

    var endpoint: Endpoint { Endpoint(.v4(address), port) }
    func isAt(_ other: RowV4) -> Bool { address == other.address && port == other.port }

    func hash(_ key: RowKey) -> UInt32 {
        UInt32(truncatingIfNeeded: key.mix(UInt64(address) << 16 | UInt64(port)))
    }
}

/// 48 bytes.
struct RowV6: PeerRow {
    var id: RowID
    private let high: UInt64
    private let low: UInt64
    private let port: UInt16
    var stamp: RowStamp

    init?(_ endpoint: Endpoint, _ id: RowID, _ stamp: RowStamp) {
        guard case .v6(let high, let low) = endpoint.address else { return nil }
        self.id = id
        (self.high, self.low) = (high, low)
        port = endpoint.port
        self.stamp = stamp
    }

    var endpoint: Endpoint { Endpoint(.v6(high: high, low: low), port) }
    func isAt(_ other: RowV6) -> Bool { low == other.low && high == other.high && port == other.port }

    func hash(_ key: RowKey) -> UInt32 {
        UInt32(truncatingIfNeeded: key.mix(key.mix(high) &+ low) &+ key.mix(UInt64(port)))
    }
}
