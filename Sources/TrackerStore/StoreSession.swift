import Glibc
import Primitives

/// The connection of a store, and when to look for a new one.
struct StoreSession {
    /// How often what lost to another node, or met a server that was started anew, begins again.
    private static let mostAttempts = 3

    /// A server that does not answer takes seconds to not answer, and calls would queue up behind each other.
    private static let pause: Duration = .seconds(1)

    private let url: StoreURL
    private var connection: (any StoreConnection)?
    private var lastFault: (fault: StoreFault, until: Instant)?

    init(_ url: StoreURL) { self.url = url }

    mutating func close() { connection = nil }

    /// The connection; a new one where there is none.
    mutating func open(creates: Bool = true) throws(StoreFault) -> any StoreConnection {
        if let connection { return connection }
        if let lastFault, StoreSession.now < lastFault.until { throw lastFault.fault }
        do throws(StoreFault) {
            let opened: any StoreConnection =
                switch url {
                case .sqlite(let path): try SQLiteConnection(path: path, creates: creates)
                case .postgres(let url): try PostgresConnection(url: url)
                }
            try Schema.prepare(opened)
            connection = opened
            lastFault = nil
            return opened
        } catch {
            lastFault = (error, StoreSession.now + StoreSession.pause)
            throw error
        }
    }

    mutating func perform<Value>(
        _ body: (any StoreConnection) throws(StoreFault) -> Value,
        isWriting: Bool
    ) throws(StoreFault) -> Value {
        var attempt = 1
        while true {
            let connection = try open()
            var isUntouched = true
            do throws(StoreFault) {
                guard isWriting else { return try body(connection) }
                try connection.run(connection.dialect.begin)
                isUntouched = false
                return try connection.commit { () throws(StoreFault) in try body(connection) }
            } catch {
                if connection.isLost { self.connection = nil }
                // Once something was sent that writes, nobody knows whether a server that went away had done it.
                guard attempt < StoreSession.mostAttempts, isUntouched && connection.isLost || error.isConflict else {
                    throw error
                }
            }
            attempt += 1
        }
    }

    private static var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
