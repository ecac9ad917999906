import Shoal

enum ChunksCommand {
    static func run(
        _ task: Invocation.ChunksTask,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        throw ShoalError(.failed, "under construction")
    }
}
