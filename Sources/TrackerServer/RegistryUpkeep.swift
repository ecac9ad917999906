import EventLoop
import Primitives
import TrackerProtocol

/// Visits one shard of the registry after the other, so that each has its turn once a minute: its silent peers are taken
/// out.
final class RegistryUpkeep {
    private unowned let core: TrackerCore
    private let timer: Timer
    private var nextShard = 0

    /// How long a round takes.
    private static let round: Duration = .seconds(60)

    init(core: TrackerCore) {
        self.core = core
        timer = Timer(loop: core.loop)
        timer.handler = self
        wait()
    }

    func stop() { timer.close() }

    private func wait() { timer.start(at: core.now + RegistryUpkeep.round / Registry.shardCount) }
}

extension RegistryUpkeep: TimerHandler {
    func timerFired(_ timer: Timer) {
        core.registry.expire(shard: nextShard, at: core.now)
        nextShard = (nextShard + 1) % Registry.shardCount
        wait()
    }
}
