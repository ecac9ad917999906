import EventLoop
import Primitives

/// A timer that calls once.
final class Alarm: TimerHandler {
    private let timer: Timer
    private let ring: () -> Void

    init(loop: Loop, at deadline: Instant, _ ring: @escaping () -> Void) {
        timer = Timer(loop: loop)
        self.ring = ring
        timer.handler = self
        timer.start(at: deadline)
    }

    func close() { timer.close() }
    func timerFired(_ timer: Timer) { ring() }
}
