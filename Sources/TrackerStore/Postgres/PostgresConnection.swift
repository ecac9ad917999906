import CLibpq
import SQLite

/// One connection to a PostgreSQL server through libpq; belongs to one thread at a time.
///
/// Values and rows travel in their binary form. Statements are not prepared by name: a proxy between (PgBouncer) may give
/// each transaction to another server process, and none of them runs once an announce.
final class PostgresConnection: StoreConnection {
    let dialect = StoreDialect.postgres
    var place: String { address.place }
    private let address: PostgresAddress
    private let connection: OpaquePointer
    /// A batch ended in the middle: what the server answers next belongs to nobody knows what.
    private var isOutOfStep = false

    /// As many answers as fit the socket's buffers many times over: then neither side waits for the other to read.
    private static let batchSize = 128

    /// What libpq does unless the URL says otherwise: a server that is not there must not hold up whoever asks for longer.
    private static let defaults = [
        "connect_timeout": "5", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3",
        "tcp_user_timeout": "20000", "fallback_application_name": "shoal",
    ]

    init(url: String) throws(StoreFault) {
        let address = try PostgresAddress(url: url)
        self.address = address
        // The order decides: what stands behind the URL cannot be changed by it.
        let settings =
            PostgresConnection.defaults.map { ($0.key, $0.value) }
            + [("dbname", url), ("client_encoding", "UTF8")]
        guard let connection = unsafe PostgresConnection.connect(settings) else {
            throw .unreachable(place: address.place, reason: "out of memory")
        }
        unsafe self.connection = connection
        guard unsafe PQstatus(connection) == CONNECTION_OK else { throw openingFault() }
        // The notices of the server ("table exists, skipping") would go to standard error.
        unsafe _ = PQsetNoticeProcessor(connection, { _, _ in }, nil)
        // A statement that waits for somebody's lock must not hold up all others behind it for ever.
        try run("SET statement_timeout = '30s'", []) { _ in }
    }

    deinit { unsafe PQfinish(connection) }

    var isLost: Bool { unsafe isOutOfStep || PQstatus(connection) != CONNECTION_OK }

    private static func connect(_ settings: [(String, String)]) -> OpaquePointer? {
        // Safe: copies that end in NUL, in lists that end with nil, all freed after the call, which copies them again.
        let keywords = unsafe settings.map { unsafe UnsafePointer(strdup($0.0)) } + [nil]
        let values = unsafe settings.map { unsafe UnsafePointer(strdup($0.1)) } + [nil]
        defer {
            for copy in unsafe keywords + values { unsafe free(UnsafeMutablePointer(mutating: copy)) }
        }
        return unsafe PQconnectdbParams(keywords, values, 1)
    }

    /// A server that answers has refused us; one that does not is not reached.
    private func openingFault() -> StoreFault {
        let text = message
        let reason = address.publicText(text)
        let isRefusal = text.contains("FATAL:") || text.contains("fe_sendauth")
        // A server that is starting, stopping or full says so, and will have us later.
        let isPassing = ["starting up", "shutting down", "too many", "recovery"].contains { text.contains($0) }
        return isRefusal && !isPassing
            ? .refused(place: place, reason: reason) : .unreachable(place: place, reason: reason)
    }

    private var message: String {
        // Safe: libpq's message ends in NUL and is copied before the next call.
        unsafe PQerrorMessage(connection).map { unsafe String(cString: $0) } ?? ""
    }

    // MARK: Statements

    func run(_ text: String, _ values: [DatabaseValue], row: (any StoreRow) -> Void) throws(StoreFault) {
        let result = PostgresParameters(values).lend { parameters in
            unsafe PQexecParams(
                connection,
                text,
                parameters.count,
                parameters.types,
                parameters.values,
                parameters.lengths,
                parameters.formats,
                1
            )
        }
        guard let result = unsafe result else { throw lostFault() }
        // Safe: rows are read before the result is cleared, once.
        defer { unsafe PQclear(result) }
        try unsafe check(result)
        for index in 0..<(unsafe PQntuples(result)) { unsafe row(PostgresRow(result: result, index: index)) }
    }

    /// Sends a batch of statements at once, and reads the answers after: one journey instead of one each.
    func runEach(_ text: String, _ rows: [[DatabaseValue]]) throws(StoreFault) {
        var start = 0
        while start < rows.count {
            let end = min(rows.count, start + PostgresConnection.batchSize)
            try runBatch(text, rows[start..<end])
            start = end
        }
    }

    private func runBatch(_ text: String, _ rows: ArraySlice<[DatabaseValue]>) throws(StoreFault) {
        guard unsafe PQenterPipelineMode(connection) == 1 else { throw lostFault() }
        isOutOfStep = true
        for values in rows {
            let isSent = PostgresParameters(values).lend { parameters in
                unsafe PQsendQueryParams(
                    connection,
                    text,
                    parameters.count,
                    parameters.types,
                    parameters.values,
                    parameters.lengths,
                    parameters.formats,
                    1
                )
            }
            guard isSent == 1 else { throw lostFault() }
        }
        guard unsafe PQpipelineSync(connection) == 1 else { throw lostFault() }
        let fault = readBatch()
        guard unsafe PQexitPipelineMode(connection) == 1 else { throw lostFault() }
        isOutOfStep = false
        if let fault { throw fault }
    }

    /// Reads all answers up to the mark that ends the batch.
    ///
    /// - Returns: the first fault; what was sent behind it was not run.
    private func readBatch() -> StoreFault? {
        var fault: StoreFault?
        while unsafe PQstatus(connection) == CONNECTION_OK {
            // Each answer is followed by a null result.
            guard let result = unsafe PQgetResult(connection) else { continue }
            defer { unsafe PQclear(result) }
            switch unsafe PQresultStatus(result) {
            case PGRES_PIPELINE_SYNC: return fault
            case PGRES_PIPELINE_ABORTED: continue
            default:
                do throws(StoreFault) {
                    try unsafe check(result)
                } catch {
                    fault = fault ?? error
                }
            }
        }
        return fault ?? lostFault()
    }

    private func check(_ result: OpaquePointer) throws(StoreFault) {
        switch unsafe PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK: return
        default: break
        }
        // Safe: both texts belong to the result, end in NUL, and are copied.
        let state = unsafe PQresultErrorField(result, 67).map { unsafe String(cString: $0) } ?? ""
        let text = unsafe PQresultErrorMessage(result).map { unsafe String(cString: $0) } ?? ""
        let reason = address.publicText(text)
        switch state {
        // Deadlock, serialization failure.
        case "40P01", "40001": throw .conflict(place: place)
        // No table, no privilege on one.
        case "42501": throw .refused(place: place, reason: reason)
        default: throw isLost ? .unreachable(place: place, reason: reason) : .failed(place: place, reason: reason)
        }
    }

    private func lostFault() -> StoreFault {
        let reason = address.publicText(message)
        return isLost ? .unreachable(place: place, reason: reason) : .failed(place: place, reason: reason)
    }
}

/// A row of a result in binary form.
struct PostgresRow: StoreRow {
    fileprivate let result: OpaquePointer
    fileprivate let index: Int32

    func blob(_ column: Int32) -> [UInt8] {
        // Safe: the value has so many bytes, and belongs to the result, which outlives the row.
        guard let base = unsafe PQgetvalue(result, index, column) else { return [] }
        let count = unsafe Int(PQgetlength(result, index, column))
        return unsafe [UInt8](UnsafeRawBufferPointer(start: base, count: count))
    }

    func text(_ column: Int32) -> String { String(decoding: blob(column), as: UTF8.self) }

    /// BIGINT, which is all that our tables have.
    func integer(_ column: Int32) -> Int64 {
        let bytes = blob(column)
        guard bytes.count == 8 else { return 0 }
        return Int64(bitPattern: bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
}
