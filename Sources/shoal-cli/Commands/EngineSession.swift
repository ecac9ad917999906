import Primitives
import Shoal

/// A running node whose events are shown while a command waits for its end.
struct EngineSession<Surroundings: Console> {
    /// What to do after an event.
    enum Step {
        case goOn
        case exit(Int32)
    }

    /// What the node tells, and how the work beside it went.
    enum Happening: Sendable {
        case event(Event)
        case workDone
        case workFailed(ShoalError)
    }

    let console: Surroundings
    let options: ConsoleOptions
    let node: Node
    private var display: Display
    private let secure: Configuration.SecurePolicy
    private let clock = ContinuousClock()
    private let beganAt: ContinuousClock.Instant

    /// Makes the node; nothing runs yet.
    init(
        _ configuration: Configuration,
        purpose: Display.Purpose,
        options: ConsoleOptions,
        on console: Surroundings
    ) {
        self.console = console
        self.options = options
        var configuration = configuration
        configuration.reportsSignals = true
        secure = configuration.sessions.secure
        node = Node(configuration)
        display = Display(purpose: purpose, style: console.style(for: options))
        beganAt = clock.now
    }

    /// Prints what an event says: a line of JSON, or what a person reads.
    mutating func show(_ event: Event) throws(ShoalError) {
        if options.json { return try console.write(JSONLines.line(for: event) + "\n", to: .standardOutput) }
        let now = Instant.zero + beganAt.duration(to: clock.now)
        let text = display.received(event, width: console.columns, at: now)
        if !text.isEmpty { try console.write(text, to: .standardError) }
    }

    /// Prints what a sharer hands on, with the live lines out of its way.
    mutating func print(_ announcement: ShareAnnouncement) throws(ShoalError) {
        try clear()
        try console.write(announcement.output, to: .standardOutput)
        if !options.isQuiet { try console.write(announcement.errors, to: .standardError) }
    }

    /// Takes the live lines off the screen.
    mutating func clear() throws(ShoalError) {
        guard !options.json else { return }
        let text = display.finish(width: console.columns)
        if !text.isEmpty { try console.write(text, to: .standardError) }
    }

    /// Does `work` and shows events meanwhile, until `step` ends the command, a torrent fails or a signal comes; stops
    /// the node in every case.
    ///
    /// - Parameter prepare: what has to be done before an event is shown.
    /// - Returns: the exit code.
    mutating func run(
        _ work: @escaping @Sendable (Node) async throws(ShoalError) -> Void,
        preparing prepare: @escaping @Sendable (Node, Event) async throws(ShoalError) -> Void = { _, _ in },
        _ step: (inout Self, Happening) throws(ShoalError) -> Step
    ) async throws(ShoalError) -> Int32 {
        let (happenings, continuation) = AsyncStream<Happening>.makeStream()
        let node = node
        if secure == .off {
            try show(
                .notice("--secure off: sessions are plain, anybody on the way can read and change them; measure only")
            )
        }
        let pump = Task {
            for await event in node.events {
                do throws(ShoalError) {
                    try await prepare(node, event)
                    continuation.yield(.event(event))
                } catch {
                    continuation.yield(.workFailed(error))
                }
            }
        }
        let worker = Task {
            do throws(ShoalError) {
                try await work(node)
                continuation.yield(.workDone)
            } catch {
                continuation.yield(.workFailed(error))
            }
        }
        defer {
            pump.cancel()
            worker.cancel()
        }
        do throws(ShoalError) {
            for await happening in happenings {
                guard let code = try handle(happening, step) else { continue }
                try clear()
                await node.stop()
                return code
            }
            return 0
        } catch {
            try? clear()
            await node.stop()
            throw error
        }
    }

    private mutating func handle(
        _ happening: Happening,
        _ step: (inout Self, Happening) throws(ShoalError) -> Step
    ) throws(ShoalError) -> Int32? {
        switch happening {
        case .workFailed(let error): throw error
        case .event(.failed(_, let error)): throw error
        case .event(.interrupted(let signal)): return 128 + signal
        case .event(let event): try show(event)
        case .workDone: break
        }
        guard case .exit(let code) = try step(&self, happening) else { return nil }
        return code
    }
}
