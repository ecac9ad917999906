import Primitives
import Testing

@testable import Kademlia

@Suite("The votes about our external address (BEP 42, D5)")
struct ExternalAddressTests {
    static let ours = IPAddress.v4(0x0506_0708)
    static let other = IPAddress.v4(0x0909_0909)

    /// A voter in a /24 of its own.
    static func voter(_ network: Int, _ host: Int = 1) -> IPAddress {
        .v4(0x1400_0000 + UInt32(network) << 8 + UInt32(host))
    }

    /// Votes of hosts in `networks`, in turn, until `count` were given; what was decided.
    static func decisions(
        _ external: inout ExternalAddress,
        _ address: IPAddress,
        from networks: Range<Int>,
        _ count: Int,
        at now: Instant = .zero
    ) -> [IPAddress] {
        (0..<count).compactMap { vote in
            let network = networks.lowerBound + vote % networks.count
            return external.hears(address, from: voter(network, vote % 200 + 1), at: now)
        }
    }

    @Test("need ten replies, and three networks", arguments: [(2, 100, false), (3, 9, false), (3, 10, true)])
    func threshold(networks: Int, replies: Int, isDecided: Bool) {
        var external = ExternalAddress(limits: SharedLimits())
        let decisions = ExternalAddressTests.decisions(
            &external,
            ExternalAddressTests.ours,
            from: 0..<networks,
            replies
        )
        #expect(decisions == (isDecided ? [ExternalAddressTests.ours] : []))
        #expect(external.decided == decisions.first)
    }

    @Test("count once a network: a hundred forged ones from one /24 change nothing (N11)")
    func oneNetwork() {
        var external = ExternalAddress(limits: SharedLimits())
        _ = ExternalAddressTests.decisions(&external, ExternalAddressTests.ours, from: 0..<10, 20)
        let forged = ExternalAddressTests.decisions(
            &external,
            ExternalAddressTests.other,
            from: 77..<78,
            100,
            at: .zero + .seconds(700)
        )
        #expect(forged == [])
        #expect(external.decided == ExternalAddressTests.ours)
    }

    @Test("need two thirds of the networks", arguments: [(10, 19, false), (10, 20, true)])
    func majority(liars: Int, honest: Int, isDecided: Bool) {
        var external = ExternalAddress(limits: SharedLimits())
        let lies = ExternalAddressTests.decisions(&external, ExternalAddressTests.other, from: 0..<2, 100)
        #expect(lies == [])
        external.forgetVotes()
        // The liars stay below what decides, and vote first.
        for liar in 0..<liars {
            let address = IPAddress.v4(0x0a00_0000 - 1 - UInt32(liar))
            #expect(external.hears(address, from: ExternalAddressTests.voter(liar), at: .zero) == nil)
        }
        let decisions = ExternalAddressTests.decisions(
            &external,
            ExternalAddressTests.ours,
            from: 100..<100 + honest,
            honest
        )
        #expect((decisions == [ExternalAddressTests.ours]) == isDecided)
    }

    @Test("for another address are believed ten minutes after the last change, not before")
    func pause() {
        var external = ExternalAddress(limits: SharedLimits())
        _ = ExternalAddressTests.decisions(&external, ExternalAddressTests.ours, from: 0..<40, 40)
        let tooSoon = ExternalAddressTests.decisions(
            &external,
            ExternalAddressTests.other,
            from: 0..<40,
            200,
            at: .zero + .seconds(599)
        )
        #expect(tooSoon == [])
        let later = ExternalAddressTests.decisions(
            &external,
            ExternalAddressTests.other,
            from: 0..<40,
            1,
            at: .zero + .seconds(600)
        )
        #expect(later == [ExternalAddressTests.other])
    }

    @Test("are outvoted by new ones when the address really changes, within 22 networks")
    func change() {
        var external = ExternalAddress(limits: SharedLimits())
        _ = ExternalAddressTests.decisions(&external, ExternalAddressTests.ours, from: 0..<40, 40)
        let now = Instant.zero + .seconds(900)
        let first = ExternalAddressTests.decisions(&external, ExternalAddressTests.other, from: 50..<71, 21, at: now)
        let next = ExternalAddressTests.decisions(&external, ExternalAddressTests.other, from: 71..<72, 1, at: now)
        #expect(first == [])
        #expect(next == [ExternalAddressTests.other])
    }

    @Test("for private addresses or another family are ignored when public hosts give them")
    func nonsense() {
        var external = ExternalAddress(limits: SharedLimits())
        for text in ["192.168.1.2", "127.0.0.1", "10.0.0.1", "0.0.0.0", "224.0.0.1", "2400::1"] {
            let address = IPAddress(text) ?? .anyV4
            #expect(ExternalAddressTests.decisions(&external, address, from: 0..<30, 60) == [])
        }
        #expect(external.decided == nil)
    }

    @Test("of private hosts and of this host count for those alone")
    func scopes() throws {
        var external = ExternalAddress(limits: SharedLimits())
        let (mine, neighbour) = try (#require(IPAddress("192.168.1.2")), #require(IPAddress("192.168.1.3")))
        #expect(external.hears(mine, from: neighbour, at: .zero) == nil)
        #expect(external.hears(.loopbackV4, from: .loopbackV4, at: .zero) == nil)
        #expect(external.hears(ExternalAddressTests.other, from: neighbour, at: .zero) == nil)
        #expect(external.address(for: neighbour) == mine)
        #expect(external.address(for: .loopbackV4) == .loopbackV4)
        #expect(external.address(for: ExternalAddressTests.voter(1)) == nil)
    }

    @Test("are forgotten after half an hour")
    func age() {
        var external = ExternalAddress(limits: SharedLimits())
        let early = ExternalAddressTests.decisions(&external, ExternalAddressTests.ours, from: 0..<2, 9)
        let late = ExternalAddressTests.decisions(
            &external,
            ExternalAddressTests.ours,
            from: 2..<4,
            9,
            at: .zero + .seconds(1801)
        )
        #expect(early + late == [])
    }
}
