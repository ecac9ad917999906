package import Storage

/// The one thread that waits for the database, so that the loop never does.
///
/// Belongs to the loop and is not `Sendable`, as `DiskWorkers` is: completions run on the loop, in the order of the calls.
package final class StoreWorker {
    /// Calls that wait, and with each what it wrote down. A database that stopped answering fills this in seconds, and
    /// all that comes then is told to try again.
    package static let mostPending = 1024

    private let store: TrackerStore
    private let workers: DiskWorkers

    /// - Parameter wake: called on the thread when results wait; makes the loop call `drainCompletions()` soon.
    package init(_ store: TrackerStore, wake: @escaping @Sendable () -> Void) throws(StorageError) {
        self.store = store
        workers = try DiskWorkers(count: 1, named: "store", wake: wake)
    }

    /// Runs `work` on the thread and then, on the loop, `completion` with its result.
    ///
    /// Where too much waits, or all is over, `completion` is told so before this returns.
    package func perform<Value: Sendable>(
        _ work: @escaping @Sendable (TrackerStore) throws(StoreFault) -> Value,
        then completion: @escaping (Result<Value, StoreFault>) -> Void
    ) {
        guard workers.pendingCount < StoreWorker.mostPending else { return completion(.failure(.busy)) }
        let store = store
        let isTaken = workers.submit(
            .prompt,
            { () -> Result<Value, StoreFault> in
                do throws(StoreFault) {
                    return .success(try work(store))
                } catch {
                    return .failure(error)
                }
            },
            then: completion
        )
        if !isTaken { completion(.failure(.busy)) }
    }

    package var pendingCount: Int { workers.pendingCount }

    /// Runs the completions of the calls that ended; the loop calls it after a wake-up.
    package func drainCompletions() { workers.drainCompletions() }

    /// Takes no more calls, and waits until all that were taken are done, and their completions too.
    package func close() {
        workers.shutDown()
        workers.drainCompletions()
        store.close()
    }

    /// Takes no more calls and waits for none: a database that hangs must not hold up whoever leaves.
    package func release() { workers.release() }
}
