import EventLoop
import Primitives
import TrackerProtocol
import TrackerStore

/// Takes up what a former run wrote down, a page at a time: a tracker with a million swarms must not hold them twice.
struct SwarmRestorer {
    private static let page = 2000

    let core: TrackerCore

    func restore() async throws(StoreFault) {
        try await restoreSwarms()
        try await restoreDownloads()
    }

    private func restoreSwarms() async throws(StoreFault) {
        let node = core.identity
        var last: InfoHash?
        while true {
            let after = last
            let swarms = try await core.ask { (store) throws(StoreFault) in
                try store.swarms(of: node, after: after, limit: SwarmRestorer.page)
            }
            core.restore(swarms, isForeign: false)
            guard let end = swarms.last, swarms.count == SwarmRestorer.page else { return }
            last = end.infoHash
        }
    }

    private func restoreDownloads() async throws(StoreFault) {
        var last: InfoHash?
        while true {
            let after = last
            let counts = try await core.ask { (store) throws(StoreFault) in
                try store.downloads(after: after, limit: SwarmRestorer.page).map { Count($0.infoHash, $0.count) }
            }
            for count in counts { core.registry.restore(downloads: count.number, of: count.infoHash) }
            guard let end = counts.last, counts.count == SwarmRestorer.page else { return }
            last = end.infoHash
        }
    }

    private struct Count: Sendable {
        let infoHash: InfoHash
        let number: Int64

        init(_ infoHash: InfoHash, _ number: Int64) {
            self.infoHash = infoHash
            self.number = number
        }
    }
}

extension TrackerCore {
    /// - Parameter isForeign: whether another node wrote them down.
    func restore(_ swarms: [SavedSwarm], isForeign: Bool) {
        let today = SystemClock.secondsSinceEpoch
        for swarm in swarms {
            let bytes = swarm.peers
            registry.restore(
                bytes.span.bytes,
                of: swarm.infoHash,
                writtenAgo: .seconds(max(0, today - swarm.saved)),
                isForeign: isForeign,
                at: now
            )
        }
    }
}
