import Shoal
import TrackerProtocol

/// `shoal tracker scrape INFOHASH`
enum TrackerScrapeCommand {
    static func run(
        _ infoHash: String,
        _ trackers: [String],
        stateFolder: String?,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        let access = TrackerAccess(trackers, stateFolder: stateFolder)
        var configuration = Configuration()
        configuration.listen = .endpoint(":0")
        configuration.usesDHT = false
        configuration.trackerPasskeys = access.passkeys
        let node = Node(configuration)
        try await node.start()
        var failure: ShoalError?
        for tracker in access.urls {
            do throws(ShoalError) {
                let count = try await node.scrape(infoHash, at: tracker.text)
                try console.write(line(count, of: infoHash, at: tracker, options), to: .standardOutput)
            } catch {
                failure = error
                if access.urls.count > 1, !options.json, !options.isQuiet {
                    try console.write(error.message + "\n", to: .standardError)
                }
            }
        }
        await node.stop()
        if let failure { throw failure }
        return 0
    }

    private static func line(
        _ count: TrackerCounts,
        of infoHash: String,
        at tracker: TrackerURL,
        _ options: ConsoleOptions
    ) -> String {
        guard options.json else {
            return "\(tracker)  \(HumanUnits.count(count.seeders, "seeder")), "
                + "\(HumanUnits.count(count.leechers, "leecher")), completed \(HumanUnits.count(count.completed, "time"))\n"
        }
        var object = JSONObject(event: "scrape")
        object.add("info_hash", infoHash)
        object.add("tracker", tracker.description)
        object.add("seeders", count.seeders)
        object.add("leechers", count.leechers)
        object.add("completed", count.completed)
        return object.line + "\n"
    }
}
