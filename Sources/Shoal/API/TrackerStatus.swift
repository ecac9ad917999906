import Primitives
import TrackerProtocol

/// How many take part in a torrent, as a tracker counts them (BEP 15, BEP 48).
public struct TrackerCounts: Hashable, Sendable {
    /// Peers that have everything.
    public var seeders: Int
    /// Peers that do not.
    public var leechers: Int
    /// How often it was fetched to the end.
    public var completed: Int

    init(_ count: TrackerCount) {
        (seeders, leechers, completed) = (count.seeders, count.leechers, count.completed)
    }
}

/// What a tracker said, or why it said nothing.
public struct TrackerStatus: Hashable, Sendable {
    /// How an announce went.
    public enum State: String, Hashable, Sendable {
        /// The tracker knows of us.
        case announced
        /// It refused, or could not be reached, in none of our address families.
        case failed
    }

    /// 40 hexadecimal digits.
    public var infoHash: String
    /// `http://host:port`, without the path, which may hold a passkey.
    public var tracker: String
    /// How it went.
    public var state: State
    /// Peers that have everything, where the tracker says.
    public var seeders: Int?
    /// Peers that do not.
    public var leechers: Int?
    /// How many it named.
    public var peers: Int?
    /// The address that it sees us at and hands out, where it says (BEP 24).
    public var externalAddress: String?
    /// Seconds until the next announce; `nil` where there will be none.
    public var nextIn: Double?
    /// Why it failed, or its warning, in its own words.
    public var message: String?

    init(_ report: TrackerReport, of infoHash: InfoHash) {
        self.infoHash = infoHash.hex
        tracker = report.tracker.description
        switch report.outcome {
        case .announced(let answer, let interval):
            state = .announced
            (seeders, leechers, peers) = (answer.seeders, answer.leechers, answer.peers.count)
            nextIn = interval.inSeconds
            externalAddress = answer.externalAddress?.description
            message = answer.warning
        case .failed(let failure, let retry):
            state = .failed
            nextIn = retry?.inSeconds
            message = failure.description
        }
    }
}
