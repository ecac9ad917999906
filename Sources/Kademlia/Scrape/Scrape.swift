import Primitives

/// How many seeds and peers a swarm has, as the DHT knows it (BEP 33).
package struct ScrapeSummary: Hashable, Sendable {
    /// Addresses that are complete, and those that are not: estimates.
    package var seeds: Double
    package var peers: Double
    /// Nodes whose filters or peers were counted.
    package var sources: Int
    /// Nodes whose filters were left out as implausible.
    package var refused: Int
}

/// The filters that one lookup gathered.
///
/// A union believes the most talkative: a single node that sets every bit makes thousands of seeds. So filters beyond
/// what an honest node keeps are not taken, and of several those are left out that claim far more than the middle one.
struct Scrape: Sendable {
    private struct Filters: Sendable {
        let seeds: ScrapeFilter
        let peers: ScrapeFilter
        let size: Double
    }

    @SharedLimits private var limits: DHTLimits
    private var filters: [Filters] = []
    /// What nodes without filters named: peers of which nobody knows whether they are complete.
    private var named: Set<IPAddress> = []
    private var namers = 0
    private var refused = 0

    init(limits: SharedLimits) { _limits = limits }

    /// Takes the filters of one node, or the peers that it names instead.
    mutating func take(_ body: MessageBody, _ peers: [Endpoint], in datagram: RawSpan) {
        if let seedFilter = body.seedFilter.flatMap({ ScrapeFilter(datagram.extracting($0)) }),
            let peerFilter = body.peerFilter.flatMap({ ScrapeFilter(datagram.extracting($0)) })
        {
            add(seeds: seedFilter, peers: peerFilter)
        } else {
            add(named: peers)
        }
    }

    /// Takes the filters of one node.
    mutating func add(seeds: ScrapeFilter, peers: ScrapeFilter) {
        let size = max(seeds.estimate, peers.estimate)
        guard size <= Double(limits.scrapeEntries), filters.count < limits.filtersPerScrape else {
            refused += 1
            return
        }
        filters.append(Filters(seeds: seeds, peers: peers, size: size))
    }

    /// Takes the peers of one node that sent no filters (BEP 33, "legacy responses").
    mutating func add(named peers: [Endpoint]) {
        guard !peers.isEmpty else { return }
        namers += 1
        for peer in peers where named.count < limits.valuesPerLookup { named.insert(peer.address) }
    }

    var summary: ScrapeSummary {
        var seeds = ScrapeFilter()
        var peers = ScrapeFilter()
        let plausible = plausibleFilters
        for filter in plausible {
            seeds.formUnion(filter.seeds)
            peers.formUnion(filter.peers)
        }
        for address in named where !seeds.mayContain(address) { peers.insert(address) }
        return ScrapeSummary(
            seeds: seeds.estimate,
            peers: peers.estimate,
            sources: plausible.count + namers,
            refused: refused + filters.count - plausible.count
        )
    }

    private var plausibleFilters: [Filters] {
        guard filters.count >= 3 else { return filters }
        let middle = filters.map(\.size).sorted()[filters.count / 2]
        let most = max(middle, 1) * Double(limits.scrapeSpread)
        return filters.filter { $0.size <= most }
    }
}
