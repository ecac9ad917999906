import EventLoop
import Metainfo
import Shoal
import TrackerAPI
import TrackerProtocol

/// The trackers that a person named, apart from the passkeys that go with them: links and torrents are handed on, and
/// must not carry them (R13).
struct TrackerAccess: Sendable {
    /// Announce URLs without passkeys.
    let urls: [TrackerURL]
    /// Passkeys by `host:port`, those of the state folder included.
    let passkeys: [String: String]

    /// - Parameter trackers: URLs that were checked when the command line was read.
    init(_ trackers: [String], stateFolder: String?) {
        var passkeys = stateFolder.map { PasskeyFile(folder: $0).passkeys(at: SystemClock.secondsSinceEpoch) } ?? [:]
        urls = trackers.compactMap { TrackerURL($0) }.map { url in
            let parts = url.path.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[1] == "announce", PasskeyGrant.isPasskey(parts[2]) else { return url }
            passkeys[url.place.description.lowercased()] = String(parts[2])
            return url.with(path: "/announce")
        }
        self.passkeys = passkeys
    }
}
