import Primitives
import Simulation
import Testing

@Suite("How long hosts stay")
struct SessionTests {
    private let count = 20_000

    private func hours(_ seed: UInt64, _ draw: (inout SeededRandom) -> Duration) -> [Double] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { _ in draw(&random).inSeconds / 3600 }.sorted()
    }

    @Test("sessions are those of KAD: a median of 93 minutes, an eighth below six, a tenth above ten hours")
    func sessions() {
        let sorted = hours(1) { Weibull.kad.sample(using: &$0) }
        #expect(abs(sorted[count / 2] * 60 - 93.4) < 3)
        #expect(abs(sorted[count / 8] * 60 - 6) < 0.6)
        #expect(abs(sorted[count * 9 / 10] - 10.97) < 0.5)
        #expect(abs(sorted.reduce(0, +) / Double(count) - 4.12) < 0.2)
    }

    @Test("whoever is met at a random time stays far longer than who has just come")
    func remainders() {
        let sorted = hours(2) { Weibull.kad.remainder(using: &$0) }
        // The mean of the rest is half the mean square of the sessions by their mean: 2.85 scales of 2.826 hours.
        #expect(abs(sorted.reduce(0, +) / Double(count) - 8.05) < 0.4)
        #expect(sorted.count { $0 < 0.1 } < count / 20)
    }

    @Test("as many leave in the first hours of an established network as in the later ones")
    func departuresAreSteady() {
        var random = SeededRandom(seed: 3)
        var early = 0
        var late = 0
        for _ in 0..<2000 {
            var leavesAt = Weibull.kad.remainder(using: &random).inSeconds / 3600
            while leavesAt < 24 {
                if leavesAt < 4 { early += 1 }
                if leavesAt >= 20 { late += 1 }
                leavesAt += Weibull.kad.sample(using: &random).inSeconds / 3600
            }
        }
        // 2000 hosts, a departure each 4.12 hours.
        #expect(abs(early - 1942) < 250)
        #expect(abs(late - 1942) < 250)
    }
}
