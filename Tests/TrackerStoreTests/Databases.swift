import SQLite
import TestSupport
import Testing
import TrackerStore

/// Both kinds of database, as arguments of every test of what a store keeps.
enum Database: String, CaseIterable, CustomTestStringConvertible {
    case sqlite
    case postgres

    var testDescription: String { rawValue }

    /// Those that can be had here; that PostgreSQL can be is a test of its own.
    static let all: [Database] = allCases.filter { $0 == .sqlite || PostgresServer.programs != nil }
}

/// A database of one test, and stores upon it: as many as there are tracker nodes.
final class TestDatabase {
    let url: StoreURL
    private let folder: TemporaryFolder?

    init(_ kind: Database) throws {
        switch kind {
        case .sqlite:
            let folder = try TemporaryFolder()
            self.folder = folder
            url = try StoreURL("sqlite:" + folder.path("tracker.sqlite"))
        case .postgres:
            folder = nil
            url = try StoreURL(try PostgresServer.shared().makeURL())
        }
    }

    func open() throws -> TrackerStore { try TrackerStore(url) }

    /// Changes the tables behind the stores' backs.
    func execute(_ statement: String) throws {
        switch url {
        case .sqlite(let path): try SQLite.Database(path: path).execute(statement)
        case .postgres: try PostgresServer.shared().run("SET search_path = \(schema); \(statement)")
        }
    }

    /// Ends the connections of this test's stores, as a server that is started anew does.
    func endConnections() throws {
        try PostgresServer.shared().run(
            """
            SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = '\(schema)'
            """
        )
    }

    private var schema: String {
        guard case .postgres(let url) = url else { return "" }
        return url.split(separator: "%3D").last.map(String.init) ?? ""
    }
}
