import Metainfo
import Shoal
import TrackerAPI
import TrackerProtocol

/// Registers what is shared in the catalogue of a tracker of our kind; other trackers have none, and are left in peace.
enum Registration {
    private static let firstPause: Duration = .seconds(2)
    private static let longestPause: Duration = .seconds(60)

    /// Tries until it is done or refused, or nobody waits for it any more.
    ///
    /// - Parameter tell: hears one sentence, or none where the tracker has no catalogue.
    static func register(
        _ file: TorrentFile,
        at tracker: TrackerURL,
        stateFolder: String?,
        tell: (String) async -> Void
    ) async {
        var pause = firstPause
        let name = file.info.name
        while !Task.isCancelled {
            do throws(TrackerClientError) {
                let client = try TrackerClient(tracker, stateFolder: stateFolder)
                // A foreign tracker is asked this once, and never sent a torrent.
                _ = try await client.statistics()
                _ = try await client.publish(name, torrent: file.bytes)
                let place = tracker.nameSuffix
                return await tell(
                    "registered at \(tracker): shoal fetch \(ShellText.quoted("\(DisplayText.clean(name))@\(place)"))"
                )
            } catch {
                switch error.kind {
                case .network: break
                case .stranger, .notFound: return
                case .login, .refused, .badData, .insecure, .files:
                    return await tell("not registered in the catalogue of \(error.sentence)")
                }
            }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, longestPause)
        }
    }
}
