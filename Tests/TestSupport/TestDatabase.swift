import Testing

/// The two kinds of database, as arguments of every test of what a tracker keeps.
package enum DatabaseKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite
    case postgres

    package var testDescription: String { rawValue }

    /// Those that can be had here; that PostgreSQL can be is a test of its own.
    package static let all: [DatabaseKind] = allCases.filter { $0 == .sqlite || PostgresServer.programs != nil }
}

/// A database of one test, removed with it.
package final class TestDatabase: Sendable {
    /// As `--db` takes it.
    package let url: String
    private let folder: TemporaryFolder?

    package init(_ kind: DatabaseKind) throws {
        switch kind {
        case .sqlite:
            let folder = try TemporaryFolder(isInMemory: true)
            self.folder = folder
            url = "sqlite:" + folder.path("tracker.sqlite")
        case .postgres:
            folder = nil
            url = try PostgresServer.shared().makeURL()
        }
    }

    /// The file of a SQLite database.
    package var path: String? { folder?.path("tracker.sqlite") }

    /// The schema of a PostgreSQL database, which its connections are called by too.
    package var schema: String { url.split(separator: "%3D").last.map(String.init) ?? "" }

    /// Ends the connections to it, as a PostgreSQL server that is started anew does.
    package func endConnections() throws {
        try PostgresServer.shared().run(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = '\(schema)'"
        )
    }
}
