import TrackerStore

extension TrackerCore {
    /// Asks the database on its own thread; `completion` runs on the loop, at once where there is no database any more.
    func query<Value: Sendable>(
        _ work: @escaping @Sendable (TrackerStore) throws(StoreFault) -> Value,
        then completion: @escaping (Result<Value, StoreFault>) -> Void
    ) {
        guard let store else { return completion(.failure(.busy)) }
        store.perform(work, then: completion)
    }
}
