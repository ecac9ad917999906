package import SQLite

/// One open database, of either kind: statements with bound values, rows, and nothing else.
///
/// The statements of `TrackerStore` are the same for both kinds. Their parameters are `$1`, `$2`, ... in the order of their
/// first appearance, which is how SQLite counts names, and values are always bound: nothing that a stranger sends is
/// ever part of a statement.
package protocol StoreConnection: AnyObject {
    var dialect: StoreDialect { get }

    /// The URL without its password, for messages.
    var place: String { get }

    /// The server is gone: every statement from here on fails, and a new connection is needed.
    var isLost: Bool { get }

    /// Runs one statement, and hands each of its rows to `row`.
    func run(_ text: String, _ values: [DatabaseValue], row: (any StoreRow) -> Void) throws(StoreFault)

    /// Runs one statement many times, for as many lists of values, without waiting for each answer.
    func runEach(_ text: String, _ rows: [[DatabaseValue]]) throws(StoreFault)
}

extension StoreConnection {
    func run(_ text: String, _ values: [DatabaseValue] = []) throws(StoreFault) {
        try run(text, values) { _ in }
    }

    /// The rest of a transaction that has begun: all of it or nothing.
    func commit<Value>(_ body: () throws(StoreFault) -> Value) throws(StoreFault) -> Value {
        do throws(StoreFault) {
            let value = try body()
            try run("COMMIT")
            return value
        } catch {
            // The database may have rolled back itself, or be gone.
            try? run("ROLLBACK")
            throw error
        }
    }
}

/// A row that a statement stands at; valid inside the closure that it is handed to.
package protocol StoreRow {
    func blob(_ column: Int32) -> [UInt8]
    func text(_ column: Int32) -> String
    func integer(_ column: Int32) -> Int64
}

/// The few words in which the two databases differ.
package struct StoreDialect: Hashable, Sendable {
    /// Text that is compared byte by byte: an order of names that depends on a server's language would differ between
    /// the two databases, and between two servers.
    let textType: String
    /// SQLite's plain BEGIN would find out only at the first write that somebody else writes.
    let begin: String
    /// Keeps others from making tables at the same time, up to the end of the transaction.
    let lockTables: String?

    static let sqlite = StoreDialect(textType: "TEXT", begin: "BEGIN IMMEDIATE", lockTables: nil)
    static let postgres = StoreDialect(
        textType: "TEXT COLLATE \"C\"",
        begin: "BEGIN",
        // The number is "shoal" in ASCII: all that must hold is that others use another.
        lockTables: "SELECT pg_advisory_xact_lock(495840257388)"
    )
}
