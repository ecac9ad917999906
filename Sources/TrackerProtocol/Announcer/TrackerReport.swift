/// What there is to say about one tracker to whoever watches a torrent.
package struct TrackerReport: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        case announced(TrackerAnswer, interval: Duration)
        /// In none of our families; `nil` where it is not asked again.
        case failed(AnnounceFailure, retryIn: Duration?)
    }

    package let tracker: TrackerURL
    package let outcome: Outcome

    package init(tracker: TrackerURL, outcome: Outcome) {
        self.tracker = tracker
        self.outcome = outcome
    }
}
