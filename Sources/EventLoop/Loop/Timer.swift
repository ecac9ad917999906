import CUV
package import Primitives

/// Whom a timer tells.
package protocol TimerHandler: AnyObject {
    /// The deadline has passed; the timer may be started again from here.
    func timerFired(_ timer: Timer)
}

/// Fires once at a deadline: never early, up to a millisecond and the length of a turn late.
///
/// A machine's next deadline goes into `start` after every input; an unchanged one costs a comparison.
package final class Timer: Handle {
    package weak var handler: (any TimerHandler)?
    /// When it fires, `nil` when it does not.
    package private(set) var deadline: Instant?

    package init(loop: Loop, handler: (any TimerHandler)? = nil) {
        self.handler = handler
        super.init(on: loop)
        // Cannot fail for want of a resource; on a loop that is closing the timer stays closed and never fires.
        _ = open(uv_timer_t.self) { uv_timer_init(loop.uv, $0) }
    }

    /// Fires at `deadline` instead of whatever was set; in the next turn if it has passed; never if it is
    /// `distantFuture`.
    package func start(at deadline: Instant) {
        guard deadline != self.deadline else { return }
        guard deadline != .distantFuture else { return cancel() }
        guard let raw = pointer(uv_timer_t.self) else { return }
        self.deadline = deadline
        let due = Timer.wholeMilliseconds(of: deadline)
        let started = uv_now(loop.uv)
        let least: UInt64 = loop.isFiringTimer ? 1 : 0
        let delay = due > started ? max(due - started, least) : least
        uv_timer_start(raw, { raw in Handle.owner(of: raw, as: Timer.self)?.fired() }, delay, 0)
    }

    package func cancel() {
        guard deadline != nil else { return }
        deadline = nil
        if let raw = pointer(uv_timer_t.self) { uv_timer_stop(raw) }
    }

    package override func close() {
        deadline = nil
        super.close()
    }

    private func fired() {
        deadline = nil
        loop.isFiringTimer = true
        handler?.timerFired(self)
        loop.isFiringTimer = false
    }

    /// Rounded up: libuv counts whole milliseconds of the same clock, rounded down.
    private static func wholeMilliseconds(of instant: Instant) -> UInt64 {
        guard instant.nanoseconds > 0 else { return 0 }
        return UInt64((instant.nanoseconds - 1) / 1_000_000 + 1)
    }
}
