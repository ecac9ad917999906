import EventLoop
import Primitives
import Synchronization
import TestSupport
import Testing

@Suite("Loop")
struct LoopTests {
    @Test("runs the jobs of its actor on its own thread")
    func runsOnItsThread() async throws {
        try await withStage { stage async throws in
            #expect(!stage.loop.isCurrent)
            let isOnLoop = await stage.perform { stage in
                stage.preconditionIsolated()
                return stage.loop.isCurrent
            }
            #expect(isOnLoop)
        }
    }

    @Test("lets code on its thread assume the actor's isolation")
    func assumesIsolation() async throws {
        try await withStage { stage async throws in
            let log = EventLog<Bool>()
            await stage.perform { stage in
                // Outside any job: a callback of the loop.
                stage.loop.onWakeUp { [weak stage] in
                    log.record(stage?.assumeIsolated { $0.loop.isCurrent } ?? false)
                }
            }
            stage.loop.wakeUp()
            #expect(try await log.next())
        }
    }

    @Test("runs the jobs of many tasks one at a time")
    func runsManyTasks() async throws {
        try await withStage { stage async throws in
            let counter = Counter(stage.loop)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        for _ in 0..<200 { await counter.increment() }
                    }
                }
            }
            #expect(await counter.value == 10_000)
        }
    }

    @Test("keeps the order of one task's calls")
    func keepsOrder() async throws {
        try await withStage { stage async throws in
            let log = EventLog<Int>()
            for number in 0..<100 { await stage.perform { _ in log.record(number) } }
            #expect(try await log.next(100) == Array(0..<100))
        }
    }

    @Test("lets sockets and timers have their turn beside jobs that never end")
    func doesNotStarve() async throws {
        try await withStage { stage async throws in
            let log = EventLog<Bool>()
            await stage.perform { stage in stage.loop.onWakeUp { log.record(true) } }
            let busy = Task { await stage.yieldForever() }
            stage.loop.wakeUp()
            #expect(try await log.next())
            busy.cancel()
            await busy.value
        }
    }

    @Test("makes one wake-up of those that come before the handler runs")
    func coalescesWakeUps() async throws {
        let loop = try Loop()
        let log = EventLog<Int>()
        let count = Atomic(0)
        let stage = Stage(loop)
        loop.onWakeUp { log.record(count.add(1, ordering: .relaxed).newValue) }
        for _ in 0..<10 { loop.wakeUp() }
        try loop.start()
        #expect(try await log.next() == 1)
        await stage.perform { _ in }
        loop.stop()
        #expect(count.load(ordering: .relaxed) == 1)
    }

    @Test("runs jobs that came before its start")
    func runsEarlyJobs() async throws {
        let loop = try Loop()
        let stage = Stage(loop)
        async let early = stage.perform { $0.loop.isCurrent }
        try loop.start()
        #expect(await early)
        loop.stop()
    }

    @Test("runs jobs that come after its end, still one at a time")
    func runsLateJobs() async throws {
        let loop = try Loop()
        try loop.start()
        loop.stop()
        let counter = Counter(loop)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    for _ in 0..<50 { await counter.increment() }
                }
            }
        }
        #expect(await counter.value == 1_000)
    }

    @Test("runs its jobs even if it is stopped without a start")
    func runsJobsUnstarted() async throws {
        let loop = try Loop()
        let counter = Counter(loop)
        async let early: Void = counter.increment()
        loop.stop()
        await early
        await counter.increment()
        #expect(await counter.value == 2)
    }

    @Test("can be stopped from its own thread, and again from elsewhere")
    func stopsFromInside() async throws {
        let loop = try Loop()
        try loop.start()
        await Stage(loop).perform { $0.loop.stop() }
        loop.stop()
        loop.stop()
        #expect(!loop.isCurrent)
    }

    @Test("can be stopped by several threads at once")
    func stopsFromManyThreads() async throws {
        let loop = try Loop()
        try loop.start()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { loop.stop() } }
        }
        #expect(!loop.isCurrent)
    }

    @Test("opens nothing once it has stopped")
    func refusesAfterStop() async throws {
        let loop = try Loop()
        try loop.start()
        loop.stop()
        await Stage(loop).perform { stage in
            #expect(throws: SocketError.closed) {
                try StreamListener(loop: stage.loop, endpoint: .init(loopback, 0))
            }
            let timer = Timer(loop: stage.loop)
            timer.start(at: stage.loop.now)
            #expect(!timer.isOpen)
        }
    }
}

/// A number on a loop.
private actor Counter {
    nonisolated let loop: Loop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    var value = 0

    init(_ loop: Loop) {
        self.loop = loop
    }

    func increment() {
        value += 1
    }
}

extension Stage {
    fileprivate func yieldForever() async {
        while !Task.isCancelled { await Task.yield() }
    }
}
