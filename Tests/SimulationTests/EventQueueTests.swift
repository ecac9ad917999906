import Primitives
import Simulation
import Testing

@Suite("The simulation's clock and network")
struct EventQueueTests {
    @Test("happens in the order of time, and of scheduling within one instant")
    func order() {
        var queue = EventQueue<String>()
        queue.schedule("c", after: .seconds(2))
        queue.schedule("a", after: .seconds(1))
        queue.schedule("b", after: .seconds(1))
        let end = Instant.zero + .seconds(3)

        #expect(queue.next(until: end) == "a")
        #expect(queue.next(until: end) == "b")
        #expect(queue.now == .zero + .seconds(1))
        #expect(queue.next(until: end) == "c")
        #expect(queue.next(until: end) == nil)
        #expect(queue.now == end)
    }

    @Test("does not go back: an event for the past happens now")
    func past() {
        var queue = EventQueue<Int>()
        _ = queue.next(until: .zero + .seconds(5))
        queue.schedule(1, at: .zero)
        #expect(queue.next(until: .zero + .seconds(9)) == 1)
        #expect(queue.now == .zero + .seconds(5))
    }

    @Test("loses what its conditions say", arguments: [0, 50, 1000])
    func loss(perMille: Int) {
        var network = VirtualNetwork(conditions: .init(lossPerMille: perMille), seed: 1)
        for _ in 0..<10_000 {
            _ = network.delayOfDatagram(from: .v4(0x0101_0101), to: .v4(0x0202_0202), byteCount: 100)
        }
        #expect(abs(network.datagramsLost - perMille * 10) <= 100)
    }

    @Test("delays by the median in half of the cases, and by much more in a few")
    func latency() {
        var random = SeededRandom(seed: 3)
        let model = LatencyModel.logNormal(median: .milliseconds(40), sigma: 0.5)
        let delays = (0..<2001).map { _ in model.sample(from: .anyV4, to: .anyV4, seed: 0, using: &random) }.sorted()
        #expect((Duration.milliseconds(37)...Duration.milliseconds(43)).contains(delays[1000]))
        #expect((Duration.milliseconds(110)...Duration.milliseconds(160)).contains(delays[1980]))
    }

    @Test("reaches nobody who is unplugged")
    func unplugged() {
        var network = VirtualNetwork(seed: 1)
        let one = IPAddress.v4(0x0101_0101)
        let two = IPAddress.v4(0x0202_0202)
        network.setPlugged(false, two)
        #expect(network.delayOfDatagram(from: one, to: two, byteCount: 1) == nil)
        #expect(network.delayOfStream(from: two, to: one, byteCount: 1) == nil)
        network.setPlugged(true, two)
        #expect(network.delayOfDatagram(from: one, to: two, byteCount: 1) != nil)
    }
}
