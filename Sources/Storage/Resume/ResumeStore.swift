import CSQLite
import Glibc
package import Primitives
import SQLite
import Synchronization

/// Torrents and their verified pieces between runs: `state.sqlite` in the state folder.
///
/// Every call does file work and belongs on a disk worker. Several processes may share one folder.
package final class ResumeStore: Sendable {
    private struct State {
        var database: Database?
        var notices: [String] = []
    }

    package let path: String
    private let state = Mutex(State())

    /// Opens the store, creating the folder (0700) and the file (0600) as needed.
    package init(folder: String) throws(StorageError) {
        path = (folder.hasSuffix("/") ? String(folder.dropLast()) : folder) + "/state.sqlite"
        try PrivateFolder.create(folder)
        try perform { _ throws(DatabaseError) in }
    }

    /// What the person should be told, once: that a damaged database was put aside.
    package func takeNotices() -> [String] {
        state.withLock { state in
            defer { state.notices = [] }
            return state.notices
        }
    }

    /// Remembers a torrent, or what was learnt about it; its verified pieces stay as they are.
    package func add(_ record: ResumeRecord) throws(StorageError) {
        try perform { database throws(DatabaseError) in
            try database.run(
                """
                INSERT INTO torrents (info_hash, name, root, info) VALUES (?, ?, ?, ?)
                ON CONFLICT (info_hash) DO UPDATE SET name = excluded.name, root = excluded.root, info = excluded.info
                """,
                [.blob(record.infoHash.bytes), .text(record.name), .text(record.root), .blob(record.info)]
            )
        }
    }

    /// Remembers which pieces are verified, after making them durable.
    ///
    /// - Parameters:
    ///   - verified: pieces whose writing had ended before this call.
    ///   - files: is synchronized first: after a loss of power no piece is on record that is not on disk.
    package func record(
        _ infoHash: InfoHash,
        verified: Bitfield,
        in files: FileSet,
        downloaded: Int64,
        uploaded: Int64
    ) throws(StorageError) {
        let progress = ResumeProgress(verified: verified, stamps: try files.synchronize())
        let now = Int64(time(nil))
        try perform { database throws(DatabaseError) in
            try database.run(
                """
                INSERT OR REPLACE INTO progress (info_hash, verified, stamps, digest, downloaded, uploaded, updated)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    .blob(infoHash.bytes), .blob(progress.pieces), .blob(progress.stamps), .blob(progress.digest),
                    .integer(downloaded), .integer(uploaded), .integer(now),
                ]
            )
        }
    }

    /// Keeps the torrent and forgets its verified pieces: it is complete, and the next run looks at every byte again.
    package func forgetProgress(of infoHash: InfoHash) throws(StorageError) {
        try perform { database throws(DatabaseError) in
            try database.run("DELETE FROM progress WHERE info_hash = ?", [.blob(infoHash.bytes)])
        }
    }

    package func load(_ infoHash: InfoHash) throws(StorageError) -> ResumeRecord? {
        try select("WHERE t.info_hash = ?", [.blob(infoHash.bytes)]).first
    }

    /// All torrents, in the order of their info-hashes.
    package func allTorrents() throws(StorageError) -> [ResumeRecord] {
        try select("ORDER BY t.info_hash", [])
    }

    package func remove(_ infoHash: InfoHash) throws(StorageError) {
        try perform { database throws(DatabaseError) in
            try database.transaction { () throws(DatabaseError) in
                try database.run("DELETE FROM torrents WHERE info_hash = ?", [.blob(infoHash.bytes)])
                try database.run("DELETE FROM progress WHERE info_hash = ?", [.blob(infoHash.bytes)])
            }
        }
    }

    /// Closes the database; the next call opens it again.
    package func close() { state.withLock { $0.database = nil } }

    private func select(_ clause: String, _ values: [DatabaseValue]) throws(StorageError) -> [ResumeRecord] {
        try perform { database throws(DatabaseError) in
            var records: [ResumeRecord] = []
            let columns = "t.info_hash, t.name, t.root, t.info, p.verified, p.stamps, p.digest"
            try database.run(
                """
                SELECT \(columns), p.downloaded, p.uploaded, p.updated
                FROM torrents t LEFT JOIN progress p ON p.info_hash = t.info_hash \(clause)
                """,
                values
            ) { row in
                guard let infoHash = InfoHash(row.blob(0)) else { return }
                var record = ResumeRecord(infoHash: infoHash, name: row.text(1), root: row.text(2), info: row.blob(3))
                record.progress = ResumeProgress(pieces: row.blob(4), stamps: row.blob(5), digest: row.blob(6))
                record.downloaded = row.integer(7)
                record.uploaded = row.integer(8)
                record.updated = row.integer(9)
                records.append(record)
            }
            return records
        }
    }

    /// Runs `body` on the open database; a damaged one is put aside, and `body` runs on a new one.
    ///
    /// Nothing that a person made is in it: pieces are on disk, and are found by hashing (hardening F11).
    private func perform<Value: Sendable>(
        _ body: @Sendable (Database) throws(DatabaseError) -> Value
    ) throws(StorageError) -> Value {
        try state.withLock { state throws(StorageError) in
            let first = try ResumeStore.attempt(&state, path, body)
            guard case .failure(let damage) = first else { return try meaning(first) }
            state.database = nil
            guard damage.isDamage else { return try meaning(first) }
            state.notices.append(try ResumeStore.putAside(path, reason: damage.reason))
            return try meaning(ResumeStore.attempt(&state, path, body))
        }
    }

    private static func attempt<Value: Sendable>(
        _ state: inout State,
        _ path: String,
        _ body: @Sendable (Database) throws(DatabaseError) -> Value
    ) throws(StorageError) -> Result<Value, DatabaseError> {
        if state.database == nil { try createFile(path) }
        do throws(DatabaseError) {
            let database: Database
            if let known = state.database { database = known } else { database = try open(path) }
            state.database = database
            return .success(try body(database))
        } catch {
            return .failure(error)
        }
    }

    private func meaning<Value>(_ result: Result<Value, DatabaseError>) throws(StorageError) -> Value {
        do throws(DatabaseError) {
            return try result.get()
        } catch {
            throw switch error.code & 0xff {
            case SQLITE_FULL: .noSpace(path: path)
            case SQLITE_READONLY: .readOnly(path: path)
            case SQLITE_PERM, SQLITE_CANTOPEN, SQLITE_AUTH: .permission(path: path)
            case SQLITE_MISMATCH: .newerState(path: path)
            default: .database(path: path, reason: error.reason)
            }
        }
    }
}
