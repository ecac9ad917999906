import EventLoop
import Primitives
import TestSupport
import Testing

@Suite("Timer")
struct TimerTests {
    @Test("fires in the order of the deadlines and never early")
    func firesInOrder() async throws {
        try await withStage { stage async throws in
            let log = EventLog<Fired>()
            await stage.perform { stage in
                let now = stage.loop.now
                for milliseconds in [30, 1, 20, 0, 10] {
                    let deadline = now + .milliseconds(milliseconds) + .microseconds(300)
                    stage.keep(TimerEvents(milliseconds, deadline, log)).start(on: stage.loop)
                }
            }
            let fired = try await log.next(5)
            #expect(fired.map(\.name) == [0, 1, 10, 20, 30])
            #expect(fired.allSatisfy { $0.at >= $0.deadline })
        }
    }

    @Test("fires at once for a deadline that has passed", arguments: [Instant.zero, Instant(nanoseconds: .min)])
    func firesForThePast(deadline: Instant) async throws {
        try await withStage { stage async throws in
            let log = EventLog<Fired>()
            await stage.perform { stage in
                _ = stage.keep(TimerEvents(7, deadline, log)).start(on: stage.loop)
            }
            #expect(try await log.next().name == 7)
        }
    }

    @Test("does not fire once cancelled, closed or set to the distant future")
    func doesNotFire() async throws {
        try await withStage { stage async throws in
            let log = EventLog<Fired>()
            await stage.perform { stage in
                let soon = stage.loop.now + .milliseconds(1)
                let cancelled = stage.keep(TimerEvents(1, soon, log))
                cancelled.start(on: stage.loop).cancel()
                let closed = stage.keep(TimerEvents(2, soon, log))
                closed.start(on: stage.loop).close()
                let never = stage.keep(TimerEvents(3, soon, log))
                never.start(on: stage.loop).start(at: .distantFuture)
                stage.keep(TimerEvents(4, soon + .milliseconds(5), log)).start(on: stage.loop)
            }
            #expect(try await log.next().name == 4)
        }
    }

    @Test("takes the last of several deadlines")
    func takesLastDeadline() async throws {
        try await withStage { stage async throws in
            let log = EventLog<Fired>()
            await stage.perform { stage in
                let now = stage.loop.now
                let timer = stage.keep(TimerEvents(1, now + .seconds(3_600), log)).start(on: stage.loop)
                timer.start(at: now + .milliseconds(2))
                timer.start(at: now + .milliseconds(2))
                #expect(timer.deadline == now + .milliseconds(2))
            }
            #expect(try await log.next().name == 1)
        }
    }

    @Test("that re-arms itself for the past leaves the others their turn")
    func doesNotSpin() async throws {
        try await withStage { stage async throws in
            let log = EventLog<Fired>()
            await stage.perform { stage in
                stage.keep(Restless()).start(on: stage.loop)
                stage.keep(TimerEvents(5, stage.loop.now + .milliseconds(5), log)).start(on: stage.loop)
            }
            #expect(try await log.next().name == 5)
            #expect(await stage.perform { $0.loop.isCurrent })
        }
    }
}

private struct Fired: Sendable {
    let name: Int
    let deadline: Instant
    let at: Instant
}

private final class TimerEvents: TimerHandler {
    private let name: Int
    private let deadline: Instant
    private let log: EventLog<Fired>

    init(_ name: Int, _ deadline: Instant, _ log: EventLog<Fired>) {
        self.name = name
        self.deadline = deadline
        self.log = log
    }

    @discardableResult
    func start(on loop: Loop) -> Timer {
        let timer = Timer(loop: loop, handler: self)
        timer.start(at: deadline)
        return timer
    }

    func timerFired(_ timer: Timer) {
        log.record(Fired(name: name, deadline: deadline, at: timer.loop.now))
    }
}

private final class Restless: TimerHandler {
    func start(on loop: Loop) {
        Timer(loop: loop, handler: self).start(at: .zero)
    }

    func timerFired(_ timer: Timer) {
        timer.start(at: .zero)
    }
}
