import EventLoop
import Primitives
import Swarming

/// The limits that hold over all torrents (`--limit-down`, `--limit-up`), and who waits for them.
///
/// Confined to the loop thread.
final class RateLimits {
    private unowned let core: NodeCore
    private var down: RateLimiter?
    private var up: RateLimiter?
    private var readers: [PeerSession] = []
    private var writers: [PeerSession] = []
    private lazy var alarm = Alarm(core) { [unowned self] in refilled() }

    /// Short enough for a smooth rate, long enough not to wake the loop for every packet.
    private static let refillInterval: Duration = .milliseconds(50)

    init(_ core: NodeCore) {
        self.core = core
        down = core.configuration.downloadLimit.map { RateLimiter(bytesPerSecond: $0, at: core.now) }
        up = core.configuration.uploadLimit.map { RateLimiter(bytesPerSecond: $0, at: core.now) }
    }

    /// Bytes that may be read now.
    func downloadAllowance() -> Int { down?.allowance(at: core.now) ?? Int.max }

    /// Bytes that may be written now.
    func uploadAllowance() -> Int { up?.allowance(at: core.now) ?? Int.max }

    func downloaded(_ byteCount: Int) { down?.spend(byteCount) }

    func uploaded(_ byteCount: Int) { up?.spend(byteCount) }

    /// Has a connection go on reading when there is an allowance again.
    func waitToRead(_ session: PeerSession) {
        session.stream?.wantsRead = false
        readers.append(session)
        alarm.set(core.now + RateLimits.refillInterval)
    }

    /// Has a connection go on writing when there is an allowance again.
    func waitToWrite(_ session: PeerSession) {
        session.stream?.wantsWrite = false
        writers.append(session)
        alarm.set(core.now + RateLimits.refillInterval)
    }

    private func refilled() {
        let waiting = (readers, writers)
        readers.removeAll()
        writers.removeAll()
        for session in waiting.0 where !session.isClosed && !session.isReadingPaused {
            session.stream?.wantsRead = true
        }
        for session in waiting.1 where !session.isClosed { session.markDirty() }
    }
}
