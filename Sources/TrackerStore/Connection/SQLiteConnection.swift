import Glibc
import SQLite

/// A SQLite file; readers and one writer beside each other.
final class SQLiteConnection: StoreConnection {
    let dialect = StoreDialect.sqlite
    let place: String
    let isLost = false
    private let database: Database

    /// - Parameter creates: makes the file where there is none; otherwise its absence is an error, for a person who
    ///   mistypes a path must not be told that there are no accounts.
    init(path: String, creates: Bool) throws(StoreFault) {
        place = "sqlite:" + path
        // A database without a file, for tests and for a tracker that keeps nothing.
        if path != ":memory:" { try SQLiteConnection.prepareFile(path, place: place, creates: creates) }
        do throws(DatabaseError) {
            let database = try Database(path: path)
            // Refused while another process is at just this point: then it does it.
            do throws(DatabaseError) {
                try database.execute("PRAGMA journal_mode = WAL")
            } catch  where !error.isBusy {
                throw error
            } catch {}
            // An account that was confirmed outlives a loss of power: the log is synchronized at each commit.
            try database.execute("PRAGMA synchronous = FULL")
            self.database = database
        } catch {
            throw StoreFault(error, place: place)
        }
    }

    /// SQLite would create it readable for everybody; and it must not be led to another file (hardening F4).
    ///
    /// A file that is there is looked at and not opened: closing it would take away the locks that another connection of
    /// this process has on it (fcntl(2)), and SQLite relies on those.
    private static func prepareFile(_ path: String, place: String, creates: Bool) throws(StoreFault) {
        if creates {
            let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            if descriptor >= 0 {
                close(descriptor)
                return
            }
            guard errno == EEXIST else { throw fault(errno, place: place) }
        }
        var status = stat()
        guard lstat(path, &status) == 0 else { throw fault(errno, place: place) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFLNK: throw .failed(place: place, reason: "it is a symbolic link")
        case S_IFDIR: throw .failed(place: place, reason: "it is a folder")
        default: throw .failed(place: place, reason: "it is not a regular file")
        }
        guard access(path, R_OK | W_OK) == 0 else { throw fault(errno, place: place) }
    }

    private static func fault(_ code: Int32, place: String) -> StoreFault {
        switch code {
        case ENOENT, ENOTDIR: .missing(place: place)
        case EACCES, EPERM: .failed(place: place, reason: "permission denied")
        case EROFS: .failed(place: place, reason: "the file system is read-only")
        case ENOSPC, EDQUOT: .failed(place: place, reason: "no space is left on the device")
        default: .failed(place: place, reason: "opening it failed (error \(code))")
        }
    }

    func run(_ text: String, _ values: [DatabaseValue], row: (any StoreRow) -> Void) throws(StoreFault) {
        do throws(DatabaseError) {
            try database.run(text, values) { row($0) }
        } catch {
            throw StoreFault(error, place: place)
        }
    }

    func runEach(_ text: String, _ rows: [[DatabaseValue]]) throws(StoreFault) {
        for values in rows { try run(text, values) }
    }
}

extension DatabaseRow: StoreRow {}

extension StoreFault {
    fileprivate init(_ error: DatabaseError, place: String) {
        self =
            if error.isDamage {
                .damaged(place: place, reason: error.reason)
            } else if error.isBusy {
                .conflict(place: place)
            } else {
                .failed(place: place, reason: error.reason)
            }
    }
}
