package import Primitives
import SQLite

/// Torrents that a tracker serves alone, or not at all (hardening T12).
package enum TorrentList: String, Hashable, Sendable, CaseIterable {
    case allow
    case deny
}

extension TrackerStore {
    // MARK: Lists

    /// Replaces a list as a whole, where it differs.
    package func setList(_ list: TorrentList, to infoHashes: Set<InfoHash>) throws(StoreFault) {
        guard try self.list(list) != infoHashes else { return }
        try write { connection throws(StoreFault) in
            _ = try TrackerStore.nextChange(.lists, connection)
            try connection.run("DELETE FROM shoal_lists WHERE kind = $1", [.text(list.rawValue)])
            try connection.runEach(
                "INSERT INTO shoal_lists (kind, info_hash) VALUES ($1, $2)",
                infoHashes.map { [.text(list.rawValue), .blob($0.bytes)] }
            )
        }
    }

    package func list(_ list: TorrentList) throws(StoreFault) -> Set<InfoHash> {
        try read { connection throws(StoreFault) in
            var infoHashes: Set<InfoHash> = []
            try connection.run("SELECT info_hash FROM shoal_lists WHERE kind = $1", [.text(list.rawValue)]) { row in
                if let infoHash = InfoHash(row.blob(0)) { infoHashes.insert(infoHash) }
            }
            return infoHashes
        }
    }

    /// A number that rises whenever a list changes.
    package func listChange() throws(StoreFault) -> Int64 {
        try read { connection throws(StoreFault) in
            var number: Int64 = 0
            try connection.run("SELECT number FROM shoal_changes WHERE kind = $1", [.text(StoreChange.lists.rawValue)])
            {
                number = $0.integer(0)
            }
            return number
        }
    }

    // MARK: Downloads

    /// Adds to how often torrents were downloaded: several nodes count into one number.
    ///
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - most: torrents that are counted at all; those that were counted longest ago make room.
    package func addDownloads(_ counts: [InfoHash: Int64], now: Int64, most: Int) throws(StoreFault) {
        guard !counts.isEmpty else { return }
        let counts = counts.sorted { $0.key.value < $1.key.value }
        try write { connection throws(StoreFault) in
            try connection.runEach(
                """
                INSERT INTO shoal_downloads (info_hash, number, updated) VALUES ($1, $2, $3)
                ON CONFLICT (info_hash) DO UPDATE
                    SET number = shoal_downloads.number + excluded.number, updated = excluded.updated
                """,
                counts.map { [.blob($0.key.bytes), .integer($0.value), .integer(now)] }
            )
            try connection.run(
                """
                DELETE FROM shoal_downloads WHERE info_hash IN (
                    SELECT info_hash FROM shoal_downloads ORDER BY updated DESC, info_hash LIMIT 1000000 OFFSET $1)
                """,
                [.integer(Int64(most))]
            )
        }
    }

    /// How often torrents were downloaded, in the order of their info-hashes.
    ///
    /// - Parameter after: where the last page ended; `nil` for the first.
    package func downloads(
        after: InfoHash?,
        limit: Int
    ) throws(StoreFault) -> [(infoHash: InfoHash, count: Int64)] {
        try read { connection throws(StoreFault) in
            var counts: [(infoHash: InfoHash, count: Int64)] = []
            try connection.run(
                "SELECT info_hash, number FROM shoal_downloads WHERE info_hash > $1 ORDER BY info_hash LIMIT $2",
                [.blob(after?.bytes ?? []), .integer(Int64(limit))]
            ) { row in
                if let infoHash = InfoHash(row.blob(0)) { counts.append((infoHash, row.integer(1))) }
            }
            return counts
        }
    }
}
