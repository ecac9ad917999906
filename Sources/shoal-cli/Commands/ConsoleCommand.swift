import Shoal

enum ConsoleCommand {
    static func run(
        _ task: Invocation.PeerConsole,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        throw ShoalError(.failed, "under construction")
    }
}
