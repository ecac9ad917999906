import Metainfo
import Primitives
import Swarming

/// A swarm in which two pieces are held by one peer each, and all others by a tenth of the peers: what records are worth.
package struct RecordExperiment {
    package struct Plan: Hashable, Sendable {
        package var peers = 200
        package var pieces = 2000
        package var rarePieces = 2
        /// How much of the torrent each peer holds at the beginning.
        package var share = 0.1
        /// Of the peers, so many want what they lack; the others only give. A lone one begins with nothing.
        package var fetchers = 200
        package var pieceLength = 64 << 10
        /// Bytes a second that each peer sends.
        package var upRate = 128_000
        /// Of the peers, so many lie in their records; the holders of the rare pieces do not.
        package var liars = 0.0
        package var lie = Lie.everything
        package var meeting = SwarmMeeting()
        package var limit = Duration.seconds(4 * 3600)
        package var seed: UInt64 = 1

        package init() {}
    }

    package enum Lie: String, Hashable, Sendable, CaseIterable {
        /// They say that they hold every piece.
        case everything
        /// They say that they hold the rare pieces besides what they hold.
        case rare
    }

    package struct Result: Hashable, Sendable {
        /// When each fetcher had everything, in order; those that never had are not here.
        package var times: [Duration]
        package var fetchers: Int
        /// The time that all uplinks together need for what is missing, if none ever pauses.
        package var bound: Duration
        package var outcome: SwarmSimulation.Outcome
    }

    package static func run(_ plan: Plan) -> Result {
        let layout = PieceLayout(
            totalSize: Int64(plan.pieces * plan.pieceLength),
            pieceLength: plan.pieceLength
        )
        let nodes = nodes(of: plan, layout)
        var simulation = SwarmSimulation(layout: layout, nodes: nodes, meeting: plan.meeting, seed: plan.seed)
        let outcome = simulation.run(for: plan.limit)
        let fetching = nodes.indices.filter { nodes[$0].isFetching }
        let missing = fetching.reduce(0) { $0 + plan.pieces - nodes[$1].have.setCount }
        let bytes = Double(missing) * Double(plan.pieceLength)
        return Result(
            times: fetching.compactMap { outcome.completedAt[$0] }.sorted(),
            fetchers: fetching.count,
            bound: .seconds(bytes / Double(plan.upRate) / Double(plan.peers)),
            outcome: outcome
        )
    }

    private static func nodes(of plan: Plan, _ layout: PieceLayout) -> [SwarmSimulation.Node] {
        var random = SeededRandom(seed: ~plan.seed)
        let rare = Array(Array(0..<plan.pieces).shuffled(using: &random).prefix(plan.rarePieces))
        // The fetchers are the first; a rare piece may be anywhere but with a lone one.
        let holders = Array((plan.fetchers == 1 ? 1 : 0)..<plan.peers).shuffled(using: &random).prefix(rare.count)
        let honest = Set(holders)
        let others = (0..<plan.peers).filter { !honest.contains($0) && (plan.fetchers > 1 || $0 > 0) }
        let liars = Set(others.shuffled(using: &random).prefix(Int(plan.liars * Double(plan.peers))))
        var nodes: [SwarmSimulation.Node] = []
        for index in 0..<plan.peers {
            var have = Bitfield(count: plan.pieces)
            if plan.fetchers > 1 || index > 0 {
                for piece in 0..<plan.pieces where Double.random(in: 0..<1, using: &random) < plan.share {
                    have[piece] = true
                }
            }
            for piece in rare { have[piece] = false }
            let lie: SwarmSimulation.Pretence = plan.lie == .everything ? .everything : .pieces(rare)
            nodes.append(
                SwarmSimulation.Node(
                    have: have,
                    upRate: plan.upRate,
                    latency: .milliseconds(Int.random(in: 5...60, using: &random)),
                    isFetching: index < plan.fetchers,
                    pretence: liars.contains(index) ? lie : .none
                )
            )
        }
        for (piece, holder) in zip(rare, holders) { nodes[holder].have[piece] = true }
        for piece in 0..<plan.pieces where !rare.contains(piece) { spread(piece, among: &nodes, using: &random) }
        return nodes
    }

    /// A small swarm would have more rare pieces than are meant, or lack some: each of the others is to have three holders.
    private static func spread(
        _ piece: Int,
        among nodes: inout [SwarmSimulation.Node],
        using random: inout SeededRandom
    ) {
        while nodes.count(where: { $0.have[piece] }) < min(3, nodes.count / 2) {
            let index = Int.random(in: nodes.indices, using: &random)
            if !nodes[index].have.isEmpty { nodes[index].have[piece] = true }
        }
    }
}
