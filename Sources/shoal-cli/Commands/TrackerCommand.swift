import Shoal
import TrackerAPI
import TrackerProtocol

/// `shoal tracker`
enum TrackerCommand {
    static func run(
        _ task: Invocation.TrackerTask,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        switch task {
        case .scrape(let infoHash, let trackers, let folder):
            return try await TrackerScrapeCommand.run(infoHash, trackers, stateFolder: folder, options, on: console)
        case .run(let run): return try await TrackerRunCommand.run(run, options, on: console)
        case .ask(let question): return try await TrackerQuestionCommand.run(question, options, on: console)
        case .users(let users): return try await TrackerUserCommand.run(users, options, on: console)
        }
    }

    /// What asks a tracker.
    static func client(
        _ tracker: String,
        _ stateFolder: String?,
        isInsecure: Bool = false
    ) throws(ShoalError) -> TrackerClient {
        guard let url = TrackerURL(tracker) else { throw ShoalError(.usage, "--tracker is no URL of a tracker") }
        do throws(TrackerClientError) {
            return try TrackerClient(url, stateFolder: stateFolder, isInsecure: isInsecure)
        } catch {
            throw ShoalError(error)
        }
    }
}
