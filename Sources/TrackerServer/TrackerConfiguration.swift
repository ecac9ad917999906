package import Primitives
package import TrackerProtocol

/// What a tracker node is told at its start.
package struct TrackerConfiguration: Sendable {
    /// Where it listens for announces over HTTP and UDP.
    package enum Listening: Hashable, Sendable {
        /// All addresses of both families; port 0 is any that is free.
        case everywhere(port: UInt16)
        case at(Endpoint)
    }

    package var listening = Listening.everywhere(port: 6969)
    /// `sqlite:PATH` or `postgres://...`; `nil` for `tracker.sqlite` in the state folder, or in memory where there is none.
    package var database: String?
    /// Whether announces need the passkey of an account.
    package var needsAccounts = false
    /// How often peers announce, and what the registry holds.
    package var limits = RegistryLimits()
    /// Where the text protocol of chunk folders listens; `nil` for nowhere.
    package var chunks: Listening?
    /// A file of info-hashes that alone are served (T12), or that are not.
    package var allowList: String?
    package var denyList: String?
    /// A file that gets a line for each message of the text protocol; `nil` for none.
    package var trace: String?
    /// Where state is kept that is not in the database.
    package var stateFolder: String?
    /// The URL by which clients reach it, as the page and other nodes on the same database tell them; `nil` for the address
    /// that it listens on, or the first public one of this host, or else a private one.
    package var ownURL: TrackerURL?
    /// Proxies on other machines that say in `X-Forwarded-For` whose requests they hand on.
    package var proxies: [IPAddress] = []

    /// Whether SIGINT and SIGTERM become `TrackerEvent.interrupted` instead of ending the process at once, and SIGHUP
    /// reads the lists again.
    package var reportsSignals = false

    package init() {}
}
