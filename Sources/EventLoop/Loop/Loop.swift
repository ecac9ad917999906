import CLinux
import CUV
import Glibc
package import Primitives
import Synchronization

/// A libuv loop on its own thread, and the serial executor of the actor that lives there.
///
///     created ── start() ──▶ running ── stop() ──▶ closing ── thread ends ──▶ over
///
/// An actor whose `unownedExecutor` is a loop runs on the loop's thread, so everything it owns (sockets, timers,
/// machines) needs no lock. Jobs that arrive after the end still run, one at a time, on whichever thread hands them in:
/// a task that awaits the actor is never left hanging.
///
/// Safe to share although unchecked: other threads touch only `inbox`, `life` and `owner`, which are two locks and an
/// atomic. All else is used by the thread that `owner` names.
package final class Loop: SerialExecutor, @unchecked Sendable {
    /// What other threads leave for the loop.
    private struct Inbox {
        var jobs: [UnownedJob] = []
        var isWokenUp = false
        var isStopping = false
        /// While true the async handle is alive and may be rung.
        var isOpen = true
        /// After the end: somebody is running the jobs that are left.
        var isDraining = false
    }

    private enum Life {
        case created
        case running(pthread_t)
        case over
    }

    /// Batches of jobs that jobs caused, run before the sockets get their turn: a job that always enqueues another must
    /// not starve the sockets.
    private static let jobRoundsPerTurn = 16

    let uv: UnsafeMutablePointer<uv_loop_t>
    private let hooks: LoopHooks

    private let inbox = Lock(Inbox())
    private let life = Lock(Life.created)
    /// The thread that may run jobs now, 0 for none.
    private let owner = Atomic<UInt>(0)

    // The loop thread's own.
    private var localJobs: [UnownedJob] = []
    private var runningJobs: [UnownedJob] = []
    private var changedSockets: [PolledSocket] = []
    private var appliedSockets: [PolledSocket] = []
    private var wakeUpHandlers: [() -> Void] = []
    private(set) var isClosing = false
    /// libuv 1.44 runs a timer of zero delay again within the same pass, for ever if its handler re-arms it.
    var isFiringTimer = false

    /// Opens the loop's descriptors; `start` gives it a thread.
    package init() throws(SocketError) {
        uv = .allocate(capacity: 1)
        uv.initialize(to: uv_loop_t())
        let opened = uv_loop_init(uv)
        guard opened == 0 else {
            uv.deallocate()
            throw SocketError(code: opened)
        }
        hooks = LoopHooks()
        let hooked = hooks.open(on: uv)
        guard hooked == 0 else {
            uv_loop_close(uv)
            uv.deallocate()
            throw SocketError(code: hooked)
        }
        // Not retained: the callbacks run inside `uv_run` only, which runs inside a method of this object.
        uv.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    }

    /// The loop a libuv handle of its own belongs to.
    static func owning(_ uv: UnsafeMutablePointer<uv_loop_t>?) -> Loop? {
        guard let data = uv?.pointee.data else { return nil }
        // Safe: `init` stored this very object there, and callbacks run only inside its methods.
        return Unmanaged<Loop>.fromOpaque(data).takeUnretainedValue()
    }

    deinit {
        let life = life.withLock { $0 }
        switch life {
        case .created: closeEverything()
        case .running(let thread):
            // The thread itself holds a reference until its last line, so it ends now or has ended.
            if thread == pthread_self() { pthread_detach(thread) } else { pthread_join(thread, nil) }
        case .over: break
        }
        uv.deallocate()
    }

    // MARK: Life

    /// A loop whose thread runs.
    package static func started() throws(SocketError) -> Loop {
        let loop = try Loop()
        try loop.start()
        return loop
    }

    /// Starts the thread. SIGPIPE is ignored in the whole process from here on: a write to a closed socket is an error
    /// code.
    package func start() throws(SocketError) {
        signal(SIGPIPE, SIG_IGN)
        let code = life.withLock { life -> Int32 in
            guard case .created = life else { return 0 }
            var thread = pthread_t()
            // Balanced by `takeRetainedValue` in the thread, or below if there is none.
            let context = Unmanaged.passRetained(self)
            let code = pthread_create(&thread, nil, threadEntry, context.toOpaque())
            if code == 0 { life = .running(thread) } else { context.release() }
            return code
        }
        guard code == 0 else { throw SocketError(code: -code) }
    }

    /// Ends the turn that is running, closes all that is open, and waits for the thread; called on the loop itself it
    /// does not wait. May be called from any thread, any number of times.
    package func stop() {
        inbox.withLock { inbox in
            inbox.isStopping = true
            if inbox.isOpen { hooks.ring() }
        }
        guard !isCurrent else { return }
        life.withLock { life in
            switch life {
            case .created:
                owner.store(pthread_self(), ordering: .releasing)
                closeEverything()
                finishJobs()
            case .running(let thread): pthread_join(thread, nil)
            case .over: break
            }
            life = .over
        }
    }

    fileprivate func run() {
        clinux_name_thread("shoal-loop")
        owner.store(pthread_self(), ordering: .releasing)
        uv_run(uv, UV_RUN_DEFAULT)
        closeEverything()
        finishJobs()
    }

    /// Closes every handle, whoever opened it, and the loop itself.
    private func closeEverything() {
        isClosing = true
        let isFirst = inbox.withLock { inbox in
            defer {
                inbox.isOpen = false
                inbox.isDraining = true
            }
            return inbox.isOpen
        }
        guard isFirst else { return }
        wakeUpHandlers = []
        uv_walk(uv, { raw, _ in Handle.close(raw) }, nil)
        hooks.close()
        uv_run(uv, UV_RUN_DEFAULT)
        changedSockets = []
        let isClosed = uv_loop_close(uv)
        assert(isClosed == 0, "a handle outlived its loop")
    }

    // MARK: Time

    /// Now, on the clock of timers (CLOCK_MONOTONIC). Read afresh, about 25 ns. Any thread.
    package var now: Instant { Instant(nanoseconds: Int64(truncatingIfNeeded: uv_hrtime())) }

    // MARK: Waking up

    /// Makes the handlers of `onWakeUp` run once on the loop. Calls that come before it runs are one.
    package var wakeUp: @Sendable () -> Void {
        { [self] in
            inbox.withLock { inbox in
                guard inbox.isOpen else { return }
                inbox.isWokenUp = true
                hooks.ring()
            }
        }
    }

    /// Adds to what `wakeUp` runs: each part with threads of its own has one. Called on the loop, or before `start`.
    package func onWakeUp(_ handler: @escaping () -> Void) {
        guard !isClosing else { return }
        wakeUpHandlers.append(handler)
    }

    // MARK: Executor

    /// Whether the caller is on the loop's thread.
    package var isCurrent: Bool { owner.load(ordering: .acquiring) == pthread_self() }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            localJobs.append(job)
            return
        }
        let isLate = inbox.withLock { inbox in
            inbox.jobs.append(job)
            if inbox.isOpen { hooks.ring() }
            return !inbox.isOpen
        }
        if isLate { runLeftJobs() }
    }

    package func checkIsolated() {
        precondition(isCurrent, "called off the loop's thread")
    }

    package func isIsolatingCurrentContext() -> Bool? { isCurrent }

    // MARK: Turns

    /// Another thread rang.
    func rung() {
        let (isWokenUp, isStopping) = inbox.withLock { inbox in
            localJobs.append(contentsOf: inbox.jobs)
            inbox.jobs.removeAll(keepingCapacity: true)
            defer { inbox.isWokenUp = false }
            return (inbox.isWokenUp, inbox.isStopping)
        }
        if isWokenUp { for handler in wakeUpHandlers { handler() } }
        if isStopping { uv_stop(uv) }
    }

    /// Runs the jobs at hand and those they cause, up to a limit per turn; with some left the next poll does not wait.
    func runJobs() {
        var round = 0
        while !localJobs.isEmpty, round < Loop.jobRoundsPerTurn {
            round += 1
            runBatch()
        }
        hooks.setWaits(localJobs.isEmpty)
    }

    private func runBatch() {
        swap(&localJobs, &runningJobs)
        for job in runningJobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
        runningJobs.removeAll(keepingCapacity: true)
    }

    /// The last thing before the poll: jobs, then the interest changes that they and the callbacks made.
    func prepareToPoll() {
        runJobs()
        swap(&changedSockets, &appliedSockets)
        for socket in appliedSockets { socket.applyInterest() }
        appliedSockets.removeAll(keepingCapacity: true)
    }

    func interestChanged(of socket: PolledSocket) {
        changedSockets.append(socket)
    }

    // MARK: After the end

    /// Runs what is left in the inbox unless another thread is at it, which then finds the newcomers too.
    private func runLeftJobs() {
        let isMine = inbox.withLock { inbox in
            guard !inbox.isOpen, !inbox.isDraining else { return false }
            inbox.isDraining = true
            return true
        }
        guard isMine else { return }
        owner.store(pthread_self(), ordering: .releasing)
        finishJobs()
    }

    /// Runs jobs until there are none, then gives up being the owner.
    private func finishJobs() {
        while true {
            while !localJobs.isEmpty { runBatch() }
            let isDone = inbox.withLock { inbox in
                localJobs.append(contentsOf: inbox.jobs)
                inbox.jobs = []
                guard localJobs.isEmpty else { return false }
                owner.store(0, ordering: .releasing)
                inbox.isDraining = false
                return true
            }
            if isDone { return }
        }
    }
}

private func threadEntry(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    // Safe: `start` retained the loop for exactly this line.
    Unmanaged<Loop>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
