/// Why the database did not do what it was asked; each message says what, why and what to do.
///
/// None of them has a password: `place` is the URL without it, and the words of the libraries are looked through.
package enum StoreFault: Error, Hashable, Sendable {
    /// The URL begins with something else than the two kinds that there are.
    case unknownScheme(String)
    /// The URL cannot be read; it is not repeated, for it may hold a password.
    case malformedURL
    /// libpq is not there.
    case notInstalled
    /// A file that was to be there, or a folder for it, is not.
    case missing(place: String)
    case unreachable(place: String, reason: String)
    /// The server is there and does not let us in.
    case refused(place: String, reason: String)
    case newer(place: String, version: Int64)
    /// The file is no database, or a damaged one.
    case damaged(place: String, reason: String)
    case failed(place: String, reason: String)
    /// Two nodes wanted the same rows in opposite order, and this one was told to begin anew.
    case conflict(place: String)
    /// Too much waits for the database already.
    case busy

    package var message: String {
        switch self {
        case .unknownScheme(let scheme):
            "no database is called by '\(scheme)'; use --db sqlite:PATH or --db postgres://USER@HOST/DATABASE"
        case .malformedURL:
            "the URL of the database cannot be read; use postgres://USER@HOST:PORT/DATABASE, "
                + "or postgres:///DATABASE?host=/FOLDER for a socket"
        case .notInstalled: "PostgreSQL's library libpq is not installed (Debian's package libpq5)"
        case .missing(let place):
            "\(place) does not exist; correct the path, or start a tracker with it first"
        case .unreachable(let place, let reason):
            "cannot reach the database \(place): \(reason); start PostgreSQL there, or correct the address"
        case .refused(let place, let reason):
            "the database \(place) refused us: \(reason); "
                + "check its user and name, the password (PGPASSFILE keeps it), and pg_hba.conf"
        case .newer(let place, let version):
            "the tables in \(place) were made by a later version of shoal (\(version)); "
                + "use that version, or another database"
        case .damaged(let place, let reason):
            "\(place) is damaged (\(reason)); put a copy of it in its place, or move it away to begin anew"
        case .failed(let place, let reason):
            "the database \(place) failed: \(reason); mend that and try again"
        case .conflict(let place):
            "the database \(place) is too busy; try again"
        case .busy:
            "too much waits for the database; try again in a few seconds"
        }
    }

    var isConflict: Bool {
        if case .conflict = self { true } else { false }
    }
}
