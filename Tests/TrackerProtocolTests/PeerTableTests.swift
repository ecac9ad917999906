import Primitives
import Testing

@testable import TrackerProtocol

@Suite("The rows of a swarm")
struct PeerTableTests {
    @Test("a row has 32 bytes, one of IPv6 48")
    func sizes() {
        #expect(MemoryLayout<RowV4>.stride == 32)
        #expect(MemoryLayout<RowV6>.stride == 48)
        #expect(MemoryLayout<Swarm>.stride <= 80)
    }

    @Test("a stamp tells its age across the turn of its clock", arguments: [0, 16, 262_000, 262_144, 500_000])
    func stamps(seconds: Int64) {
        let then = Instant.zero + .seconds(seconds)
        var stamp = RowStamp(at: then)
        stamp.hasCompleted = true
        stamp.isForeign = true
        #expect(stamp.age(at: then) == .zero)
        #expect(stamp.age(at: then + .seconds(86_400)) == .seconds(86_400))
        stamp.renew(at: then + .seconds(3200))
        #expect(stamp.age(at: then + .seconds(6400)) == .seconds(3200))
        #expect(stamp.hasCompleted && stamp.isForeign)
        #expect(RowStamp(at: then, ticksAgo: 7).age(at: then) == .seconds(112))
    }

    /// What a table has to be like: a dictionary from endpoints to kinds.
    private struct Model {
        var random: SeededRandom
        let key: RowKey
        var table = PeerTable<RowV4>()
        var kinds: [Endpoint: Int] = [:]

        init(seed: UInt64) {
            random = SeededRandom(seed: seed)
            key = RowKey(using: &random)
        }

        static let all: [(isSeed: Bool, address: UInt32)] = [
            (true, 0x0a00_0000), (true, 0x0100_0000), (false, 0x0100_0000), (false, 0x0a00_0000),
            (false, 0x7f00_0000), (true, 0x7f00_0000),
        ]

        mutating func step(among count: Int) {
            let choice = Model.all[random.below(Model.all.count)]
            let endpoint = Endpoint(.v4(choice.address + UInt32(random.below(count))), 1)
            let kind = PeerKind(isSeed: choice.isSeed, Reach(endpoint.address))
            let id = RowID(PeerID(.zero), key: nil)
            guard let row = RowV4(endpoint, id, RowStamp(at: .zero)) else { return }
            if let position = table.position(of: row, key) {
                table.remove(at: position, key)
                let old = kinds.removeValue(forKey: endpoint)
                guard old != kind.number else { return }
            }
            table.insert(row, as: kind, key)
            kinds[endpoint] = kind.number
        }

        /// Whether the table is what the dictionary is, and each row is found where it lies.
        func agrees() -> Bool {
            guard table.count == kinds.count else { return false }
            for (position, row) in table.rows.enumerated() {
                guard kinds[row.endpoint] == table.kind(at: position), table.position(of: row, key) == position else {
                    return false
                }
            }
            return table.seedCount == kinds.values.count { PeerKind.isSeed($0) }
        }
    }

    @Test("rows stay in order and are found, whatever comes and goes", arguments: [1, 2, 3, 4], [3, 20, 400])
    func model(seed: UInt64, count: Int) {
        var model = Model(seed: seed)
        for step in 0..<3000 {
            model.step(among: count)
            if step % 100 == 0 { model.table.shrink(model.key) }
            if step % 10 == 0 || count < 10 { #expect(model.agrees()) }
        }
    }

    @Test("each set of peers is as likely as any other", arguments: [1, 2])
    func fairness(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var choice = PeerChoice(limits: RegistryLimits())
        var pairs: [Set<UInt16>: Int] = [:]
        // Two of rows 3 to 9 without row 5: fifteen pairs, each 2000 times on average.
        for _ in 0..<30_000 {
            choice.choose(2, of: 3..<10, except: 5, using: &random)
            pairs[Set(choice.positions), default: 0] += 1
        }
        #expect(pairs.count == 15)
        #expect(pairs.keys.allSatisfy { $0.count == 2 && !$0.contains(5) })
        // Five standard deviations of a binomial count.
        #expect(pairs.values.allSatisfy { abs($0 - 2000) < 216 })
    }

    @Test(
        "a choice is as long as it can be, and has nobody twice",
        arguments: [(0, 0), (0, 5), (1, 5), (5, 5), (6, 5), (200, 199), (10_000, 200)]
    )
    func lengths(rows: Int, wanted: Int) {
        var random = SeededRandom(seed: 1)
        var choice = PeerChoice(limits: RegistryLimits())
        for own in [nil, 0, rows / 2, rows + 7] {
            choice.choose(wanted, of: 0..<rows, except: own, using: &random)
            let others = rows - (own.map { (0..<rows).contains($0) } == true ? 1 : 0)
            #expect(choice.positions.count == min(wanted, others))
            #expect(Set(choice.positions).count == choice.positions.count)
            #expect(choice.positions.allSatisfy { $0 < rows && Int($0) != own })
        }
    }
}
