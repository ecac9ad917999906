import CSQLite

/// What SQLite says when a call fails.
package struct DatabaseError: Error, Hashable {
    package let code: Int32
    package let reason: String

    package init(code: Int32, reason: String) {
        self.code = code
        self.reason = reason
    }

    /// The file is no database, or a damaged one.
    package var isDamage: Bool { code & 0xff == SQLITE_CORRUPT || code & 0xff == SQLITE_NOTADB }

    /// Another process writes, and went on for longer than we wait.
    package var isBusy: Bool { code & 0xff == SQLITE_BUSY }
}

/// A value bound to a statement.
package enum DatabaseValue {
    case blob([UInt8])
    case text(String)
    case integer(Int64)
}

/// One connection to one SQLite file; belongs to one thread at a time.
package final class Database {
    private let connection: OpaquePointer
    /// Prepared once; as many as there are different texts in the target that uses it.
    private var statements: [String: OpaquePointer] = [:]

    /// Opens or creates the file.
    package init(path: String) throws(DatabaseError) {
        var connection: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let code = unsafe sqlite3_open_v2(path, &connection, flags, nil)
        guard let connection = unsafe connection else {
            throw DatabaseError(code: code, reason: "out of memory")
        }
        unsafe self.connection = connection
        guard code == SQLITE_OK else { throw failure(code) }
        unsafe sqlite3_extended_result_codes(connection, 1)
        // Another shoal may be writing; its transactions take milliseconds.
        unsafe sqlite3_busy_timeout(connection, 5000)
    }

    deinit {
        for statement in unsafe statements.values { unsafe sqlite3_finalize(statement) }
        unsafe sqlite3_close_v2(connection)
    }

    /// Runs statements that return nothing.
    package func execute(_ text: String) throws(DatabaseError) {
        let code = unsafe sqlite3_exec(connection, text, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code) }
    }

    /// Runs one statement, and hands each of its rows to `row`.
    package func run(
        _ text: String,
        _ values: [DatabaseValue] = [],
        row: (DatabaseRow) -> Void = { _ in }
    ) throws(DatabaseError) {
        let statement = try unsafe prepared(text)
        defer {
            unsafe sqlite3_reset(statement)
            unsafe sqlite3_clear_bindings(statement)
        }
        for (index, value) in values.enumerated() {
            let code = unsafe bind(value, to: statement, at: Int32(index + 1))
            guard code == SQLITE_OK else { throw failure(code) }
        }
        while true {
            switch unsafe sqlite3_step(statement) {
            case SQLITE_ROW: unsafe row(DatabaseRow(statement: statement))
            case SQLITE_DONE: return
            case let code: throw failure(code)
            }
        }
    }

    /// All of it or nothing.
    package func transaction(_ body: () throws(DatabaseError) -> Void) throws(DatabaseError) {
        try execute("BEGIN IMMEDIATE")
        do throws(DatabaseError) {
            try body()
            try execute("COMMIT")
        } catch {
            // SQLite may have rolled back itself, as on a full disk.
            try? execute("ROLLBACK")
            throw error
        }
    }

    private func prepared(_ text: String) throws(DatabaseError) -> OpaquePointer {
        if let statement = unsafe statements[text] { return unsafe statement }
        var statement: OpaquePointer?
        let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
        let code = unsafe sqlite3_prepare_v3(connection, text, -1, flags, &statement, nil)
        guard code == SQLITE_OK, let statement = unsafe statement else { throw failure(code) }
        unsafe statements[text] = statement
        return unsafe statement
    }

    private func bind(_ value: DatabaseValue, to statement: OpaquePointer, at index: Int32) -> Int32 {
        switch value {
        case .blob(let bytes):
            // Safe: SQLite copies before the call returns, as the shim asks it to.
            unsafe bytes.withUnsafeBytes {
                unsafe csqlite_bind_blob(statement, index, $0.baseAddress, UInt64($0.count))
            }
        case .text(let text):
            unsafe csqlite_bind_text(statement, index, text, UInt64(text.utf8.count))
        case .integer(let number):
            unsafe sqlite3_bind_int64(statement, index, number)
        }
    }

    private func failure(_ code: Int32) -> DatabaseError {
        // Safe: SQLite's message ends in NUL and is copied before the next call.
        DatabaseError(code: code, reason: unsafe sqlite3_errmsg(connection).map { unsafe String(cString: $0) } ?? "")
    }
}

/// The row that a running statement stands at; valid inside the closure that it is handed to.
package struct DatabaseRow {
    fileprivate let statement: OpaquePointer

    package func blob(_ column: Int32) -> [UInt8] {
        // Safe: SQLite's memory holds so many bytes until the next step, and they are copied.
        guard let base = unsafe sqlite3_column_blob(statement, column) else { return [] }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(statement, column))))
    }

    package func text(_ column: Int32) -> String { String(decoding: bytes(ofText: column), as: UTF8.self) }

    package func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(statement, column) }

    private func bytes(ofText column: Int32) -> [UInt8] {
        // Safe: as above; the call for the text comes first, because it may convert.
        guard let base = unsafe sqlite3_column_text(statement, column) else { return [] }
        return unsafe [UInt8](UnsafeBufferPointer(start: base, count: Int(sqlite3_column_bytes(statement, column))))
    }
}
