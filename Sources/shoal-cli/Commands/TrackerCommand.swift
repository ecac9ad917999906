import Shoal

enum TrackerCommand {
    static func run(
        _ task: Invocation.TrackerTask,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        throw ShoalError(.failed, "under construction")
    }
}
