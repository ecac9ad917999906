import Synchronization

/// What a tracker keeps: accounts, passkeys, the catalogue of files, lists, counts, and swarms between runs.
///
/// Every call waits for the database and belongs on a thread of its own (`StoreWorker`); no announce makes one. Several
/// nodes may share one database. A server that went away is asked again at the next call, at most once a second.
package final class TrackerStore: Sendable {
    private let session: Mutex<StoreSession>

    /// Opens the database, and makes or migrates its tables.
    ///
    /// - Parameter creates: whether a SQLite file that is not there is made.
    package init(_ url: StoreURL, creates: Bool = true) throws(StoreFault) {
        var session = StoreSession(url)
        _ = try session.open(creates: creates)
        self.session = Mutex(session)
    }

    /// Lets go of the database; a later call opens it again.
    package func close() {
        session.withLock { $0.close() }
    }

    /// Runs statements that only read.
    func read<Value: Sendable>(
        _ body: @Sendable (any StoreConnection) throws(StoreFault) -> Value
    ) throws(StoreFault) -> Value {
        try session.withLock { session throws(StoreFault) in try session.perform(body, isWriting: false) }
    }

    /// Runs statements that all count or none.
    func write<Value: Sendable>(
        _ body: @Sendable (any StoreConnection) throws(StoreFault) -> Value
    ) throws(StoreFault) -> Value {
        try session.withLock { session throws(StoreFault) in try session.perform(body, isWriting: true) }
    }
}
