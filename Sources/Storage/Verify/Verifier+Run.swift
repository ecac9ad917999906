extension Verifier {
    /// Runs to the end on threads of its own and the calling one, for commands that have no loop.
    ///
    /// - Parameter report: called after each stretch, on any of the threads.
    package func run(
        threads count: Int = DiskWorkers.coreCount,
        report: (@Sendable (Progress) -> Void)? = nil
    ) throws(StorageError) {
        var helpers: [Worker] = []
        for index in 1..<max(2, min(count, 64)) where index < count {
            // A failure is kept by the verifier, and thrown by the step below.
            guard let helper = Worker(named: "hash-\(index)", { try? self.runSteps(report) }) else { break }
            helpers.append(helper)
        }
        defer { for helper in helpers { helper.join() } }
        try runSteps(report)
    }

    private func runSteps(_ report: (@Sendable (Progress) -> Void)?) throws(StorageError) {
        while try step() { report?(progress) }
    }
}

extension DiskWorkers {
    /// Runs the verifier on all workers, beside the prompt jobs, and then `completion` on the loop.
    package func run(_ verifier: Verifier, then completion: @escaping (Result<Void, StorageError>) -> Void) {
        let run = Run(verifier, chains: threadCount, completion)
        for _ in 0..<threadCount { advance(run) }
    }

    /// One step; its completion submits the next, so a job never holds a worker for long.
    private func advance(_ run: Run) {
        let verifier = run.verifier
        let isSubmitted = submit(.bulk) { () -> Result<Bool, StorageError> in
            do throws(StorageError) { return .success(try verifier.step()) } catch { return .failure(error) }
        } then: { [weak self] result in
            switch result {
            case .success(true): if let self { self.advance(run) } else { run.end(.failure(.cancelled)) }
            case .success(false): run.end(.success(()))
            case .failure(let error): run.end(.failure(error))
            }
        }
        if !isSubmitted { run.end(.failure(.cancelled)) }
    }

    /// Waits for the last of the chains of steps.
    private final class Run {
        let verifier: Verifier
        private var chains: Int
        private var result: Result<Void, StorageError> = .success(())
        private let completion: (Result<Void, StorageError>) -> Void

        init(_ verifier: Verifier, chains: Int, _ completion: @escaping (Result<Void, StorageError>) -> Void) {
            self.verifier = verifier
            self.chains = chains
            self.completion = completion
        }

        func end(_ result: Result<Void, StorageError>) {
            if case .success = self.result { self.result = result }
            chains -= 1
            if chains == 0 { completion(self.result) }
        }
    }
}
