import Primitives
import Testing

@testable import Kademlia

@Suite("The size of the network")
struct NetworkSizeTests {
    /// The distances of the eight nodes of `network` nearest to a target.
    static func closest(to target: NodeID, in network: [NodeID]) -> [UInt160] {
        Array(network.map { $0.distance(to: target) }.sorted().prefix(8))
    }

    static func network(_ count: Int, _ random: inout SeededRandom) -> [NodeID] {
        (0..<count).map { _ in NodeID(UInt160.random(using: &random)) }
    }

    @Test(
        "is estimated within a fifth by 48 lookups of random targets",
        arguments: [100, 1000, 10_000],
        [1, 2, 3] as [UInt64]
    )
    func accuracy(count: Int, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let network = NetworkSizeTests.network(count, &random)
        var size = NetworkSize(limits: SharedLimits())
        for _ in 0..<48 {
            let target = NodeID(UInt160.random(using: &random))
            size.measured(target, closest: NetworkSizeTests.closest(to: target, in: network), isDrawn: true)
        }
        let estimate = try #require(size.estimate)
        #expect(abs(estimate - count) <= count / 5)
    }

    @Test("is not believed before eight lookups have told of it")
    func needsSeveral() {
        var random = SeededRandom(seed: 1)
        let network = NetworkSizeTests.network(100, &random)
        var size = NetworkSize(limits: SharedLimits())
        for _ in 0..<7 {
            let target = NodeID(UInt160.random(using: &random))
            size.measured(target, closest: NetworkSizeTests.closest(to: target, in: network), isDrawn: true)
        }
        #expect(size.estimate == nil)
        let target = NodeID(UInt160.random(using: &random))
        size.measured(target, closest: NetworkSizeTests.closest(to: target, in: network), isDrawn: true)
        #expect(size.estimate != nil)
    }

    @Test("counts a key once, however often it is looked up, and takes no news from a lookup with few answers")
    func repeated() {
        var size = NetworkSize(limits: SharedLimits())
        let near = (1...8).map { UInt160(high: UInt64($0) << 20, middle: 0, low: 0) }
        for _ in 0..<100 { size.measured(NodeID(0x80), closest: near, isDrawn: false) }
        for number in 0..<100 {
            size.measured(NodeID(0x80, UInt8(number)), closest: Array(near.prefix(7)), isDrawn: true)
        }
        #expect(size.estimate == nil)
    }

    @Test("grows by less than half while a hundred keys that Sybils surround are looked up", arguments: [4, 5])
    func attacked(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let network = NetworkSizeTests.network(1000, &random)
        var size = NetworkSize(limits: SharedLimits())
        for _ in 0..<48 {
            let target = NodeID(UInt160.random(using: &random))
            size.measured(target, closest: NetworkSizeTests.closest(to: target, in: network), isDrawn: true)
        }
        let before = try #require(size.estimate)
        for _ in 0..<100 {
            let sybils = (1...8).map { UInt160(high: UInt64($0), middle: 0, low: 0) }
            size.measured(NodeID(UInt160.random(using: &random)), closest: sybils, isDrawn: false)
        }
        let after = try #require(size.estimate)
        #expect(after >= before && after <= before * 3 / 2)
    }
}
