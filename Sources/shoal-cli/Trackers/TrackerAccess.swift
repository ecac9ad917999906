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
            if let passkey = url.passkey { passkeys[url.place.description.lowercased()] = passkey }
            return url.withoutPasskey
        }
        self.passkeys = passkeys
    }
}
