import Glibc

/// The time of day, for what is written down or signed: it jumps, so no deadline may use it.
package enum SystemClock {
    package static var secondsSinceEpoch: Int64 { millisecondsSinceEpoch / 1000 }

    package static var millisecondsSinceEpoch: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Seconds that this host has slept since it was started, give or take one: the clock of timers stands still
    /// meanwhile, so only from this do they learn of it.
    package static var secondsAsleep: Int64 {
        var awake = timespec()
        var all = timespec()
        clock_gettime(CLOCK_MONOTONIC, &awake)
        clock_gettime(CLOCK_BOOTTIME, &all)
        return Int64(all.tv_sec) - Int64(awake.tv_sec)
    }
}
