import Shoal

enum AccountCommand {
    static func run(
        _ task: Invocation.AccountTask,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        throw ShoalError(.failed, "under construction")
    }
}
