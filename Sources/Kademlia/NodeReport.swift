package import Primitives

/// What a person may want to know of a node: where it stands, whom it knows, what it holds and what it has done.
package struct NodeReport: Sendable {
    package let id: NodeID
    package let family: AddressFamily
    /// How others see us; `nil` while too few have said so.
    package let externalAddress: IPAddress?
    /// Whether we answer the queries of others (BEP 43).
    package let isServing: Bool
    package let buckets: [BucketSummary]
    /// What answers take; `nil` before the first one.
    package let roundTrips: RoundTripSummary?
    /// Nodes in the whole network; `nil` while our lookups say too little.
    package let networkSize: Int?
    /// What others stored here.
    package let storedInfoHashes: Int
    package let storedPeers: Int
    package let storedItems: Int
    package let storedRecords: Int
    /// Nodes of our own kind that proved their key.
    package let overlayNodes: Int
    package let statistics: DHTStatistics
}

extension DHTNode {
    package var report: NodeReport {
        NodeReport(
            id: id,
            family: family,
            externalAddress: externalAddress,
            isServing: isServing,
            buckets: buckets,
            roundTrips: roundTrips.count > 0 ? roundTrips : nil,
            networkSize: networkSize,
            storedInfoHashes: storedInfoHashCount,
            storedPeers: peers.count,
            storedItems: storedItemCount,
            storedRecords: storedRecordCount,
            overlayNodes: kind.overlay.count,
            statistics: statistics
        )
    }
}

extension DualStackNode {
    /// One report for each half.
    package var reports: [NodeReport] { AddressFamily.allCases.compactMap { ask($0) { $0.report } } }
}

extension DHTStatistics {
    /// Queries of others that got what they asked for.
    package var queriesAnswered: Int {
        pingsAnswered + findNodesAnswered + getPeersAnswered + announcesAccepted + getsAnswered + putsAccepted
            + samplesAnswered + proofsAnswered + getHavesAnswered + putHavesAccepted
    }
}
