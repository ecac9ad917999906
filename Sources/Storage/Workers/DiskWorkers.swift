import Glibc
import Synchronization

/// The threads that do every file call and every long hash, so that the loop never waits for a disk.
///
/// A job's work runs on some worker; its completion runs on the loop, in one batch per wake-up. This type itself
/// belongs to the loop and is not `Sendable`: completions may use the loop's state without a lock, because they never
/// leave it. Only the work and its result travel.
package final class DiskWorkers {
    package enum Priority: Hashable, Sendable {
        /// Somebody waits for it: a block for a peer, a piece to be written.
        case prompt
        /// As long as nothing prompt is queued: checking, hashing. A job should take tens of milliseconds at most.
        case bulk
    }

    private let queue: JobQueue
    private var threads: [Worker] = []
    private var completions: [UInt64: () -> Void] = [:]
    private var lastNumber: UInt64 = 0
    private var isOpen = true

    /// - Parameters:
    ///   - count: how many threads; one per core by default, at most 64.
    ///   - name: what the threads are called, before a dash and a number.
    ///   - wake: called on a worker when results wait; makes the loop call `drainCompletions()` soon.
    package init(
        count: Int = DiskWorkers.coreCount,
        named name: String = "disk",
        wake: @escaping @Sendable () -> Void
    ) throws(StorageError) {
        let queue = JobQueue(wake: wake)
        self.queue = queue
        for index in 0..<min(max(1, count), 64) {
            guard let worker = Worker(named: "\(name)-\(index)", { queue.serve() }) else { break }
            threads.append(worker)
        }
        guard !threads.isEmpty else { throw .io(code: EAGAIN, path: "starting threads") }
    }

    deinit { shutDown() }

    package static var coreCount: Int { Worker.coreCount }

    package var threadCount: Int { threads.count }

    /// Jobs whose completions have not run: what the caller limits its reading ahead by.
    package var pendingCount: Int { completions.count }

    /// Runs `work` on a worker and then, on the loop, `completion` with its result.
    ///
    /// - Returns: `false` after `shutDown()`, when neither will run.
    @discardableResult
    package func submit<Value: Sendable>(
        _ priority: Priority = .prompt,
        _ work: @escaping @Sendable () -> Value,
        then completion: @escaping (Value) -> Void
    ) -> Bool {
        guard isOpen else { return false }
        lastNumber += 1
        let slot = Slot<Value>()
        completions[lastNumber] = {
            if let result = slot.take() { completion(result) }
        }
        queue.add(JobQueue.Job(number: lastNumber) { slot.fill(with: work()) }, priority: priority)
        return true
    }

    /// Runs the completions of the jobs that finished; the loop calls it after a wake-up.
    ///
    /// - Returns: how many there were.
    @discardableResult
    package func drainCompletions() -> Int {
        let finished = queue.takeFinished()
        for number in finished {
            completions.removeValue(forKey: number)?()
        }
        return finished.count
    }

    /// Takes no more jobs, waits until all queued ones are done, and ends the threads.
    ///
    /// The completions are still there for one more `drainCompletions()`.
    package func shutDown() {
        guard isOpen else { return }
        isOpen = false
        queue.close(threads: threads.count)
        for thread in threads { thread.join() }
    }

    /// Takes no more jobs and waits for none: a disk that hangs must not hold up whoever leaves. The threads end by
    /// themselves once all queued jobs are done.
    package func release() {
        guard isOpen else { return }
        isOpen = false
        queue.close(threads: threads.count)
        // Threads without a job end at once; waiting for them leaves nothing behind.
        for thread in threads { if pendingCount == 0 { thread.join() } else { thread.detach() } }
    }

    /// Where a result waits for the loop.
    private final class Slot<Value: Sendable>: Sendable {
        private let value = Mutex<Value?>(nil)

        func fill(with result: Value) { value.withLock { $0 = result } }
        func take() -> Value? { value.withLock { $0.take() } }
    }
}
