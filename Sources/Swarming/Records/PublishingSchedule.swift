package import Primitives

/// When to publish our own record of a torrent (secure-peer.md, §2, "Publish").
///
///     nothing to say ── a piece held, and others can find us ──▶ published ── due ──▶ published ... ── stopped ──▶ withdrawn
///
/// Due is a record at once when all is there or something was lost, after two minutes when a twentieth of the torrent came,
/// and every half hour; of a private torrent never (BEP 27).
package struct PublishingSchedule: Sendable {
    package struct Limits: Hashable, Sendable {
        /// Between any two records.
        package var shortestPause = Duration.seconds(15)
        /// Between two records of a download that goes on.
        package var pause = Duration.seconds(120)
        /// Of a hundred pieces so many are news.
        package var newsPercent = 5
        /// Half of a record's life, so that it does not end while one datagram is lost.
        package var heartbeat = Duration.seconds(1800)
        /// So many hundredths sooner or later, or all that began together would publish together for ever.
        package var heartbeatScatter = 10

        package init() {}
    }

    package enum Publication: Hashable, Sendable {
        case usual
        /// The last one, which ends soon: we are about to hold nothing.
        case farewell

        /// What the record's `t` says.
        package var lifetimeSeconds: Int { self == .usual ? 3600 : 60 }
    }

    private struct Published: Hashable {
        var at: Instant
        var held: Int
        var wasComplete: Bool
        var heartbeatAt: Instant
    }

    private let limits: Limits
    private let pieceCount: Int
    private let isPrivate: Bool
    private let earliest: Instant
    private var random: SeededRandom
    private var held = 0
    private var isComplete = false
    private var isFindable = false
    private var last: Published?

    /// - Parameters:
    ///   - isPrivate: BEP 27: such a torrent is known to its tracker alone.
    ///   - earliest: when the first record is due. Who fetches may be done and gone before anybody reads it.
    package init(
        pieceCount: Int,
        isPrivate: Bool,
        earliest: Instant = .zero,
        limits: Limits = .init(),
        seed: UInt64
    ) {
        self.earliest = earliest
        self.limits = limits
        self.pieceCount = max(1, pieceCount)
        self.isPrivate = isPrivate
        random = SeededRandom(seed: seed)
    }

    /// - Parameters:
    ///   - count: verified pieces.
    ///   - isComplete: nothing more is wanted.
    package mutating func holds(_ count: Int, isComplete: Bool) {
        held = count
        self.isComplete = isComplete
    }

    /// Others can find us: the DHT keeps our address, or peers came in.
    package mutating func becameFindable() { isFindable = true }

    /// When a record is due; the past where it is due already, `nil` where only events make one due.
    package var nextDeadline: Instant? {
        guard !isPrivate, isFindable, held > 0 else { return nil }
        guard let last else { return earliest }
        var due = last.heartbeatAt
        // What we lost somebody may come for.
        if isComplete && !last.wasComplete || held < last.held { due = min(due, last.at + limits.shortestPause) }
        if (held - last.held) * 100 >= pieceCount * limits.newsPercent { due = min(due, last.at + limits.pause) }
        return due
    }

    /// The record to publish now, if one is due; counts as published.
    package mutating func publication(at now: Instant) -> Publication? {
        guard let due = nextDeadline, due <= now else { return nil }
        let scatter = Int.random(in: -limits.heartbeatScatter...limits.heartbeatScatter, using: &random)
        let heartbeat = now + limits.heartbeat * (100 + scatter) / 100
        last = Published(at: now, held: held, wasComplete: isComplete, heartbeatAt: heartbeat)
        return .usual
    }

    /// The torrent stops, or is removed: what was published is taken back.
    package mutating func stopped() -> Publication? {
        isFindable = false
        defer { last = nil }
        return last == nil ? nil : .farewell
    }
}
