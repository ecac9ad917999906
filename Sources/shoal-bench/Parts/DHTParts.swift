import Kademlia
import Primitives

/// What a node does for each query of others, its limits included.
enum DHTParts {
    /// Different queries, so that no answer is always in the nearest cache.
    private static let variety = 256

    static func measured() throws(BenchError) -> [Measurement] {
        var responder = try Responder(nodes: 20_000)
        let stored = responder.names(16)
        for name in stored { try responder.store(peers: 60, under: name) }
        let unknown = responder.names(variety)
        let held = (0..<variety).map { stored[$0 % stored.count] }
        return [
            try answering("ping", responder.queries("4:ping", unknown), \.pingsAnswered, &responder),
            try answering("find_node", responder.queries("9:find_node", unknown), \.findNodesAnswered, &responder),
            try answering(
                "get_peers, nothing stored",
                responder.queries("9:get_peers", unknown),
                \.getPeersAnswered,
                &responder
            ),
            try answering(
                "get_peers, 60 peers stored",
                responder.queries("9:get_peers", held),
                \.getPeersAnswered,
                &responder
            ),
        ]
    }

    private static func answering(
        _ name: String,
        _ queries: [Responder.Query],
        _ count: (DHTStatistics) -> Int,
        _ responder: inout Responder
    ) throws(BenchError) -> Measurement {
        let before = count(responder.node.statistics)
        let rounds = 100
        let measurement = try Measurement.of(name, operations: queries.count, rounds: rounds, on: &responder) {
            for query in queries { $0.answer(query) }
        }
        let answered = count(responder.node.statistics) - before
        guard answered == (rounds + 2) * queries.count else {
            throw .failed("\(answered) of \((rounds + 2) * queries.count) DHT queries were answered")
        }
        return measurement
    }
}
