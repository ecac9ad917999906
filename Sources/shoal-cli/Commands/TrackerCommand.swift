import Shoal

/// `shoal tracker`
enum TrackerCommand {
    static func run(
        _ task: Invocation.TrackerTask,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        switch task {
        case .run(let run): return try await TrackerRunCommand.run(run, options, on: console)
        case .ask, .users: throw ShoalError(.failed, "under construction")
        }
    }
}
