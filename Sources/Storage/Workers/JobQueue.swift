import Synchronization

/// Jobs on their way to the worker threads, and the numbers of finished ones on their way back.
///
/// The only part of `DiskWorkers` that more than one thread sees.
final class JobQueue: Sendable {
    struct Job: Sendable {
        let number: UInt64
        let work: @Sendable () -> Void
    }

    private struct State {
        var prompt = FIFO<Job>()
        var bulk = FIFO<Job>()
        var finished: [UInt64] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let available = Semaphore()
    private let wake: @Sendable () -> Void

    init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    func add(_ job: Job, priority: DiskWorkers.Priority) {
        state.withLock { state in
            switch priority {
            case .prompt: state.prompt.append(job)
            case .bulk: state.bulk.append(job)
            }
        }
        available.signal()
    }

    /// Lets each of `count` threads end once no job is left.
    func close(threads count: Int) {
        state.withLock { $0.isClosed = true }
        for _ in 0..<count { available.signal() }
    }

    /// What a worker thread does all its life.
    func serve() {
        while let number = runNext() { finish(number) }
    }

    /// The jobs that finished since the last call, in the order of their finishing.
    func takeFinished() -> [UInt64] {
        state.withLock { state in
            let finished = state.finished
            state.finished = []
            return finished
        }
    }

    /// A function of its own, so that the job and the buffers it holds are let go of before its completion can run: the
    /// completion may ask the pool for just that memory.
    private func runNext() -> UInt64? {
        guard let job = next() else { return nil }
        job.work()
        return job.number
    }

    private func next() -> Job? {
        while true {
            available.wait()
            let (job, isClosed) = state.withLock { ($0.prompt.popFirst() ?? $0.bulk.popFirst(), $0.isClosed) }
            if let job { return job }
            if isClosed { return nil }
        }
    }

    private func finish(_ number: UInt64) {
        let isFirst = state.withLock { state in
            state.finished.append(number)
            return state.finished.count == 1
        }
        // Once for a batch: the loop takes all that is there when it comes.
        if isFirst { wake() }
    }
}

/// A queue whose front is taken without moving the rest.
struct FIFO<Element> {
    private var elements: [Element?] = []
    private var head = 0

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head]
        // Lets go of what the element holds at once, not when the storage is reused.
        elements[head] = nil
        head += 1
        if head == elements.count {
            elements.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 1024, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}
