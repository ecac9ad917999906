import EventLoop
import Primitives
import TrackerProtocol
import TrackerStore

/// Other tracker nodes on the same database: tells them of us, and us of them and their peers.
final class OtherNodes {
    /// Announce URLs of the others, for clients of our kind; empty where this node is alone.
    private(set) var urls: [String] = []
    private unowned let core: TrackerCore
    private let timer: Timer
    /// What of the others' swarms was read already.
    private var change: Int64 = -1
    private var isAsking = false

    /// How often the database is asked.
    private static let period: Duration = .seconds(5)
    /// Seconds after which a node that says nothing is taken for gone.
    private static let patience: Int64 = 60
    /// Swarms of one look.
    private static let swarmsAtOnce = 2000

    init(core: TrackerCore) {
        self.core = core
        timer = Timer(loop: core.loop)
        timer.handler = self
    }

    /// Looks for the first time, so that the first peers hear of those of other nodes.
    func start() async {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in ask { done.resume() } }
    }

    func stop() { timer.close() }

    /// Takes our address back, so that clients stop asking here. Where that fails the others miss us after a minute.
    func withdraw(then done: @escaping () -> Void) {
        let node = core.identity
        guard let store = core.store, !node.isEmpty else { return done() }
        store.perform { (store) throws(StoreFault) in
            try store.withdrawNode(node)
        } then: { _ in
            done()
        }
    }

    private struct Look: Sendable {
        let urls: [String]
        let swarms: [SavedSwarm]
        let change: Int64
    }

    private func ask(then done: @escaping () -> Void = {}) {
        guard !isAsking, let store = core.store else { return done() }
        isAsking = true
        let today = SystemClock.secondsSinceEpoch
        let (node, url, change) = (core.identity, core.ownURL, change)
        let interval = core.configuration.limits.interval.components.seconds
        let lifetime = core.configuration.limits.lifetime.components.seconds
        store.perform { (store) throws(StoreFault) -> Look in
            if let url {
                let own = TrackerPeerNode(id: node, url: url, seen: today)
                try store.publishNode(own, forgetting: today - max(lifetime, OtherNodes.patience))
            }
            let others = try store.nodes(since: today - OtherNodes.patience).filter { $0.id != node }
            let (swarms, last) = try store.swarmsOfOthers(
                than: node,
                after: change,
                since: today - interval,
                limit: OtherNodes.swarmsAtOnce
            )
            return Look(urls: others.map(\.url), swarms: swarms, change: last)
        } then: { [weak self] result in
            self?.answered(result)
            done()
        }
    }

    private func answered(_ result: Result<Look, StoreFault>) {
        isAsking = false
        timer.start(at: core.now + OtherNodes.period)
        // What is wrong with the database, the upkeep of the registry tells.
        guard case .success(let look) = result else { return }
        urls = look.urls
        change = look.change
        core.restore(look.swarms, isForeign: true)
    }
}

extension OtherNodes: TimerHandler {
    func timerFired(_ timer: Timer) { ask() }
}
