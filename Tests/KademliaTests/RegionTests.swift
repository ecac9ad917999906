import Primitives
import Testing

@testable import Kademlia

/// A network without time: whoever is asked answers at once, truly or with Sybils only.
private struct Model {
    let honest: [Contact]
    let sybils: [Contact]
    private let names: Set<Contact>

    /// - Parameter sybilsPerNetwork: how many Sybils share one /24.
    init(
        honest count: Int,
        sybils: Int,
        sharing bits: Int = 20,
        with target: NodeID,
        sybilsPerNetwork: UInt32 = 1,
        _ random: inout SeededRandom
    ) {
        honest = (0..<count).map {
            Contact(NodeID(UInt160.random(using: &random)), Endpoint(.v4(0x1400_0001 + UInt32($0) << 8), 6881))
        }
        self.sybils = (0..<sybils).map {
            let noise = UInt160.random(using: &random)
            let near = UInt160(high: noise.high >> UInt64(bits), middle: noise.middle, low: noise.low)
            let (network, host) = UInt32($0).quotientAndRemainder(dividingBy: sybilsPerNetwork)
            let address = 0x5000_0001 + network << 8 + host
            return Contact(NodeID(target.value ^ near), Endpoint(.v4(address), 6881))
        }
        names = Set(honest)
    }

    func isHonest(_ contact: Contact) -> Bool { names.contains(contact) }

    /// What a node names: the eight nearest of all, or if it is hostile, of its own kind.
    func nearest(to place: NodeID, by contact: Contact) -> [Contact] {
        let known = isHonest(contact) ? honest + sybils : sybils
        return Array(known.sorted { $0.id.isCloser(to: place, than: $1.id) }.prefix(8))
    }

    func residents(of region: Region) -> [Contact] {
        honest.filter { region.shell(at: $0.id.distance(to: region.target)) != nil }
    }

    /// Answers everything that a search asks.
    func answer(_ search: inout RegionSearch) {
        while let query = search.nextQuery() {
            switch query {
            case .ask(let contact):
                search.answered(by: contact, token: [1], naming: nearest(to: RegionTests.target, by: contact))
            case .findNode(let place, let contact):
                search.answered(by: contact, token: nil, naming: nearest(to: place, by: contact))
            }
        }
    }
}

@Suite("The region of a target")
struct RegionTests {
    /// The identifiers of these tests are drawn, and fit no address.
    static let limits = {
        var limits = DHTLimits()
        limits.checksIdentifiers = false
        return limits
    }()

    static let target = NodeID(0x80, last: 0)

    static func distance(_ high: UInt64) -> UInt160 { UInt160(high: high, middle: 0, low: 0) }

    @Test("has twenty shells, one expected node wide, and ends there")
    func shells() {
        let region = Region(around: RegionTests.target, spacing: 1 << 40)
        #expect(region.shell(at: RegionTests.distance(0)) == 0)
        #expect(region.shell(at: RegionTests.distance(1 << 40 - 1)) == 0)
        #expect(region.shell(at: RegionTests.distance(1 << 40)) == 1)
        #expect(region.shell(at: RegionTests.distance(20 << 40 - 1)) == 19)
        #expect(region.shell(at: RegionTests.distance(20 << 40)) == nil)
    }

    @Test("is surrounded when eight nodes share three bits more with the target than expected (D15)")
    func surrounded() {
        let region = Region(around: RegionTests.target, spacing: 1 << 40)
        #expect(!region.isSurrounded(eighthAt: RegionTests.distance(8 << 40), bits: 3))
        #expect(!region.isSurrounded(eighthAt: RegionTests.distance(1 << 40), bits: 3))
        #expect(region.isSurrounded(eighthAt: RegionTests.distance(1 << 40 - 8), bits: 3))
    }

    @Test(
        "has places in all its parts, whatever the size of the network",
        arguments: [1, 7, 20, 1000, 1 << 24, 1 << 60]
    )
    func places(count: UInt64) {
        let region = Region(around: RegionTests.target, spacing: UInt64.max / count)
        let shells = region.places.map { region.shell(at: $0.distance(to: RegionTests.target)) }
        #expect((1...7).contains(shells.count))
        #expect(Set(region.places).count == shells.count)
        if count >= 20 { #expect((shells.compactMap { $0 }.max() ?? 0) >= 14) }
    }

    @Test("is found whole, but for a node or two, from the nearest eight", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func honest(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let model = Model(honest: 2000, sybils: 0, with: RegionTests.target, &random)
        let region = Region(around: RegionTests.target, spacing: UInt64.max / 2000)
        let found = RegionTests.answered(model.nearest(to: RegionTests.target, by: model.honest[0]))
        var search = RegionSearch(region, found: found, known: [], limits: SharedLimits(RegionTests.limits), seed: seed)
        model.answer(&search)
        let residents = Set(search.residents(atMost: 40).map(\.contact))
        let missed = Set(model.residents(of: region)).subtracting(residents)
        #expect(missed.count <= 2)
        #expect(search.queriesSent <= 50)
        #expect(search.isExhausted)
    }

    @Test(
        "yields honest nodes in all its parts, with 200 Sybils beside the target that name each other alone (D15)",
        arguments: [1, 2, 3, 4, 5] as [UInt64],
        [1, 100]
    )
    func surroundedBySybils(seed: UInt64, sybilsPerNetwork: UInt32) {
        var random = SeededRandom(seed: seed)
        let target = RegionTests.target
        let model = Model(honest: 2000, sybils: 200, with: target, sybilsPerNetwork: sybilsPerNetwork, &random)
        let region = Region(around: target, spacing: UInt64.max / 2000)
        // All that the search itself has found is hostile; what we knew before is not, but for a tenth.
        let found = RegionTests.answered(
            Array(model.sybils.sorted { $0.id.isCloser(to: target, than: $1.id) }.prefix(100))
        )
        let table = Array(model.honest[0..<58]) + model.sybils[100..<106]
        let halves = [Array(table[0..<32]), Array(table[32...])]
        var search = RegionSearch(
            region,
            found: found,
            known: halves,
            limits: SharedLimits(RegionTests.limits),
            seed: seed
        )
        model.answer(&search)
        let residents = search.residents(atMost: 40).map(\.contact)
        let honest = Set(residents).intersection(model.residents(of: region))
        #expect(residents.count <= 40)
        #expect(honest.count >= 12)
        #expect(search.queriesSent <= DHTLimits().queriesPerRegion)
    }

    @Test("counts nobody whose identifier does not fit its address, whoever names it (D4)")
    func misfits() {
        let region = Region(around: RegionTests.target, spacing: 1 << 44)
        let source = NodeIDSource(RegionTests.target.value)
        let misfits = (1...9).map { Contact(NodeID(0x80, 0, last: UInt32($0)), .at("30.0.\($0).1:6881")) }
        let friend = Contact(source.id(at: .v4(0x1400_0001)), .at("20.0.0.1:6881"))
        var search = RegionSearch(
            region,
            found: RegionTests.answered(misfits + [friend]),
            known: [],
            limits: SharedLimits(),
            seed: 1
        )
        var asked: Set<Endpoint> = []
        while let query = search.nextQuery() {
            guard case .ask(let contact) = query else {
                guard case .findNode(_, let contact) = query else { continue }
                asked.insert(contact.endpoint)
                search.answered(by: contact, token: nil, naming: misfits)
                continue
            }
            asked.insert(contact.endpoint)
            search.answered(by: contact, token: [1], naming: misfits)
        }
        #expect(asked == [friend.endpoint])
        #expect(search.residents(atMost: 40).allSatisfy { $0.contact == friend })
    }

    @Test("is not used up by one liar who invents nodes without end")
    func inventedNodes() {
        let region = Region(around: RegionTests.target, spacing: 1 << 44)
        let liar = Contact(NodeID(0x80, 9), .at("30.0.0.1:6881"))
        var search = RegionSearch(
            region,
            found: RegionTests.answered([liar]),
            known: [],
            limits: SharedLimits(RegionTests.limits),
            seed: 1
        )
        var random = SeededRandom(seed: 1)
        var asked = 0
        while let query = search.nextQuery() {
            asked += 1
            let contact =
                switch query {
                case .ask(let contact), .findNode(_, let contact): contact
                }
            let invented = (0..<32).map { _ in
                let noise = UInt160(high: random.next() >> 20, middle: random.next(), low: 0)
                let address = UInt32(truncatingIfNeeded: random.next()) & 0x3fff_ffff | 0x4000_0000
                return Contact(NodeID(RegionTests.target.value ^ noise), Endpoint(.v4(address), 6881))
            }
            search.answered(by: contact, token: [1], naming: invented)
        }
        #expect(asked <= DHTLimits().queriesPerRegion)
        #expect(search.residents(atMost: 40).count <= 40)
    }

    static func answered(_ contacts: [Contact]) -> [Candidate] {
        contacts.map {
            Candidate(
                contact: $0,
                distance: $0.id.distance(to: target),
                depth: 1,
                state: .answered,
                token: [1]
            )
        }
    }
}
