import Metainfo
import Shoal
import Storage
import TrackerProtocol

/// `shoal console`
enum ConsoleCommand {
    static func run(
        _ task: Invocation.PeerConsole,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        do throws(StorageError) {
            try ResolvedPath.makeFolder(task.folder)
        } catch {
            throw ShoalError(.files, error.message)
        }
        guard let tracker = TrackerURL(task.tracker) else {
            throw ShoalError(.usage, "--tracker is no URL of a tracker")
        }
        var configuration = try task.network.configuration(on: console)
        configuration.reportsSignals = true
        let access = TrackerAccess([task.tracker], stateFolder: task.network.stateFolder)
        configuration.trackerPasskeys = access.passkeys
        let peer = InteractivePeer(
            task,
            tracker: access.urls.first ?? tracker,
            passkey: access.passkeys[tracker.place.description.lowercased()],
            node: Node(configuration),
            options: options,
            on: console
        )
        return try await peer.run()
    }
}
