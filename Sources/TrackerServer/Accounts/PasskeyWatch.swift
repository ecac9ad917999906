import EventLoop
import Primitives
import TrackerProtocol
import TrackerStore

/// Keeps the passkeys in memory as the database has them: what other nodes, and `shoal tracker user`, changed is here two
/// seconds later.
///
///     loading ── last page ──▶ following ── nothing heard for long ──▶ loading
///
/// Announces go on with what is known where the database is away.
final class PasskeyWatch {
    private unowned let core: TrackerCore
    private let timer: Timer
    /// What of the changes is known.
    private var change: Int64 = -1
    /// Being built, to take the place of all that is known.
    private var fresh: Passkeys? = Passkeys()
    private var heardAt: Instant
    private var isAsking = false

    private static let period: Duration = .seconds(2)
    /// Passkeys of one look: they are taken over on the loop, in a millisecond or two.
    private static let page = 2000
    /// Other nodes forget a revoked passkey after a while; who heard nothing for half of that begins anew.
    private static let patience: Duration = .seconds(PasskeyRecord.secondsAfterRevocation / 2)

    init(core: TrackerCore) {
        self.core = core
        heardAt = core.now
        timer = Timer(loop: core.loop)
        timer.handler = self
    }

    func stop() { timer.close() }

    /// Reads all passkeys, before the first announce is answered.
    func start() async throws(StoreFault) {
        while fresh != nil {
            let change = change
            let page = try await core.ask { (store) throws(StoreFault) in try PasskeyWatch.read(store, after: change) }
            take(page)
        }
        timer.start(at: core.now + PasskeyWatch.period)
    }

    private struct Page: Sendable {
        let records: [PasskeyRecord]
        let change: Int64
    }

    private static func read(_ store: TrackerStore, after change: Int64) throws(StoreFault) -> Page {
        let (records, last) = try store.passkeys(after: change, limit: page)
        return Page(records: records, change: last)
    }

    private func ask() {
        guard !isAsking, let store = core.store else { return }
        isAsking = true
        if core.now - heardAt > PasskeyWatch.patience {
            fresh = Passkeys()
            change = -1
        }
        let change = change
        store.perform { (store) throws(StoreFault) in
            try PasskeyWatch.read(store, after: change)
        } then: { [weak self] result in
            self?.answered(result)
        }
    }

    private func answered(_ result: Result<Page, StoreFault>) {
        isAsking = false
        // What is wrong with the database, the upkeep of the registry tells.
        if case .success(let page) = result {
            take(page)
            // There is more: at once, but after what else the loop has to do.
            if !page.records.isEmpty { return timer.start(at: core.now) }
        }
        timer.start(at: core.now + PasskeyWatch.period)
    }

    private func take(_ page: Page) {
        heardAt = core.now
        change = page.change
        let today = SystemClock.secondsSinceEpoch
        for record in page.records {
            let expires = core.now + .seconds(record.expires - today)
            let owner = record.isRevoked ? nil : Passkeys.Owner(account: record.account, expires: expires)
            if fresh == nil {
                core.admission.passkeys?.update(owner, for: record.hash)
            } else {
                fresh?.update(owner, for: record.hash)
            }
        }
        guard page.records.isEmpty, let complete = fresh else { return }
        core.admission.passkeys = complete
        fresh = nil
    }
}

extension PasskeyWatch: TimerHandler {
    func timerFired(_ timer: Timer) { ask() }
}

extension Passkeys {
    fileprivate mutating func update(_ owner: Owner?, for digest: UInt256) {
        if let owner { set(owner, for: digest) } else { remove(digest) }
    }
}
