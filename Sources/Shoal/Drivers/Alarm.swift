import EventLoop
import Primitives

/// A timer that runs a closure inside a turn of the node; made on first use and re-armed for free.
///
/// Confined to the loop thread.
final class Alarm: TimerHandler {
    private let timer: Timer
    private unowned let core: NodeCore
    private let action: () -> Void

    init(_ core: NodeCore, _ action: @escaping () -> Void) {
        self.core = core
        self.action = action
        timer = Timer(loop: core.loop)
        timer.handler = self
    }

    deinit { timer.close() }

    /// Fires at `deadline` in place of what was set; `nil` takes it back.
    func set(_ deadline: Instant?) {
        if let deadline { timer.start(at: deadline) } else { timer.cancel() }
    }

    var isSet: Bool { timer.deadline != nil }

    func timerFired(_ timer: Timer) { core.turn(action) }
}
