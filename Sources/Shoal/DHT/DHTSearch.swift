import Kademlia
import Primitives

/// One lookup that a person waits for, and what it found until its end or the end of their patience.
final class DHTSearch {
    private let core: NodeCore
    private let timeout: Double
    private(set) var peers: [Endpoint] = []
    private(set) var scrapes: [ScrapeSummary] = []
    /// The newest version that came.
    private(set) var item: Item?
    private(set) var answers = 0
    var onPeers: ([Endpoint]) -> Void = { _ in }
    var onSample: (NodeSample) -> Void = { _ in }
    private var lookup: LookupID?
    private var done: CheckedContinuation<LookupSummary?, Never>?
    private lazy var alarm = Alarm(core) { [unowned self] in finish(nil) }

    /// - Parameter timeout: seconds.
    init(_ core: NodeCore, timeout: Double) {
        self.core = core
        self.timeout = timeout
    }

    /// The summary, or `nil` when the time was over first; what was found until then counts.
    func run(_ begin: @escaping (DHTDriver.LookupHandler) -> LookupID) async -> LookupSummary? {
        await withCheckedContinuation { done in
            self.done = done
            core.turn {
                // A day is as good as for ever, and can be added to any time.
                alarm.set(core.now + .seconds(min(max(0, timeout), 86_400)))
                lookup = begin(handler)
            }
        }
    }

    /// What all halves counted; `nil` when none did.
    var scrape: DHTScrape? {
        let counted = scrapes.filter { $0.sources > 0 }
        guard !counted.isEmpty else { return nil }
        return DHTScrape(
            seeds: counted.reduce(0) { $0 + $1.seeds },
            peers: counted.reduce(0) { $0 + $1.peers },
            sources: counted.reduce(0) { $0 + $1.sources },
            refused: scrapes.reduce(0) { $0 + $1.refused }
        )
    }

    private var handler: DHTDriver.LookupHandler {
        var handler = DHTDriver.LookupHandler()
        handler.foundPeers = { [self] in
            peers += $0
            onPeers($0)
        }
        handler.scraped = { [self] in scrapes.append($0) }
        handler.sampled = { [self] in onSample($0) }
        handler.foundItem = { [self] in if $0.isNewer(than: item) { item = $0 } }
        handler.progressed = { [self] in answers = $0 }
        handler.finished = { [self] in finish($0) }
        handler.stopped = { [self] in finish(nil) }
        return handler
    }

    private func finish(_ summary: LookupSummary?) {
        guard let done else { return }
        self.done = nil
        alarm.set(nil)
        if let summary { answers = max(answers, summary.replies) }
        if summary == nil, let lookup { core.dht?.cancel(lookup) }
        done.resume(returning: summary)
    }
}
