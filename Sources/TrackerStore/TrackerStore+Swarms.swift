package import Primitives
import SQLite

extension TrackerStore {
    // MARK: Swarms

    /// Writes down swarms of a node, and removes those without peers.
    package func saveSwarms(_ swarms: [SavedSwarm], of node: String) throws(StoreFault) {
        guard !swarms.isEmpty else { return }
        // In one order on every node: two that wait for each other's rows would both begin anew.
        let swarms = swarms.sorted { $0.infoHash.value < $1.infoHash.value }
        try write { connection throws(StoreFault) in
            let change = try TrackerStore.nextChange(.swarms, connection)
            try connection.runEach(
                "DELETE FROM shoal_swarms WHERE node = $1 AND info_hash = $2",
                swarms.filter(\.peers.isEmpty).map { [.text(node), .blob($0.infoHash.bytes)] }
            )
            try connection.runEach(
                """
                INSERT INTO shoal_swarms (node, info_hash, peers, saved, change) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (node, info_hash) DO UPDATE
                    SET peers = excluded.peers, saved = excluded.saved, change = excluded.change
                """,
                swarms.filter { !$0.peers.isEmpty }.map {
                    [.text(node), .blob($0.infoHash.bytes), .blob($0.peers), .integer($0.saved), .integer(change)]
                }
            )
        }
    }

    /// Swarms that a node saved, in the order of their info-hashes.
    ///
    /// - Parameter after: where the last page ended; `nil` for the first.
    package func swarms(of node: String, after: InfoHash?, limit: Int) throws(StoreFault) -> [SavedSwarm] {
        try swarms(
            where: "node = $1 AND info_hash > $2 ORDER BY info_hash LIMIT $3",
            [.text(node), .blob(after?.bytes ?? []), .integer(Int64(limit))]
        ).map(\.swarm)
    }

    /// Swarms that other nodes saved since the last look.
    ///
    /// - Parameters:
    ///   - change: what the last look returned; -1 at first.
    ///   - since: seconds since 1970; older ones are left out.
    ///   - limit: rows at most.
    /// - Returns: the swarms, and what to say next time. A save of more than `limit` swarms loses the rest of them to this
    ///   reader until they are saved again: they are hints, and peers announce to every node anyway.
    package func swarmsOfOthers(
        than node: String,
        after change: Int64,
        since: Int64,
        limit: Int
    ) throws(StoreFault) -> (swarms: [SavedSwarm], change: Int64) {
        let rows = try swarms(
            where: "node <> $1 AND change > $2 AND saved >= $3 ORDER BY change LIMIT $4",
            [.text(node), .integer(change), .integer(since), .integer(Int64(limit))]
        )
        return (rows.map(\.swarm), rows.last?.change ?? change)
    }

    private func swarms(
        where clause: String,
        _ values: [DatabaseValue]
    ) throws(StoreFault) -> [(swarm: SavedSwarm, change: Int64)] {
        try read { connection throws(StoreFault) in
            var swarms: [(swarm: SavedSwarm, change: Int64)] = []
            try connection.run(
                "SELECT info_hash, peers, saved, change FROM shoal_swarms WHERE \(clause)",
                values
            ) { row in
                guard let infoHash = InfoHash(row.blob(0)) else { return }
                let swarm = SavedSwarm(infoHash: infoHash, peers: row.blob(1), saved: row.integer(2))
                swarms.append((swarm, row.integer(3)))
            }
            return swarms
        }
    }

    // MARK: Nodes

    /// Says that a node is there, and forgets nodes and swarms of which nothing was heard for long.
    ///
    /// - Parameter forgetting: seconds since 1970: what was last heard of before is removed.
    package func publishNode(_ node: TrackerPeerNode, forgetting: Int64) throws(StoreFault) {
        try write { connection throws(StoreFault) in
            try connection.run(
                """
                INSERT INTO shoal_nodes (id, url, seen) VALUES ($1, $2, $3)
                ON CONFLICT (id) DO UPDATE SET url = excluded.url, seen = excluded.seen
                """,
                [.text(node.id), .text(node.url), .integer(node.seen)]
            )
            try connection.run("DELETE FROM shoal_nodes WHERE seen < $1", [.integer(forgetting)])
            try connection.run("DELETE FROM shoal_swarms WHERE saved < $1", [.integer(forgetting)])
        }
    }

    /// A node that stops takes its address back; its swarms stay for its next start.
    package func withdrawNode(_ id: String) throws(StoreFault) {
        try write { connection throws(StoreFault) in
            try connection.run("DELETE FROM shoal_nodes WHERE id = $1", [.text(id)])
        }
    }

    /// Nodes that were there lately, at most 64, the latest first.
    ///
    /// - Parameter since: seconds since 1970.
    package func nodes(since: Int64) throws(StoreFault) -> [TrackerPeerNode] {
        try read { connection throws(StoreFault) in
            var nodes: [TrackerPeerNode] = []
            try connection.run(
                "SELECT id, url, seen FROM shoal_nodes WHERE seen >= $1 ORDER BY seen DESC, id LIMIT 64",
                [.integer(since)]
            ) { nodes.append(TrackerPeerNode(id: $0.text(0), url: $0.text(1), seen: $0.integer(2))) }
            return nodes
        }
    }
}
