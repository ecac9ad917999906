import EventLoop
import Glibc
import Primitives
import TestSupport
import Testing

@Suite("Resolver")
struct ResolverTests {
    @Test("knows the machine's own name")
    func resolvesLocalhost() async throws {
        let endpoints = try await resolve(["localhost"], port: 6881)[0]
        #expect(endpoints.contains(Endpoint(loopback, 6881)))
        #expect(endpoints.allSatisfy { $0.address.isLoopback && $0.port == 6881 })
    }

    @Test(
        "reads addresses without asking anybody",
        arguments: [("127.0.0.1", IPAddress.loopbackV4), ("::1", .v6(high: 0, low: 1))]
    )
    func readsAddresses(text: String, address: IPAddress) async throws {
        #expect(try await resolve([text], port: 9) == [[Endpoint(address, 9)]])
    }

    @Test(
        "answers what is no name with nothing",
        arguments: ["", "local\0host", String(repeating: "a", count: 254)]
    )
    func refusesNonsense(host: String) async throws {
        #expect(try await resolve([host], port: 9) == [[]])
    }

    @Test("answers more names than it has threads, each once")
    func answersMany() async throws {
        let answers = try await resolve(Array(repeating: "localhost", count: 40), port: 1)
        #expect(answers.count == 40)
        #expect(answers.allSatisfy { $0.contains(Endpoint(loopback, 1)) })
    }

    @Test("does not answer a lookup that was cancelled")
    func cancels() async throws {
        try await withStage { stage async throws in
            let log = EventLog<String>()
            try await stage.perform { stage in
                let resolver = stage.keep(try Resolver(loop: stage.loop))
                let cancelled = resolver.resolve("localhost", port: 1) { _ in log.record("cancelled") }
                let numeric = resolver.resolve("127.0.0.1", port: 1) { _ in log.record("numeric") }
                resolver.cancel(cancelled)
                resolver.cancel(numeric)
                for _ in 0..<8 { resolver.resolve("localhost", port: 2) { _ in log.record("kept") } }
            }
            #expect(try await log.next(8) == Array(repeating: "kept", count: 8))
        }
    }

    @Test("answers what is open with nothing when it is closed")
    func answersWhenClosed() async throws {
        try await withStage { stage async throws in
            let log = EventLog<[Endpoint]>()
            try await stage.perform { stage in
                let resolver = try Resolver(loop: stage.loop)
                resolver.resolve("localhost", port: 1) { log.record($0) }
                resolver.close()
            }
            #expect(try await log.next() == [])
        }
    }

    @Test("answers every lookup, whatever became of it, when the loop stops")
    func answersAtStop() async throws {
        let log = EventLog<Int>()
        let loop = try Loop()
        try loop.start()
        try await Stage(loop).perform { stage in
            let resolver = try Resolver(loop: stage.loop)
            for number in 0..<100 { resolver.resolve("localhost", port: 1) { _ in log.record(number) } }
            stage.loop.stop()
        }
        #expect(Set(try await log.next(100)) == Set(0..<100))
        loop.stop()
    }

    private func resolve(_ hosts: [String], port: UInt16) async throws -> [[Endpoint]] {
        try await withStage { stage async throws in
            let log = EventLog<[Endpoint]>()
            try await stage.perform { stage in
                let resolver = stage.keep(try Resolver(loop: stage.loop))
                for host in hosts { resolver.resolve(host, port: port) { log.record($0) } }
            }
            return try await log.next(hosts.count)
        }
    }
}

@Suite("Signals")
struct SignalTests {
    @Test("tell the handler instead of ending the process")
    func tellHandler() async throws {
        try await withStage { stage async throws in
            let events = Shared(SignalEvents())
            try await stage.perform { stage in
                events.handler.signals = try Signals(
                    loop: stage.loop,
                    [.user1, .windowChanged],
                    handler: events.handler
                )
            }
            kill(getpid(), SIGUSR1)
            #expect(try await events.handler.log.next() == .user1)
            kill(getpid(), SIGWINCH)
            #expect(try await events.handler.log.next() == .windowChanged)
            await stage.perform { _ in events.handler.signals?.close() }
        }
    }
}

private final class SignalEvents: SignalHandler {
    let log = EventLog<Signal>()
    var signals: Signals?

    func signalReceived(_ signal: Signal) {
        log.record(signal)
    }
}

@Suite("System")
struct SystemTests {
    @Test("seeds differ")
    func seedsDiffer() {
        #expect(Set((0..<16).map { _ in OSRandom.seed() }).count == 16)
    }

    @Test("the time of day is after this was written")
    func timeOfDay() {
        #expect(SystemClock.secondsSinceEpoch > 1_767_225_600)
    }
}
