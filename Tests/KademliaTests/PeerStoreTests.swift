import Cryptography
import Primitives
import Testing

@testable import Kademlia

extension PeerStore {
    static func empty(_ limits: DHTLimits = DHTLimits()) -> PeerStore {
        var secrets = KeyedRandom(seed: 5)
        return PeerStore(limits: SharedLimits(limits), now: .zero, using: &secrets)
    }

    /// So many swarms of so many peers, each peer at an address of its own, every tenth a seed.
    static func full(swarms: Int, of peers: Int, limits: DHTLimits = DHTLimits(), at now: Instant) -> PeerStore {
        var store = PeerStore.empty(limits)
        for swarm in 0..<swarms {
            for peer in 0..<peers {
                let endpoint = Endpoint(.v4(0x1400_0000 + UInt32(swarm * peers + peer)), 6881)
                _ = store.announce(endpoint, isSeed: peer % 10 == 0, for: .numbered(swarm), at: now)
            }
        }
        return store
    }

    func endpoints(of infoHash: InfoHash, at now: Instant = .zero) -> [Endpoint] {
        peers(of: infoHash, at: now).map(\.endpoint)
    }
}

extension InfoHash {
    static func numbered(_ number: Int) -> InfoHash { InfoHash(UInt160(high: UInt64(number), middle: 7, low: 7)) }
}

@Suite("Stored peers")
struct PeerStoreTests {
    static let hash = AnsweringTests.infoHash

    static func store(announcing hashes: Int) -> PeerStore {
        var store = PeerStore.empty()
        for index in 0..<hashes {
            let peer = Endpoint(.v4(0x1400_0000 + UInt32(index)), 6881)
            _ = store.announce(peer, for: InfoHash(UInt160(high: UInt64(index), middle: 0, low: 0)), at: .zero)
        }
        return store
    }

    @Test("the store holds 2000 info-hashes, then issues no token for others (D11)")
    func fullStore() {
        let store = PeerStoreTests.store(announcing: 2500)
        #expect(store.infoHashCount == 2000)
        #expect(!store.hasRoom(for: PeerStoreTests.hash, from: .v4(0x2828_2828)))
        #expect(store.hasRoom(for: InfoHash(.zero), from: .v4(0x2828_2828)))
    }

    @Test("an info-hash has 500 peers, old ones renew, new ones get no token (D11)")
    func fullSwarm() {
        var store = PeerStore.empty()
        let stored = (0..<600).count {
            store.announce(Endpoint(.v4(0x1400_0000 + UInt32($0)), 6881), for: PeerStoreTests.hash, at: .zero)
        }
        #expect(stored == 500)
        #expect(!store.hasRoom(for: PeerStoreTests.hash, from: .v4(0x2828_2828)))
        #expect(store.hasRoom(for: PeerStoreTests.hash, from: .v4(0x1400_0000)))
    }

    @Test("an address has 8 peers of an info-hash and 200 in all")
    func oneAddressInStore() {
        var store = PeerStore.empty()
        let inSwarm = (1...20).count {
            store.announce(Endpoint(.v4(0x1400_0001), UInt16($0)), for: PeerStoreTests.hash, at: .zero)
        }
        #expect(inSwarm == 8)
        let inAll = (1...400).count {
            let other = InfoHash(UInt160(high: UInt64($0), middle: 0, low: 0))
            return store.announce(Endpoint(.v4(0x1400_0001), 1), for: other, at: .zero)
        }
        #expect(inAll == 192)
        store.sweep(at: .zero + .seconds(3000))
        #expect(store.count == 0)
        let isStored = store.announce(
            Endpoint(.v4(0x1400_0001), 1),
            for: PeerStoreTests.hash,
            at: .zero + .seconds(3000)
        )
        #expect(isStored)
    }

    @Test("a host of IPv6 has the same share, whichever address of its /64 it takes (D11)")
    func oneNetworkInStore() {
        var store = PeerStore.empty()
        func announce(_ number: Int, for infoHash: InfoHash) -> Bool {
            store.announce(Endpoint(.v6(high: 0x2400 << 48 | 1, low: UInt64(number)), 6881), for: infoHash, at: .zero)
        }
        #expect((1...600).count { announce($0, for: PeerStoreTests.hash) } == 8)
        #expect((1...600).count { announce($0, for: .numbered($0)) } == 192)
        #expect(!store.hasRoom(for: .numbered(9999), from: .v6(high: 0x2400 << 48 | 1, low: 77)))
        // The neighbours in the next /64 are not affected, and what is there can be renewed.
        #expect(store.hasRoom(for: .numbered(9999), from: .v6(high: 0x2400 << 48 | 2, low: 77)))
        #expect(announce(3, for: PeerStoreTests.hash))
        store.sweep(at: .zero + .seconds(3000))
        #expect(store.count == 0)
        #expect(store.hasRoom(for: .numbered(9999), from: .v6(high: 0x2400 << 48 | 1, low: 77)))
    }

    @Test("the store holds so many peers in all, and renews those it has (D11)")
    func mostPeers() {
        var limits = DHTLimits()
        limits.storedPeers = 3
        var store = PeerStore.empty(limits)
        func announce(_ number: UInt32) -> Bool {
            store.announce(Endpoint(.v4(0x1400_0000 + number), 1), for: .numbered(Int(number % 2)), at: .zero)
        }
        #expect((0..<5).map(announce) == [true, true, true, false, false])
        #expect(!store.hasRoom(for: .numbered(7), from: .v4(0x2828_2828)))
        #expect(announce(2))
        #expect(store.count == 3)
    }

    @Test("a sample is random: every peer turns up", arguments: [1, 2] as [UInt64])
    func sample(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var store = PeerStore.empty()
        for index in 0..<100 {
            _ = store.announce(Endpoint(.v4(0x1400_0000 + UInt32(index)), 6881), for: PeerStoreTests.hash, at: .zero)
        }
        var seen: Set<Endpoint> = []
        var sample: [Endpoint] = []
        for _ in 0..<100 {
            store.sample(PeerStoreTests.hash, atMost: 16, for: nil, at: .zero, using: &random, into: &sample)
            #expect(Set(sample).count == 16)
            seen.formUnion(sample)
        }
        #expect(seen.count == 100)
    }

    @Test("who spares seeds gets them only where the others leave room (BEP 33)", arguments: [1, 2] as [UInt64])
    func noSeeds(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var store = PeerStore.empty()
        for index in 0..<100 {
            let peer = Endpoint(.v4(0x1400_0000 + UInt32(index)), UInt16(6881 + index % 10))
            _ = store.announce(peer, isSeed: index % 10 < 8, for: PeerStoreTests.hash, at: .zero)
        }
        var sample: [Endpoint] = []
        for limit in [10, 20, 30] {
            store.sample(
                PeerStoreTests.hash,
                atMost: limit,
                for: nil,
                sparingSeeds: true,
                at: .zero,
                using: &random,
                into: &sample
            )
            #expect(Set(sample).count == limit)
            #expect(sample.count { $0.port >= 6889 } == min(limit, 20))
        }
    }

    @Test("a stored peer has 24 bytes, so that a million fit in 64 MiB even while arrays double")
    func size() {
        #expect(MemoryLayout<StoredPeer>.stride == 24)
        #expect(DHTLimits().storedPeers == 1_000_000)
        #expect(DHTLimits().infoHashes * DHTLimits().peersPerInfoHash == 1_000_000)
        #expect(MemoryLayout<StoredPeer>.stride * 2 * DHTLimits().storedPeers < 64 << 20)
    }

    @Test("a peer of either family comes back as it was announced")
    func families() {
        var store = PeerStore.empty()
        for (text, isSeed) in [("20.0.0.1:6881", true), ("[2a00:1::5]:51413", false)] {
            let isStored = store.announce(.at(text), isSeed: isSeed, for: .numbered(1), at: .zero)
            #expect(isStored)
        }
        #expect(store.peers(of: .numbered(1), at: .zero).map(\.isSeed) == [true, false])
        #expect(store.endpoints(of: .numbered(1)) == [.at("20.0.0.1:6881"), .at("[2a00:1::5]:51413")])
    }

    @Test("an announcement renews the time and says anew whether the peer is a seed (BEP 33)")
    func renewal() {
        var store = PeerStore.empty()
        let later = Instant.zero + .seconds(2000)
        for (isSeed, now) in [(false, Instant.zero), (true, later)] {
            let isStored = store.announce(.at("20.0.0.1:1"), isSeed: isSeed, for: .numbered(1), at: now)
            #expect(isStored)
        }
        #expect(store.count == 1)
        #expect(store.peers(of: .numbered(1), at: later + .seconds(2399)).map(\.isSeed) == [true])
        #expect(store.endpoints(of: .numbered(1), at: later + .seconds(2400)) == [])
    }

    @Test("a host that has its 200 is refused; of 2000 others none is taken for it", arguments: [1, 50])
    func shares(hosts: Int) {
        var store = PeerStore.full(swarms: 40, of: 250, at: .zero)
        for host in 0..<hosts {
            let address = IPAddress.v4(0x1e00_0000 + UInt32(host))
            let stored = (0..<300).count { store.announce(Endpoint(address, 1), for: .numbered(100 + $0), at: .zero) }
            #expect((195...200).contains(stored))
        }
        let stored = (0..<2000).count {
            store.announce(Endpoint(.v4(0x2800_0000 + UInt32($0)), 1), for: .numbered($0 % 300 + 100), at: .zero)
        }
        #expect(stored == 2000)
    }

    @Test("counts go back to nothing when everything has expired")
    func sharesExpire() {
        var store = PeerStore.empty()
        let address = IPAddress.v4(0x1e00_0001)
        for round in 0..<5 {
            let now = Instant.zero + .seconds(3000 * round)
            store.sweep(at: now)
            #expect(store.count == 0)
            let stored = (0..<300).count { store.announce(Endpoint(address, 1), for: .numbered($0), at: now) }
            #expect(stored == 200)
        }
    }
}

@Suite("The file of stored peers")
struct PeerFileTests {
    static func restored(
        _ bytes: [UInt8],
        _ family: AddressFamily = .v4,
        writtenAgo age: Duration = .zero,
        limits: DHTLimits = DHTLimits(),
        at now: Instant = .zero
    ) throws(PeerFile.Fault) -> PeerStore {
        var store = PeerStore.empty(limits)
        try PeerFile.restore(family, from: bytes.span.bytes, writtenAgo: age, into: &store, limits: limits, at: now)
        return store
    }

    /// A file with a right checksum.
    static func signed(_ bytes: [UInt8]) -> [UInt8] { bytes + SHA1.hash(bytes).value.bytes }

    @Test("what was stored is there again, with the time that it had left and who is a seed")
    func roundTrip() throws {
        let store = PeerStore.full(swarms: 5, of: 20, at: .zero)
        let written = Instant.zero + .seconds(400)
        let restart = Instant.zero + .seconds(90_000)
        let copy = try PeerFileTests.restored(
            PeerFile(store, at: written).encoded,
            writtenAgo: .seconds(100),
            at: restart
        )
        #expect(copy.count == 100)
        for number in 0..<5 {
            let (old, new) = (
                store.peers(of: .numbered(number), at: written), copy.peers(of: .numbered(number), at: restart)
            )
            #expect(Set(old.map(\.endpoint)) == Set(new.map(\.endpoint)))
            #expect(old.count(where: \.isSeed) == new.count(where: \.isSeed))
        }
        // 2400 seconds, of which 400 had passed before the file was written and 100 since.
        #expect(copy.endpoints(of: .numbered(1), at: restart + .seconds(1899)).count == 20)
        #expect(copy.endpoints(of: .numbered(1), at: restart + .seconds(1900)).isEmpty)
    }

    @Test("a file that is older than its peers live restores nothing")
    func oldFile() throws {
        let bytes = PeerFile(PeerStore.full(swarms: 3, of: 10, at: .zero), at: .zero).encoded
        #expect(try PeerFileTests.restored(bytes, writtenAgo: .seconds(2400)).count == 0)
        #expect(try PeerFileTests.restored(bytes, writtenAgo: .seconds(-5)).count == 30)
    }

    @Test("a changed, cut or longer file is refused", arguments: [1, 2, 3] as [UInt64])
    func damaged(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let bytes = PeerFile(PeerStore.full(swarms: 3, of: 10, at: .zero), at: .zero).encoded
        for _ in 0..<200 {
            var changed = bytes
            changed[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            #expect(throws: PeerFile.Fault.self) { try PeerFileTests.restored(changed) }
            let cut = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
            #expect(throws: PeerFile.Fault.self) { try PeerFileTests.restored(cut) }
        }
        #expect(throws: PeerFile.Fault.self) { try PeerFileTests.restored(bytes + [0]) }
    }

    @Test("counts that do not fit a file with a right checksum are refused")
    func forgedCounts() throws {
        let body = Array(PeerFile(PeerStore.full(swarms: 1, of: 3, at: .zero), at: .zero).encoded.dropLast(20))
        for (offset, value) in [(10, 0xff), (13, 2), (13, 0), (34, 0xff), (35, 2), (36, 0xff), (37, 1)]
            as [(Int, UInt8)]
        {
            var forged = body
            forged[offset] = value
            #expect(throws: PeerFile.Fault.wrongLength) { try PeerFileTests.restored(PeerFileTests.signed(forged)) }
        }
        var newer = body
        newer[9] = 9
        #expect(throws: PeerFile.Fault.unknownVersion(9)) { try PeerFileTests.restored(PeerFileTests.signed(newer)) }
    }

    @Test("a forged file cannot break the limits of the store, prolong a life or name a place that nobody has")
    func forgedPeers() throws {
        var wide = DHTLimits()
        wide.peersPerInfoHash = 2000
        wide.peersPerAddressAndInfoHash = 1000
        var store = PeerStore.full(swarms: 2, of: 1000, limits: wide, at: .zero)
        for port in 1...UInt16(100) {
            _ = store.announce(Endpoint(.v4(0x2828_2828), port), for: .numbered(3), at: .zero)
        }
        var bytes = Array(PeerFile(store, at: .zero).encoded.dropLast(20))
        let copy = try PeerFileTests.restored(PeerFileTests.signed(bytes))
        #expect(copy.endpoints(of: .numbered(0)).count == 500)
        #expect(copy.endpoints(of: .numbered(3)).count == 8)

        bytes = Array(PeerFile(PeerStore.full(swarms: 1, of: 3, at: .zero), at: .zero).encoded.dropLast(20))
        bytes.replaceSubrange(38..<42, with: [224, 0, 0, 1])
        bytes.replaceSubrange(50..<52, with: [0, 0])
        bytes.replaceSubrange(60..<62, with: [0xff, 0xff])
        let rest = try PeerFileTests.restored(PeerFileTests.signed(bytes))
        #expect(rest.count == 1)
        #expect(rest.endpoints(of: .numbered(0), at: .zero + .seconds(2400)).isEmpty)
    }

    @Test("of a file that names both families, a node takes up its own: replies have no room for the other (D9, D16)")
    func foreignFamily() throws {
        var store = PeerStore.empty()
        for number in 1...200 {
            let peer = Endpoint(.v6(high: 0x2400 << 48 | UInt64(number), low: 1), 6881)
            _ = store.announce(peer, isSeed: true, for: LimitsTests.hash, at: .zero)
        }
        _ = store.announce(.at("20.0.0.1:6881"), isSeed: true, for: LimitsTests.hash, at: .zero)
        let bytes = PeerFile(store, at: .zero).encoded
        #expect(try PeerFileTests.restored(bytes, .v4).endpoints(of: LimitsTests.hash) == [.at("20.0.0.1:6881")])
        let v6 = try PeerFileTests.restored(bytes, .v6)
        #expect(v6.count == 200)
        #expect(v6.peers(of: LimitsTests.hash, at: .zero).allSatisfy { $0.isSeed && !$0.address.isV4 })
        var dialogue = Dialogue()
        try dialogue.node.restorePeers(bytes.span.bytes, writtenAgo: .zero, at: dialogue.now)
        #expect(dialogue.node.storedPeers(of: LimitsTests.hash) == [.at("20.0.0.1:6881")])
    }

    @Test("a file that turns out to be broken at its end has put nothing into the store (D16)")
    func halfGood() throws {
        let body = Array(PeerFile(PeerStore.full(swarms: 3, of: 10, at: .zero), at: .zero).encoded.dropLast(21))
        var store = PeerStore.empty()
        let bytes = PeerFileTests.signed(body)
        #expect(throws: PeerFile.Fault.wrongLength) {
            try PeerFile.restore(
                .v4,
                from: bytes.span.bytes,
                writtenAgo: .zero,
                into: &store,
                limits: DHTLimits(),
                at: .zero
            )
        }
        #expect(store.count == 0)
        #expect(store.infoHashCount == 0)
    }

    @Test("a node takes up what it wrote")
    func node() throws {
        var dialogue = LimitsTests.stocked(5)
        let bytes = dialogue.node.peerFile.encoded
        var next = Dialogue(seed: 9)
        try next.node.restorePeers(bytes.span.bytes, writtenAgo: .seconds(10), at: next.now)
        #expect(next.node.storedPeers(of: LimitsTests.hash).count == 5)
        #expect(dialogue.answer(to: AnsweringTests.getPeers, from: .at("40.0.0.1:1000"))?.contains("6:values") == true)
    }
}
