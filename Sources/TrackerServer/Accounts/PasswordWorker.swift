import Cryptography
import EventLoop
import Storage

/// The one thread that hashes passwords: 64 MiB and tens of milliseconds each, and never two at a time (hardening R4).
final class PasswordWorker {
    private let workers: DiskWorkers

    /// What came of looking at a password.
    struct Finding: Sendable {
        let isCorrect: Bool
        /// The same password at the cost of now, where its hash is of another (hardening R3).
        let renewed: String?
    }

    /// `nil` where the system has no thread left.
    init?(core: TrackerCore) {
        guard let workers = try? DiskWorkers(count: 1, named: "password", wake: core.loop.wakeUp) else { return nil }
        self.workers = workers
        core.onWakeUp { [weak self] in self?.workers.drainCompletions() }
    }

    /// A hash to keep; `nil` where the system has no memory for it.
    func hash(_ password: String, then completion: @escaping (String?) -> Void) {
        let password = Array(password.utf8)
        workers.submit(.prompt, { PasswordHash.make(password.span.bytes) }, then: completion)
    }

    /// - Parameter hash: `nil` where there is no such account: that takes as long.
    func check(_ password: String, against hash: String?, then completion: @escaping (Finding) -> Void) {
        let password = Array(password.utf8)
        workers.submit(
            .prompt,
            {
                let isCorrect = PasswordHash.isCorrect(password.span.bytes, for: hash ?? PasswordHash.ofNobody)
                guard isCorrect, let hash, PasswordHash.isOutdated(hash) else {
                    return Finding(isCorrect: isCorrect && hash != nil, renewed: nil)
                }
                return Finding(isCorrect: true, renewed: PasswordHash.make(password.span.bytes))
            },
            then: completion
        )
    }

    /// Waits for none: who asked gets no answer any more.
    func close() { workers.release() }
}
