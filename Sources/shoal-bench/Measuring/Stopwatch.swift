import Glibc
import Primitives

/// Time since it was made: that of the wall, on a clock that never jumps, and that of all threads of this process.
struct Stopwatch {
    private let clock = ContinuousClock()
    private let startedAt: ContinuousClock.Instant
    private let processorTime: Duration

    init() {
        processorTime = Stopwatch.processorTime
        startedAt = clock.now
    }

    /// In seconds.
    var wall: Double { (clock.now - startedAt).inSeconds }

    /// In seconds, user and system.
    var processor: Double { (Stopwatch.processorTime - processorTime).inSeconds }

    private static var processorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

/// How fast bytes were worked on; of several runs, the best.
struct Throughput {
    /// Bytes a second.
    private(set) var rate = 0.0
    /// Processor seconds for a GiB.
    private(set) var cost = Double.infinity

    mutating func note(_ bytes: Int64, _ stopwatch: Stopwatch) {
        rate = max(rate, Double(bytes) / stopwatch.wall)
        cost = min(cost, stopwatch.processor / Double(bytes) * 1_073_741_824)
    }
}
