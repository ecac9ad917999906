/// What there is to say about one tracker to whoever watches a torrent.
package struct TrackerReport: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        case announced(seeders: Int?, leechers: Int?, peers: Int, interval: Duration, warning: String?)
        /// In none of our families; `nil` where it is not asked again.
        case failed(AnnounceFailure, retryIn: Duration?)
    }

    package let tracker: TrackerURL
    package let outcome: Outcome
}
