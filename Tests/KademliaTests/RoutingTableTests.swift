import Primitives
import Testing

@testable import Kademlia

@Suite("The routing table")
struct RoutingTableTests {
    static let own = NodeID(0, last: 0)
    static let start = Instant.zero

    /// A table with room for as many in its farthest bucket; 8 makes all buckets of the size of BEP 5.
    static func table(_ exemption: DHTLimits.Exemption = .loopback, farthest: Int = 8) -> RoutingTable {
        var limits = DHTLimits()
        limits.exemption = exemption
        limits.farthestBucketSize = farthest
        return RoutingTable(own: own, limits: SharedLimits(limits), now: start)
    }

    /// A node whose identifier starts with the two bytes, in a /24 of its own.
    static func contact(_ first: UInt8, _ second: UInt8 = 0) -> Contact {
        Contact(NodeID(first, second), Endpoint(.v4(0x1400_0001 | UInt32(first) << 16 | UInt32(second) << 8), 6881))
    }

    @Test("splits the bucket of our own identifier and no other (BEP 5)")
    func splits() {
        var table = RoutingTableTests.table()
        // Eight nodes of the far half fill the only bucket; a ninth makes it split, and stays outside.
        for index in 0..<8 {
            #expect(table.answered(RoutingTableTests.contact(0x80, UInt8(index)), at: .zero) == .added)
        }
        #expect(table.answered(RoutingTableTests.contact(0x80, 8), at: .zero) == .waiting(ping: nil))
        #expect(table.buckets.count == 2)
        #expect(table.answered(RoutingTableTests.contact(0x01), at: .zero) == .added)
        #expect(table.buckets.indices.map { table.range(ofBucket: $0).count } == [8, 1])
    }

    @Test("holds more of the far nodes: half as many in each nearer bucket, and never fewer than eight")
    func largeBuckets() {
        var table = RoutingTableTests.table(farthest: 64)
        for index in 0..<100 {
            let number = UInt8(index)
            _ = table.answered(RoutingTableTests.contact(0x80 | number >> 1, number), at: .zero)
            _ = table.answered(RoutingTableTests.contact(0x40 | number >> 2, number), at: .zero)
            _ = table.answered(RoutingTableTests.contact(0x20 | number >> 3, number), at: .zero)
            _ = table.answered(RoutingTableTests.contact(0x10 | number >> 4, number), at: .zero)
            _ = table.answered(RoutingTableTests.contact(0x08 | number >> 5, number), at: .zero)
            _ = table.answered(RoutingTableTests.contact(0x04 | number >> 6, number), at: .zero)
        }
        #expect(table.buckets.indices.map { table.range(ofBucket: $0).count } == [64, 32, 16, 8, 8, 8, 0])
        #expect(table.count == 136)
    }

    @Test("splits its last bucket at eight nodes, so that the parts of the key space are known apart from the start")
    func splitsEarly() {
        var table = RoutingTableTests.table(farthest: 128)
        for index in 0..<8 { _ = table.answered(RoutingTableTests.contact(0x80, UInt8(index)), at: .zero) }
        #expect(table.buckets.count == 1)
        #expect(table.answered(RoutingTableTests.contact(0x80, 8), at: .zero) == .added)
        #expect(table.buckets.count == 2)
        #expect(table.hasUnexploredBucket(limits: DHTLimits()))
    }

    @Test("keeps old nodes: a full bucket lets nobody in while they are good (D6)")
    func oldWins() {
        var table = RoutingTableTests.table()
        for index in 0..<8 { _ = table.answered(RoutingTableTests.contact(0x80, UInt8(index)), at: .zero) }
        _ = table.answered(RoutingTableTests.contact(0x80, 8), at: .zero + .seconds(60))
        #expect(!table.contains(RoutingTableTests.contact(0x80, 8)))
        #expect(table.count == 8)
    }

    @Test(
        "replaces a node after two failures in a row, not after one, nor after a failure, an answer and a failure (D6)"
    )
    func replacement() {
        var table = RoutingTableTests.table()
        for index in 0..<8 { _ = table.answered(RoutingTableTests.contact(0x80, UInt8(index)), at: .zero) }
        let newcomer = RoutingTableTests.contact(0x80, 8)
        let old = RoutingTableTests.contact(0x80, 3)
        _ = table.answered(newcomer, at: .zero)

        table.failed(old, at: .zero)
        #expect(table.contains(old))
        #expect(table.answered(old, at: .zero) == .updated)
        table.failed(old, at: .zero)
        #expect(table.contains(old))
        table.failed(old, at: .zero)
        #expect(!table.contains(old))
        #expect(table.contains(newcomer))
    }

    @Test("asks for a ping of the node that was silent longest when a bucket is full and somebody is questionable")
    func questionable() {
        var table = RoutingTableTests.table()
        for index in 0..<8 {
            _ = table.answered(RoutingTableTests.contact(0x80, UInt8(index)), at: .zero + .seconds(index))
        }
        table.queried(by: RoutingTableTests.contact(0x80, 0), at: .zero + .seconds(100))
        let admission = table.answered(RoutingTableTests.contact(0x80, 8), at: .zero + .seconds(1000))
        #expect(admission == .waiting(ping: RoutingTableTests.contact(0x80, 1)))
    }

    @Test("keeps a bad node that nobody replaces, gives it to nobody, and takes it back when it answers")
    func badNodes() {
        var table = RoutingTableTests.table()
        let node = RoutingTableTests.contact(0x80)
        _ = table.answered(node, at: .zero)
        table.failed(node, at: .zero)
        table.failed(node, at: .zero)
        var closest: [Contact] = []
        table.closest(to: node.id, atMost: 8, for: nil, into: &closest)
        #expect(closest == [])
        #expect(!table.hasReachableNodes)
        #expect(table.answered(node, at: .zero) == .updated)
        #expect(table.hasReachableNodes)
    }

    @Test("does not give a node's place to another address that claims its identifier")
    func stolenIdentifier() {
        var table = RoutingTableTests.table()
        let node = RoutingTableTests.contact(0x80)
        let thief = Contact(node.id, .at("30.0.0.1:6881"))
        _ = table.answered(node, at: .zero)
        #expect(table.answered(thief, at: .zero) == .refused)
        #expect(table.contains(node))
        table.failed(thief, at: .zero)
        table.failed(thief, at: .zero)
        #expect(table.hasReachableNodes)
    }

    @Test("holds one node of an address (D3), except on loopback (D19)")
    func oneForEachAddress() {
        var table = RoutingTableTests.table()
        #expect(table.answered(Contact(NodeID(0x80), .at("20.0.0.1:1000")), at: .zero) == .added)
        #expect(table.answered(Contact(NodeID(0x40), .at("20.0.0.1:2000")), at: .zero) == .refused)
        #expect(table.answered(Contact(NodeID(0x80, 1), .at("127.0.0.1:1000")), at: .zero) == .added)
        #expect(table.answered(Contact(NodeID(0x80, 2), .at("127.0.0.1:2000")), at: .zero) == .added)
    }

    @Test("holds one node of a /24 in each bucket (N12)")
    func oneForEachNetwork() {
        var table = RoutingTableTests.table()
        for index in 1...50 {
            let id = NodeID(UInt8(index * 5), UInt8(index))
            _ = table.answered(Contact(id, Endpoint(.v4(0x1400_0000 + UInt32(index)), 6881)), at: .zero)
        }
        #expect(table.buckets.indices.allSatisfy { table.range(ofBucket: $0).count <= 1 })
        #expect(table.count >= 1)
    }

    @Test("lets no second node of a /24 move up where one has moved up (D3)")
    func oneForEachNetworkAmongWaiting() {
        var table = RoutingTableTests.table()
        for index in 0..<8 { _ = table.answered(RoutingTableTests.contact(0x80, UInt8(index)), at: .zero) }
        let waiting = [8, 9].map { Contact(NodeID(0x80, $0), .at("30.0.0.\($0):6881")) }
        for contact in waiting { #expect(table.answered(contact, at: .zero) == .waiting(ping: nil)) }
        for index in [0, 0, 1, 1] as [UInt8] { table.failed(RoutingTableTests.contact(0x80, index), at: .zero) }
        #expect(waiting.map { table.contains($0) } == [false, true])
        #expect(table.contains(RoutingTableTests.contact(0x80, 1)))
    }

    @Test("holds one node of a /24 in each bucket after our identifier has changed as well (D3)")
    func oneForEachNetworkAfterMove() {
        var table = RoutingTableTests.table(farthest: 64)
        for first in [0x80, 0x40] as [UInt8] {
            for second in 0..<9 { _ = table.answered(RoutingTableTests.contact(first, UInt8(second)), at: .zero) }
        }
        let neighbours = [Contact(NodeID(0x41), .at("30.0.0.1:1")), Contact(NodeID(0x20), .at("30.0.0.2:1"))]
        for contact in neighbours { #expect(table.answered(contact, at: .zero) == .added) }
        // Seen from there, both are in the farthest bucket.
        let moved = table.moved(to: NodeID(0x80, last: 9), at: .zero)
        #expect(moved.buckets.count > 1)
        #expect(neighbours.count { moved.contains($0) } == 1)
    }

    @Test(
        "applies its limits to loopback and private addresses where told so (D19)",
        arguments: [
            (DHTLimits.Exemption.none, "127.0.0", 1), (.loopback, "127.0.0", 8), (.loopback, "192.168.0", 1),
            (.loopbackAndPrivate, "192.168.0", 8), (.loopbackAndPrivate, "20.0.0", 1),
        ]
    )
    func exemptions(exemption: DHTLimits.Exemption, network: String, count: Int) {
        var table = RoutingTableTests.table(exemption)
        for index in 1...8 {
            _ = table.answered(Contact(NodeID(0x80, UInt8(index)), .at("\(network).\(index):6881")), at: .zero)
        }
        #expect(table.count == count)
    }

    @Test("lets a node that came back with another identifier replace its own bad entry")
    func restartedNode() {
        var table = RoutingTableTests.table()
        let before = Contact(NodeID(0x80), .at("20.0.0.1:1000"))
        let after = Contact(NodeID(0x40), .at("20.0.0.1:1000"))
        _ = table.answered(before, at: .zero)
        table.failed(before, at: .zero)
        table.failed(before, at: .zero)
        #expect(table.answered(after, at: .zero) == .added)
        #expect(table.count == 1)
    }

    @Test("never holds ourselves")
    func ourselves() {
        var table = RoutingTableTests.table()
        #expect(table.answered(Contact(RoutingTableTests.own, .at("20.0.0.1:1")), at: .zero) == .refused)
    }

    @Test("names the closest nodes in their order", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func closest(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var table = RoutingTable(own: NodeID(.random(using: &random)), limits: SharedLimits(), now: .zero)
        for index in 0..<500 {
            let endpoint = Endpoint(.v4(0x1400_0001 + UInt32(index) << 8), 6881)
            _ = table.answered(Contact(NodeID(.random(using: &random)), endpoint), at: .zero)
        }
        let all = table.contacts { _ in true }
        #expect(all.count > 200)
        for index in 0..<50 {
            // Anywhere, at a node, and where we are ourselves.
            let target = [NodeID(.random(using: &random)), all[index].id, table.own][index % 3]
            var closest: [Contact] = []
            table.closest(to: target, atMost: 8, for: nil, into: &closest)
            let expected = all.sorted { $0.id.isCloser(to: target, than: $1.id) }
            #expect(closest == Array(expected.prefix(8)))
            table.closest(to: target, atMost: 1000, for: nil, into: &closest)
            #expect(closest == expected)
        }
    }

    @Test("tells nodes apart that share all bits but the last ones")
    func nearlyEqual() {
        var table = RoutingTableTests.table()
        let contacts = (0..<8).map { Contact(NodeID(0x80, last: UInt32($0)), .at("20.0.\($0).1:6881")) }
        for contact in contacts.reversed() { _ = table.answered(contact, at: .zero) }
        var closest: [Contact] = []
        table.closest(to: NodeID(0x80, last: 5), atMost: 8, for: nil, into: &closest)
        #expect(closest == [5, 4, 7, 6, 1, 0, 3, 2].map { contacts[$0] })
    }

    @Test("does not name private nodes to public askers (D2)")
    func privateNodes() {
        var table = RoutingTableTests.table()
        _ = table.answered(Contact(NodeID(0x80), .at("192.168.1.2:1")), at: .zero)
        _ = table.answered(Contact(NodeID(0x81), .at("127.0.0.1:1")), at: .zero)
        _ = table.answered(Contact(NodeID(0x82), .at("20.0.0.1:1")), at: .zero)
        func named(to asker: String) -> Int {
            var closest: [Contact] = []
            table.closest(to: NodeID(0x80), atMost: 8, for: Endpoint.at(asker).address, into: &closest)
            return closest.count
        }
        #expect(named(to: "20.0.0.9:1") == 1)
        #expect(named(to: "192.168.1.3:1") == 2)
        #expect(named(to: "127.0.0.1:2") == 3)
    }

    @Test("looks into the buckets it knows least of, and finds a place in each", arguments: [1, 2, 3] as [UInt64])
    func randomPlaces(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var table = RoutingTable(own: NodeID(.random(using: &random)), limits: SharedLimits(), now: .zero)
        for index in 0..<300 {
            let endpoint = Endpoint(.v4(0x1400_0001 + UInt32(index) << 8), 6881)
            _ = table.answered(Contact(NodeID(.random(using: &random)), endpoint), at: .zero)
        }
        for bucket in table.buckets.indices {
            for _ in 0..<20 {
                #expect(table.bucketIndex(of: table.randomID(inBucket: bucket, using: &random)) == bucket)
            }
        }
    }

    @Test("wants a silent bucket refreshed after 15 minutes, an underfull one after two")
    func staleness() {
        var table = RoutingTableTests.table()
        for index in 0..<8 { _ = table.answered(RoutingTableTests.contact(0x80, UInt8(index)), at: .zero) }
        table.refreshing(NodeID(0x80), at: .zero)
        #expect(table.staleBucket(limits: DHTLimits(), at: .zero + .seconds(899)) == nil)
        #expect(table.staleBucket(limits: DHTLimits(), at: .zero + .seconds(900)) == 0)

        var small = RoutingTableTests.table()
        #expect(small.staleBucket(limits: DHTLimits(), at: .zero) == 0)
        small.refreshing(NodeID(0x80), at: .zero)
        #expect(small.staleBucket(limits: DHTLimits(), at: .zero + .seconds(119)) == nil)
        #expect(small.staleBucket(limits: DHTLimits(), at: .zero + .seconds(120)) == 0)
    }
}
