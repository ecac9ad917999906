import CSQLite
import Glibc
import SQLite

extension ResumeStore {
    private static let schemaVersion: Int64 = 1

    /// SQLite would create it readable for everybody; and it must not be led to another file (hardening F4).
    static func createFile(_ path: String) throws(StorageError) {
        guard let file = Descriptor(Glibc.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o600))
        else { throw StorageError(errno: errno, path: path) }
        var status = stat()
        guard unsafe fstat(file.number, &status) == 0 else { throw StorageError(errno: errno, path: path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular(path: path) }
    }

    static func open(_ path: String) throws(DatabaseError) -> Database {
        let database = try Database(path: path)
        var version: Int64 = 0
        try database.run("PRAGMA user_version") { version = $0.integer(0) }
        guard version <= schemaVersion else {
            throw DatabaseError(code: SQLITE_MISMATCH, reason: "written by a later version")
        }
        // Readers and one writer beside each other. Refused while another process is at just this point: then it does it.
        do throws(DatabaseError) {
            try database.execute("PRAGMA journal_mode = WAL")
        } catch  where error.code & 0xff != SQLITE_BUSY {
            throw error
        } catch {}
        // A commit may be lost with the power, and its pieces are hashed again; the file stays whole.
        try database.execute("PRAGMA synchronous = NORMAL")
        if version < schemaVersion { try createTables(in: database) }
        return database
    }

    /// - Returns: what to tell the person.
    static func putAside(_ path: String, reason: String) throws(StorageError) -> String {
        // One is kept: the latest.
        let aside = path + ".damaged"
        guard rename(path, aside) == 0 || errno == ENOENT else { throw StorageError(errno: errno, path: path) }
        // They belong to the damaged file, and must not be played into a new one.
        unlink(path + "-wal")
        unlink(path + "-shm")
        return "\(path) is damaged (\(reason)) and was moved to \(aside); files on disk are checked again"
    }

    /// The metadata lies in a table of its own: rewriting a row rewrites all of it, and progress changes often.
    private static func createTables(in database: Database) throws(DatabaseError) {
        try database.transaction { () throws(DatabaseError) in
            try database.execute(
                """
                CREATE TABLE IF NOT EXISTS torrents (
                    info_hash BLOB PRIMARY KEY, name TEXT NOT NULL, root TEXT NOT NULL, info BLOB NOT NULL
                );
                CREATE TABLE IF NOT EXISTS progress (
                    info_hash BLOB PRIMARY KEY, verified BLOB NOT NULL, stamps BLOB NOT NULL, digest BLOB NOT NULL,
                    downloaded INTEGER NOT NULL, uploaded INTEGER NOT NULL, updated INTEGER NOT NULL
                );
                PRAGMA user_version = \(schemaVersion)
                """
            )
        }
    }
}
