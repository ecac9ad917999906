import SQLite
import TestSupport
import TrackerStore

typealias Database = DatabaseKind

extension TestDatabase {
    /// A store upon it: as many as there are tracker nodes.
    func open() throws -> TrackerStore { try TrackerStore(StoreURL(url)) }

    /// Changes the tables behind the stores' backs.
    func execute(_ statement: String) throws {
        if let path {
            try SQLite.Database(path: path).execute(statement)
        } else {
            try PostgresServer.shared().run("SET search_path = \(schema); \(statement)")
        }
    }
}
