import Primitives
import Simulation
import Testing

@Suite("The simulated internet")
struct InternetTests {
    private let lasting = PairLatency()

    private func address(_ index: Int) -> IPAddress { DHTSimulation.endpoint(of: index).address }

    @Test("half of all pairs have a round trip below 80 ms, one in ten above 190, one in a hundred above 380")
    func roundTrips() {
        let sorted = (0..<10_000).map { index in
            lasting.roundTrip(between: address(index), and: address(index + 20_000), seed: 1).inSeconds * 1000
        }.sorted()
        #expect(abs(sorted[5000] - 80) < 3)
        #expect(abs(sorted[9000] - 189) < 10)
        #expect(abs(sorted[9900] - 380) < 40)
    }

    @Test("a pair keeps its round trip, the same both ways, and each packet is a little off")
    func pairs() {
        let (one, other) = (address(3), address(7))
        let roundTrip = lasting.roundTrip(between: one, and: other, seed: 1)
        #expect(lasting.roundTrip(between: other, and: one, seed: 1) == roundTrip)
        #expect(lasting.roundTrip(between: other, and: one, seed: 2) != roundTrip)
        var random = SeededRandom(seed: 4)
        let model = LatencyModel.pairwise(lasting)
        let sums = (0..<100).map { _ in
            model.sample(from: one, to: other, seed: 1, using: &random)
                + model.sample(from: other, to: one, seed: 1, using: &random)
        }
        #expect(Set(sums).count > 90)
        #expect(sums.allSatisfy { abs($0 / roundTrip - 1) < 0.4 })
    }

    @Test("some hosts are quicker than others towards everybody")
    func quickHosts() {
        let means = (0..<50).map { host in
            (100..<200).reduce(0.0) {
                $0 + lasting.roundTrip(between: address(host), and: address($1), seed: 1).inSeconds
            }
        }.sorted()
        #expect(means[45] > means[5] * 1.8)
    }

    @Test("address translation admits whom the host wrote to, for ninety seconds after the last time")
    func translation() {
        var box = AddressTranslation()
        let friend = Endpoint(.v4(0x0101_0101), 1)
        let neighbour = Endpoint(.v4(0x0101_0101), 2)
        let start = Instant.zero

        #expect(!box.admits(from: friend, at: start))
        box.sent(to: friend, at: start)
        #expect(box.admits(from: friend, at: start + .seconds(90)))
        #expect(!box.admits(from: neighbour, at: start))
        #expect(!box.admits(from: friend, at: start + .seconds(91)))
        box.sent(to: friend, at: start + .seconds(91))
        #expect(box.admits(from: friend, at: start + .seconds(150)))
    }

    @Test("address translation forgets bindings that ended, and no other")
    func translationForgets() {
        var box = AddressTranslation()
        for second in 0..<1000 {
            box.sent(to: Endpoint(.v4(0x0101_0101), UInt16(second + 1)), at: .zero + .seconds(second))
        }
        let admitted = (0..<1000).filter {
            box.admits(from: Endpoint(.v4(0x0101_0101), UInt16($0 + 1)), at: .zero + .seconds(999))
        }
        #expect(admitted == Array(909..<1000))
    }
}
