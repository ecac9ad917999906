import Primitives

/// How long answers take on the whole: a histogram of the latest ones, from which any quantile can be read.
///
/// Round trips of the internet are spread log-normally, so that a mean says little of the slow end, where the decision
/// falls how long to wait. The bins are a quarter octave wide, the lowest at a quarter millisecond, the highest past
/// ten seconds.
struct RoundTrips: Hashable, Sendable {
    private static let binsPerOctave = 4
    private static let lowestOctave = 8
    private static let binCount = 64
    /// When so many are counted, each bin is halved: what counts are the last thousand answers or so.
    private static let memory = 1024

    private var bins = [UInt16](repeating: 0, count: binCount)
    private var total = 0
    /// Answers since the start.
    private(set) var count = 0

    /// Starts as if a few answers had come from a typical network, half of them within 100 ms: the first queries of a
    /// node must not wait for a second each, and the first true measurements outweigh these.
    init() {
        for sample in RoundTrips.guesses { add(sample) }
        count = 0
    }

    private static let guesses = ([48, 64, 80, 96, 112, 128, 160, 224] as [Int64]).map { Duration.milliseconds($0) }

    /// What was measured, without what it started with. Where a thousand were measured that no longer counts.
    fileprivate var measured: RoundTrips {
        guard count > 0, total == count + RoundTrips.guesses.count else { return self }
        var measured = self
        for sample in RoundTrips.guesses { measured.bins[RoundTrips.bin(of: sample)] -= 1 }
        measured.total = count
        return measured
    }

    mutating func add(_ sample: Duration) {
        let bin = RoundTrips.bin(of: sample)
        bins[bin] += 1
        total += 1
        count += 1
        guard total >= RoundTrips.memory else { return }
        for index in bins.indices { bins[index] /= 2 }
        total = bins.reduce(0) { $0 + Int($1) }
    }

    /// What so many of a thousand answers do not exceed.
    func quantile(permille: Int) -> Duration {
        var wanted = total * permille / 1000
        for (index, amount) in bins.enumerated() where amount > 0 {
            if wanted < Int(amount) {
                let start = RoundTrips.start(ofBin: index)
                let width = RoundTrips.start(ofBin: index + 1) - start
                return .nanoseconds(start + width * Int64(wanted) / Int64(amount))
            }
            wanted -= Int(amount)
        }
        return .nanoseconds(RoundTrips.start(ofBin: RoundTrips.binCount))
    }

    var median: Duration { quantile(permille: 500) }

    private static func bin(of sample: Duration) -> Int {
        let microseconds = UInt64(max(sample.wholeNanoseconds / 1000, 1 << Int64(lowestOctave)))
        let octave = UInt64.bitWidth - 1 - microseconds.leadingZeroBitCount
        // The two bits behind the leading one say which quarter of the octave it is.
        let quarter = Int(microseconds >> UInt64(octave - 2) & 3)
        return min((octave - lowestOctave) * binsPerOctave + quarter, binCount - 1)
    }

    /// In nanoseconds: the 128 bits of `Duration` cost ten times as much, and two quantiles are read for each query.
    private static func start(ofBin index: Int) -> Int64 {
        let octave = index / binsPerOctave + lowestOctave
        return ((4 + Int64(index % binsPerOctave)) << Int64(octave - 2)) * 1000
    }
}

/// What a person may want to know of the round trips to other nodes.
package struct RoundTripSummary: Hashable, Sendable {
    package var median: Duration
    /// What nine of ten, and ninety-nine of a hundred answers do not exceed.
    package var ninetieth: Duration
    package var ninetyNinth: Duration
    /// Answers since the start; with none, the times above are a guess.
    package var count: Int

    init(_ roundTrips: RoundTrips) {
        let roundTrips = roundTrips.measured
        median = roundTrips.median
        ninetieth = roundTrips.quantile(permille: 900)
        ninetyNinth = roundTrips.quantile(permille: 990)
        count = roundTrips.count
    }
}
