import Primitives
import Testing

@testable import Kademlia

@Suite("Round trips")
struct RoundTripTests {
    @Test("what a person is told was measured, and not what a node starts with", arguments: [1, 8, 600, 3000])
    func summary(count: Int) {
        var roundTrips = RoundTrips()
        for _ in 0..<count { roundTrips.add(.milliseconds(1)) }
        let summary = RoundTripSummary(roundTrips)
        #expect(summary.count == count)
        #expect(summary.median < .milliseconds(2))
        #expect(summary.ninetyNinth < .milliseconds(2))
    }

    @Test("of one node are smoothed as RFC 6298 says")
    func smoothing() {
        var roundTrip = RoundTrip(first: .milliseconds(80))
        #expect(roundTrip.smoothed == .milliseconds(80))
        #expect(roundTrip.latest == .milliseconds(240))
        roundTrip.add(.milliseconds(160))
        // 7/8 of 80 and 1/8 of 160; the spread 3/4 of 40 and 1/4 of the difference, 80.
        #expect(roundTrip.smoothed == .milliseconds(90))
        #expect(roundTrip.latest == .milliseconds(90 + 4 * 50))
    }

    @Test("of one node stay in their range, whatever the clock does", arguments: [-5, 0, 1 << 40] as [Int64])
    func extremes(seconds: Int64) {
        var roundTrip = RoundTrip(first: .seconds(seconds))
        for _ in 0..<100 { roundTrip.add(.seconds(seconds)) }
        #expect(roundTrip.smoothed <= .seconds(60))
        #expect(roundTrip.latest >= .zero)
    }

    @Test("of all are a guess before the first answer: half within 100 ms, nearly all within a quarter second")
    func guess() {
        let roundTrips = RoundTrips()
        #expect(roundTrips.count == 0)
        #expect((.milliseconds(80)...(.milliseconds(120))).contains(roundTrips.median))
        #expect(roundTrips.quantile(permille: 990) <= .milliseconds(256))
    }

    @Test("of all are told to a quarter of their length", arguments: [1, 5, 40, 80, 300, 2000] as [Int64])
    func quantiles(median: Int64) {
        var roundTrips = RoundTrips()
        // Evenly spread from none to twice the median.
        for number in 0..<2000 { roundTrips.add(.microseconds(Int64(number * 167 % 400 * 2) * median * 1000 / 400)) }
        for permille in [100, 500, 800, 950] {
            let truth = Duration.milliseconds(median) * (2 * permille) / 1000
            let told = roundTrips.quantile(permille: permille)
            #expect(told > truth * 3 / 4 - .milliseconds(1) && told < truth * 5 / 4 + .milliseconds(1))
        }
    }

    @Test("of all forget: a network that has become slow is known to be after a thousand answers")
    func forgetting() {
        var roundTrips = RoundTrips()
        for _ in 0..<10_000 { roundTrips.add(.milliseconds(20)) }
        #expect(roundTrips.quantile(permille: 900) < .milliseconds(25))
        for _ in 0..<1000 { roundTrips.add(.milliseconds(800)) }
        #expect(roundTrips.median > .milliseconds(600))
        #expect(roundTrips.count == 11_000)
    }

    @Test("of all count the impossible too", arguments: [-1, 0, 1 << 50] as [Int64])
    func impossible(seconds: Int64) {
        var roundTrips = RoundTrips()
        for _ in 0..<2000 { roundTrips.add(.seconds(seconds)) }
        #expect(roundTrips.quantile(permille: 999) > .zero)
        #expect(roundTrips.quantile(permille: 999) < .seconds(60))
    }
}
