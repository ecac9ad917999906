import EventLoop
import Primitives
import TestSupport

@testable import Shoal

/// An actor on a loop that owns a core, as a node does.
actor CoreStage {
    nonisolated let loop: Loop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private var core: NodeCore?
    nonisolated let events = EventLog<Event>()

    init(_ loop: Loop) { self.loop = loop }

    /// Runs a turn of the core, which is made and listens at the first.
    func perform<Result: Sendable>(
        _ configuration: Configuration = .quiet,
        _ body: @Sendable (isolated CoreStage, NodeCore) throws -> Result
    ) throws -> Result {
        if let core { return try body(self, core) }
        let core = try NodeCore(loop: loop, configuration: configuration, state: nil) { [events] in events.record($0) }
        self.core = core
        try core.listen()
        return try body(self, core)
    }

    /// Stops the core, and lets go of it.
    func stop() async {
        guard let core else { return }
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            core.turn { core.stop { done.resume() } }
        }
        self.core = nil
    }
}

extension Configuration {
    /// Any free port of 127.0.0.1, and nobody to talk to.
    static var quiet: Configuration {
        var configuration = Configuration()
        configuration.listen = .endpoint("127.0.0.1:0")
        configuration.usesDHT = false
        return configuration
    }
}

/// A core on a running loop for one test.
func withCore(_ body: @escaping @Sendable (CoreStage) async throws -> Void) async throws {
    let loop = try Loop()
    try loop.start()
    defer { loop.stop() }
    let stage = CoreStage(loop)
    try await withDeadline(.seconds(15)) { try await body(stage) }
}
