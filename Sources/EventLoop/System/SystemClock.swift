import Glibc

/// The time of day, for creation dates only: it jumps, so no deadline may use it.
package enum SystemClock {
    package static var secondsSinceEpoch: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec)
    }
}
