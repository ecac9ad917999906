/// How often trackers are asked, and how many.
package struct AnnouncerLimits: Hashable, Sendable {
    /// Trackers of one torrent; each is a name to resolve and a connection at every interval.
    package var trackers = 64
    /// What a tracker may ask for (hardening T14). One on this host may be asked as often as it likes.
    package var shortestInterval: Duration = .seconds(60)
    package var shortestLocalInterval: Duration = .seconds(1)
    package var longestInterval: Duration = .seconds(24 * 3600)
    /// The first pause after a failure; it doubles with each.
    package var firstPause: Duration = .seconds(5)
    /// A tracker that has answered before is likely to come back soon: it was started anew.
    package var longestPauseOfKnown: Duration = .seconds(60)
    package var longestPause: Duration = .seconds(1800)
    /// Before a tracker without an address of one family is asked for one again.
    package var pauseWithoutAddress: Duration = .seconds(3600)

    package init() {}
}
