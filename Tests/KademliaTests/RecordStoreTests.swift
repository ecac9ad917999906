import Availability
import Cryptography
import Primitives
import Testing

@testable import Kademlia

@Suite("The store of records, and who leaves when it is full")
struct RecordStoreTests {
    static let clock = WallClock(unixMilliseconds: Kin.epoch, at: .zero)

    static func store(seed: UInt64 = 1, _ change: (inout RecordLimits) -> Void = { _ in }) -> RecordStore {
        var limits = DHTLimits()
        change(&limits.records)
        var secrets = KeyedRandom(seed: seed)
        return RecordStore(limits: SharedLimits(limits), now: .zero, using: &secrets)
    }

    static func hash(_ number: Int) -> InfoHash { InfoHash(UInt160(high: UInt64(number), middle: 0, low: 0)) }

    /// Puts the record of a key from an address, a second after the one before.
    static func put(
        _ store: inout RecordStore,
        _ key: Int,
        from address: String,
        of hash: InfoHash = Kin.infoHash,
        at second: Int,
        lifetime: Int = 3600
    ) throws {
        let kin = Kin(UInt8(key), at: "\(address):6881")
        let record = try kin.record(of: hash, lifetime: lifetime)
        store.store(record, from: kin.endpoint, at: .zero + .seconds(second), clock)
    }

    /// The keys that are held, as the numbers of those that made them.
    static func keys(_ store: RecordStore, of hash: InfoHash = Kin.infoHash, _ numbers: Range<Int>) -> [Int] {
        let held = Set(store.records(of: hash, at: Kin.epoch).map(\.key))
        return numbers.filter { held.contains(Kin(UInt8($0), at: "20.0.0.1:1").key.publicKey) }
    }

    @Test("of one info-hash a record of the network that has most makes room, whichever drew the highest lot")
    func perInfoHash() throws {
        var store = Self.store { $0.perInfoHash = 5 }
        for (second, network) in [1, 2, 2, 3, 2].enumerated() {
            try Self.put(&store, second, from: "20.0.\(network).\(second + 1)", at: second)
        }
        try Self.put(&store, 5, from: "20.0.9.1", at: 5)
        #expect(store.count == 5)
        let held = Self.keys(store, 0..<6)
        #expect(held.count == 5 && Set(held).isSuperset(of: [0, 3, 5]))
    }

    @Test("where no network has more than another, each node keeps others, and putting again displaces nobody")
    func lots() throws {
        var kept: [[Int]] = []
        for seed in 1...4 as ClosedRange<UInt64> {
            var store = Self.store(seed: seed) { $0.perInfoHash = 5 }
            for second in 0..<20 { try Self.put(&store, second, from: "20.0.\(second).1", at: second) }
            let first = Self.keys(store, 0..<20)
            for second in 20..<40 { try Self.put(&store, second - 20, from: "20.0.\(second - 20).1", at: second) }
            #expect(Self.keys(store, 0..<20) == first)
            #expect(first.count == 5)
            // Who would not stay is refused before its signature is looked at.
            let refused = (0..<20).filter {
                let kin = Kin(UInt8($0), at: "20.0.\($0).1:6881")
                let address = kin.endpoint.address
                return store.refusal(of: Kin.infoHash, by: kin.key.publicKey, from: address, at: Kin.epoch) == .full
            }
            #expect(refused == (0..<20).filter { !first.contains($0) })
            kept.append(first)
        }
        #expect(Set(kept).count > 1)
        #expect(Set(kept.joined()).count > 10)
    }

    @Test("what has expired leaves before anything else")
    func expiredFirst() throws {
        var store = Self.store { $0.perInfoHash = 3 }
        try Self.put(&store, 0, from: "20.0.1.1", at: 0)
        try Self.put(&store, 1, from: "20.0.1.2", at: 1)
        try Self.put(&store, 2, from: "20.0.3.1", at: 2, lifetime: 60)
        try Self.put(&store, 3, from: "20.0.4.1", at: 700)
        #expect(Self.keys(store, 0..<4) == [0, 1, 3])
    }

    @Test("a renewed record is the newest")
    func renewal() throws {
        var store = Self.store {
            $0.stored = 2
            $0.evictedAtOnce = 1
        }
        try Self.put(&store, 0, from: "20.0.1.1", of: Self.hash(0), at: 0)
        try Self.put(&store, 1, from: "20.0.2.1", of: Self.hash(1), at: 1)
        store.renew(Self.hash(0), Kin(0, at: "20.0.1.1:1").key.publicKey, at: .zero + .seconds(2))
        try Self.put(&store, 2, from: "20.0.3.1", of: Self.hash(2), at: 3)
        #expect((0..<3).filter { !Self.keys(store, of: Self.hash($0), $0..<$0 + 1).isEmpty } == [0, 2])
    }

    @Test("a full store lets several go at once: of the network that has most, the oldest")
    func inAll() throws {
        var store = Self.store {
            $0.stored = 10
            $0.evictedAtOnce = 3
        }
        for number in 0..<10 {
            let network = number < 6 ? "20.0.1.\(number)" : "20.0.\(number).1"
            try Self.put(&store, number, from: network, of: Self.hash(number), at: number)
        }
        #expect(store.count == 10)
        try Self.put(&store, 10, from: "20.0.50.1", of: Self.hash(10), at: 10)
        #expect(store.count == 8)
        let left = (0...10).filter { !Self.keys(store, of: Self.hash($0), $0..<$0 + 1).isEmpty }
        #expect(left == [3, 4, 5, 6, 7, 8, 9, 10])
    }

    @Test("an address has 200 records, over all info-hashes, and may renew them")
    func perAddress() throws {
        var store = Self.store { $0.perAddress = 3 }
        for number in 0..<3 { try Self.put(&store, 1, from: "20.0.1.1", of: Self.hash(number), at: number) }
        let (address, other) = (IPAddress.v4(0x1400_0101), IPAddress.v4(0x1400_0102))
        let key = Kin(1, at: "20.0.1.1:1").key.publicKey
        #expect(store.refusal(of: Self.hash(3), by: key, from: address, at: Kin.epoch) == .addressQuota)
        #expect(store.refusal(of: Self.hash(2), by: key, from: address, at: Kin.epoch) == nil)
        #expect(store.refusal(of: Self.hash(3), by: key, from: other, at: Kin.epoch) == nil)
        #expect(RecordLimits().perAddress == 200)
        // What leaves gives its share back.
        store.sweep(at: .zero + .seconds(10_000), Self.clock)
        #expect(store.count == 0)
        #expect(store.refusal(of: Self.hash(3), by: key, from: address, at: Kin.epoch) == nil)
    }

    @Test("a record takes 256 bytes at most and its value: 20,000 of the longest take 20 MB")
    func size() {
        #expect(MemoryLayout<RecordStore.Stored>.stride <= 256)
        #expect(MemoryLayout<HeldRecord>.stride <= 160)
    }

    @Test("records of our own are kept up to the limit, one for each torrent")
    func own() throws {
        var store = Self.store { $0.own = 2 }
        let kin = Kin.known
        let kept = try (0..<3).map { store.keep(try kin.record(of: Self.hash($0))) }
        #expect(kept == [true, true, false])
        #expect(store.keep(try kin.record(of: Self.hash(1), age: -5)))
        #expect(store.ownRecord(of: Self.hash(1), at: Kin.epoch)?.sequence == Kin.epoch + 5)
        #expect(RecordLimits().own == 2000)
    }
}
