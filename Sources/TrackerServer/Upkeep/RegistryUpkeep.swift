import EventLoop
import Primitives
import TrackerProtocol
import TrackerStore

/// Visits one shard of the registry after the other, so that each has its turn once a minute: its silent peers are taken
/// out, and what changed goes to the database.
///
/// The loop only encodes; the store's thread writes. Where the database is away, nothing is lost but time: changes are
/// put back, and go with the next round.
final class RegistryUpkeep {
    private unowned let core: TrackerCore
    private let timer: Timer
    private var nextShard = 0
    /// Whether the last writing failed: a person is told once, and once more when it is over.
    private var hasFailed = false

    /// How long a round takes.
    private static let round: Duration = .seconds(60)
    /// Calls of ours that may wait for the database: what comes while it is slow stays in the registry.
    private static let mostPending = 64

    init(core: TrackerCore) {
        self.core = core
        timer = Timer(loop: core.loop)
        timer.handler = self
        wait()
    }

    func stop() { timer.close() }

    private func wait() { timer.start(at: core.now + RegistryUpkeep.round / Registry.shardCount) }

    /// Hands the changes of one shard to the store's thread.
    private func save(shard: Int) {
        guard let store = core.store, store.pendingCount < RegistryUpkeep.mostPending else { return }
        let changes = core.registry.takeChanges(ofShard: shard, at: core.now)
        guard !changes.isEmpty else { return }
        let writing = Writing(changes, core)
        store.perform { (store) throws(StoreFault) in
            try writing.carryOut(on: store)
        } then: { [weak self] result in
            self?.written(changes, result)
        }
    }

    private func written(_ changes: ShardChanges, _ result: Result<Void, StoreFault>) {
        switch result {
        case .success:
            if hasFailed { core.emit(.notice("the database is back")) }
            hasFailed = false
        case .failure(let fault):
            core.registry.putBack(changes)
            if !hasFailed { core.emit(.notice("\(fault.message); announces go on meanwhile")) }
            hasFailed = true
        }
    }

    /// Writes down all that changed, as the last thing that a tracker does.
    func saveEverything(then done: @escaping () -> Void) {
        guard let store = core.store else { return done() }
        let writings = (0..<Registry.shardCount).compactMap { shard -> Writing? in
            let changes = core.registry.takeChanges(ofShard: shard, at: core.now)
            return changes.isEmpty ? nil : Writing(changes, core)
        }
        store.perform { (store) throws(StoreFault) in
            for writing in writings { try writing.carryOut(on: store) }
        } then: { [core] result in
            if case .failure(let fault) = result {
                core.emit(.notice("\(fault.message); peers of the last minute are not written down"))
            }
            done()
        }
    }
}

extension RegistryUpkeep: TimerHandler {
    func timerFired(_ timer: Timer) {
        core.registry.expire(shard: nextShard, at: core.now)
        save(shard: nextShard)
        nextShard = (nextShard + 1) % Registry.shardCount
        wait()
    }
}

/// What one call writes.
private struct Writing: Sendable {
    let swarms: [SavedSwarm]
    let downloads: [InfoHash: Int64]
    let node: String
    let now: Int64
    let mostDownloads: Int

    init(_ changes: ShardChanges, _ core: TrackerCore) {
        let now = SystemClock.secondsSinceEpoch
        swarms = changes.swarms.map { SavedSwarm(infoHash: $0.key, peers: $0.value, saved: now) }
        downloads = changes.downloads
        node = core.identity
        mostDownloads = core.registry.limits.remembered
        self.now = now
    }

    func carryOut(on store: TrackerStore) throws(StoreFault) {
        try store.saveSwarms(swarms, of: node)
        try store.addDownloads(downloads, now: now, most: mostDownloads)
    }
}
