import EventLoop
import Primitives
import Swarming

/// The limits that hold over all torrents (`--limit-down`, `--limit-up`), and who waits for them.
///
/// Under a limit nobody reads or writes when its socket is ready: it gets in line, and whoever is first moves a little and
/// goes to the end. So all get the same share, whichever socket the kernel names first.
///
/// Confined to the loop thread.
final class RateLimits {
    private unowned let core: NodeCore
    private var down: RateLimiter?
    private var up: RateLimiter?
    private var readers: [PeerSession] = []
    private var writers: [PeerSession] = []
    private var isServing = false
    private lazy var alarm = Alarm(core) { [unowned self] in serve() }

    /// What one connection reads or writes before the next one's turn: a block.
    private static let turnLength = 16_384
    /// Short enough for a smooth rate, long enough not to wake the loop for every packet.
    private static let refillInterval: Duration = .milliseconds(50)

    init(_ core: NodeCore) {
        self.core = core
        down = core.configuration.downloadLimit.map { RateLimiter(bytesPerSecond: $0, at: core.now) }
        up = core.configuration.uploadLimit.map { RateLimiter(bytesPerSecond: $0, at: core.now) }
    }

    var limitsReading: Bool { down != nil }
    var limitsWriting: Bool { up != nil }

    /// How many bytes one connection may have in its queue: half a second's worth, or a block.
    var writingAhead: Int {
        guard let rate = up?.bytesPerSecond else { return .max }
        return max(rate / 2, RateLimits.turnLength)
    }

    /// Has a connection read when its turn comes.
    func waitToRead(_ session: PeerSession) {
        session.stream?.wantsRead = false
        if !session.isWaitingToRead {
            session.isWaitingToRead = true
            readers.append(session)
        }
        serve()
    }

    /// Has a connection write when its turn comes.
    func waitToWrite(_ session: PeerSession) {
        session.stream?.wantsWrite = false
        if !session.isWaitingToWrite {
            session.isWaitingToWrite = true
            writers.append(session)
        }
        serve()
    }

    private func serve() {
        // What a read brings about may make others wait; they are in the lines that are being served.
        guard !isServing else { return }
        isServing = true
        serveReaders()
        serveWriters()
        isServing = false
        guard !readers.isEmpty || !writers.isEmpty else { return alarm.set(nil) }
        if !alarm.isSet { alarm.set(core.now + RateLimits.refillInterval) }
    }

    private func serveReaders() {
        while !readers.isEmpty, (down?.allowance(at: core.now) ?? .max) > 0 {
            let session = readers.removeFirst()
            session.isWaitingToRead = false
            let count = session.receiveOnce(limit: RateLimits.turnLength)
            down?.spend(count)
            guard !session.isClosed, !session.isReadingPaused else { continue }
            if count > 0 {
                session.isWaitingToRead = true
                readers.append(session)
            } else {
                session.stream?.wantsRead = true
            }
        }
    }

    private func serveWriters() {
        while !writers.isEmpty {
            let allowance = up?.allowance(at: core.now) ?? .max
            guard allowance > 0 else { return }
            let session = writers.removeFirst()
            session.isWaitingToWrite = false
            let count = session.writeOnce(limit: min(allowance, RateLimits.turnLength))
            up?.spend(count)
            guard count > 0, !session.isClosed else { continue }
            session.isWaitingToWrite = true
            writers.append(session)
        }
    }
}
