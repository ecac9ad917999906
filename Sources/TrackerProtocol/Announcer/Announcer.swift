import Metainfo
package import Primitives

/// When one torrent announces to which tracker, and with which word (BEP 3, 7, 12, 31).
///
/// Trackers come in groups. The torrent's own tiers are one, in which one tracker at a time is asked; each tracker that
/// the person names is a group of its own, for it was named to be asked; and so is each node that a tracker of our kind
/// shares its database with. A group goes its way in IPv4 and in IPv6 apart, with tiers and pauses of its own: a tracker
/// knows the address that an announce came from, and hands out only that.
package struct Announcer: ~Copyable {
    /// One tracker in one family.
    package struct Line: Hashable, Sendable {
        let tracker: Int
        package let family: AddressFamily
    }

    package enum Action: Hashable, Sendable {
        case announce(Line, TrackerURL, AnnounceRequest.Event, trackerID: [UInt8]?)
        case found([Endpoint])
        case tell(TrackerReport)
    }

    /// What is known of a line.
    private struct Standing {
        /// The tracker has heard `started`, and answered.
        var isKnown = false
        /// It has heard `completed`.
        var isToldOfCompletion = false
        /// What it was last asked with.
        var event = AnnounceRequest.Event.interval
        var failures = 0
        var retryAt: Instant
        var trackerID: [UInt8]?
    }

    private let limits: AnnouncerLimits
    private let families: [AddressFamily]
    private var random: SeededRandom
    private var trackers: [TrackerURL] = []
    private var routes: [AnnounceRoute] = []
    private var standings: [Line: Standing] = [:]
    /// Everything wanted has arrived since the first announce: trackers count that.
    private var hasCompleted = false
    private var isStopping = false
    /// Lines whose last word, `stopped`, is under way.
    private var farewells: Set<Line> = []

    /// - Parameters:
    ///   - tiers: of the torrent (BEP 12); the trackers of each are tried in an order of chance.
    ///   - named: by the person.
    ///   - families: that we can be reached in.
    package init(
        tiers: [[TrackerURL]],
        named: [TrackerURL],
        families: [AddressFamily],
        limits: AnnouncerLimits = AnnouncerLimits(),
        seed: UInt64,
        at now: Instant
    ) {
        self.limits = limits
        self.families = families
        random = SeededRandom(seed: seed)
        for url in named { addGroup([[url]], at: now) }
        addGroup(tiers, at: now)
    }

    package var isEmpty: Bool { trackers.isEmpty }
    /// Whether every `stopped` was answered, or is not worth waiting for.
    package var isOver: Bool { isStopping && farewells.isEmpty }

    package var nextDeadline: Instant? {
        isStopping ? nil : routes.lazy.filter { $0.asked == nil }.map(\.dueAt).min()
    }

    /// One more group, as trackers of magnet links and metadata come in late. What is known already stays where it is.
    package mutating func addGroup(_ tiers: [[TrackerURL]], at now: Instant) {
        var group: [[Int]] = []
        for tier in tiers {
            var indices: [Int] = []
            for url in tier where trackers.count < limits.trackers && !trackers.contains(url) {
                indices.append(trackers.count)
                trackers.append(url)
            }
            indices.shuffle(using: &random)
            if !indices.isEmpty { group.append(indices) }
        }
        guard !group.isEmpty, !isStopping else { return }
        for family in families {
            let tiers = group.map { $0.filter { trackers[$0].canBeReached(in: family) } }.filter { !$0.isEmpty }
            guard !tiers.isEmpty else { continue }
            routes.append(AnnounceRoute(family: family, tiers: tiers, dueAt: now, earliestAt: now))
            for tracker in tiers.joined() {
                standings[Line(tracker: tracker, family: family)] = Standing(retryAt: now)
            }
        }
    }

    // MARK: Time

    package mutating func advanced(to now: Instant, into actions: inout [Action]) {
        guard !isStopping else { return }
        for index in routes.indices where routes[index].asked == nil && routes[index].dueAt <= now {
            ask(along: index, after: nil, at: now, into: &actions)
        }
    }

    /// Peers have run out: the next announce comes as soon as the tracker allows.
    package mutating func wantsPeers(at now: Instant) {
        for index in routes.indices {
            routes[index].dueAt = min(routes[index].dueAt, max(now, routes[index].earliestAt))
        }
    }

    /// What was announced is true no more: whoever was told hears it anew.
    package mutating func announcesAgain(at now: Instant) {
        for index in routes.indices {
            routes[index].isOutdated = routes[index].asked != nil
            let isKnown = routes[index].order.contains { standing($0, routes[index].family)?.isKnown == true }
            if isKnown { routes[index].dueAt = now }
        }
    }

    /// Everything wanted has arrived, just now.
    package mutating func completed(at now: Instant) {
        guard !hasCompleted else { return }
        hasCompleted = true
        announcesAgain(at: now)
    }

    // MARK: Answers

    package mutating func succeeded(
        _ line: Line,
        _ answer: TrackerAnswer,
        at now: Instant,
        into actions: inout [Action]
    ) {
        guard !isStopping else { return answeredLast(line, into: &actions) }
        guard var standing = standings[line], let route = routeAsking(line) else { return }
        standing.isKnown = true
        standing.isToldOfCompletion = standing.isToldOfCompletion || standing.event == .completed
        standing.failures = 0
        standing.retryAt = now
        standing.trackerID = answer.trackerID ?? standing.trackerID
        standings[line] = standing
        let interval = interval(answer.interval, of: line)
        routes[route].asked = nil
        routes[route].answered(line.tracker)
        routes[route].earliestAt =
            now + min(interval, answer.minInterval.map { self.interval($0, of: line) } ?? interval)
        // What became true while the announce was under way is not kept for half an hour.
        let owesWord = routes[route].isOutdated || hasCompleted && !standing.isToldOfCompletion
        routes[route].dueAt = owesWord ? now : now + interval
        if !answer.peers.isEmpty { actions.append(.found(answer.peers)) }
        let outcome = TrackerReport.Outcome.announced(answer, interval: interval)
        actions.append(.tell(TrackerReport(tracker: trackers[line.tracker], outcome: outcome)))
        for node in answer.nodes ?? [] {
            if let url = TrackerURL(node) { addGroup([[url]], at: now) }
        }
    }

    package mutating func failed(
        _ line: Line,
        _ failure: AnnounceFailure,
        at now: Instant,
        into actions: inout [Action]
    ) {
        guard !isStopping else {
            farewells.remove(line)
            return
        }
        guard var standing = standings[line], let route = routeAsking(line) else { return }
        standing.failures += 1
        let pause = pause(after: failure, standing)
        standing.retryAt = pause.map { now + $0 } ?? .distantFuture
        standings[line] = standing
        routes[route].asked = nil
        if isWorthTelling(failure, of: line) {
            let report = TrackerReport(tracker: trackers[line.tracker], outcome: .failed(failure, retryIn: pause))
            actions.append(.tell(report))
        }
        ask(along: route, after: line.tracker, at: now, into: &actions)
    }

    // MARK: The end

    /// Takes the torrent back from all who know of it, or may: what was under way counts as cancelled from here on, and as
    /// heard. Whoever has not heard that the torrent is complete hears that first.
    package mutating func stop(into actions: inout [Action]) {
        guard !isStopping else { return }
        isStopping = true
        for family in families {
            for tracker in trackers.indices {
                let line = Line(tracker: tracker, family: family)
                guard let standing = standings[line], standing.isKnown || routeAsking(line) != nil else { continue }
                let owesWord = hasCompleted && !standing.isToldOfCompletion
                sayLast(owesWord ? .completed : .stopped, on: line, into: &actions)
            }
        }
    }

    private mutating func answeredLast(_ line: Line, into actions: inout [Action]) {
        guard farewells.remove(line) != nil, standings[line]?.event == .completed else { return }
        sayLast(.stopped, on: line, into: &actions)
    }

    private mutating func sayLast(_ event: AnnounceRequest.Event, on line: Line, into actions: inout [Action]) {
        farewells.insert(line)
        standings[line]?.event = event
        let trackerID = standings[line]?.trackerID
        actions.append(.announce(line, trackers[line.tracker], event, trackerID: trackerID))
    }

    // MARK: Ways

    /// Asks the first tracker in the route's order that may be asked, of those behind `last`; where there is none the route
    /// waits for the first that may be.
    private mutating func ask(along index: Int, after last: Int?, at now: Instant, into actions: inout [Action]) {
        let route = routes[index]
        let order = route.order
        let rest = last.flatMap { order.firstIndex(of: $0) }.map { order[($0 + 1)...] } ?? order[...]
        let next = rest.first { (standing($0, route.family)?.retryAt ?? now) <= now }
        guard let next else {
            let retries = order.compactMap { standing($0, route.family)?.retryAt }
            routes[index].dueAt = retries.min() ?? .distantFuture
            return
        }
        routes[index].asked = next
        routes[index].isOutdated = false
        let line = Line(tracker: next, family: route.family)
        let event = event(for: line)
        standings[line]?.event = event
        actions.append(.announce(line, trackers[next], event, trackerID: standings[line]?.trackerID))
    }

    private func event(for line: Line) -> AnnounceRequest.Event {
        guard let standing = standings[line], standing.isKnown else { return .started }
        return hasCompleted && !standing.isToldOfCompletion ? .completed : .interval
    }

    private func standing(_ tracker: Int, _ family: AddressFamily) -> Standing? {
        standings[Line(tracker: tracker, family: family)]
    }

    private func routeAsking(_ line: Line) -> Int? {
        routes.firstIndex { $0.family == line.family && $0.asked == line.tracker }
    }

    private func interval(_ seconds: Int64, of line: Line) -> Duration {
        let place = trackers[line.tracker].place
        let isLocal = place.host == "localhost" || place.endpoint?.address.isLoopback == true
        let shortest = isLocal ? limits.shortestLocalInterval : limits.shortestInterval
        let bounded = min(max(seconds, 0), Int64(limits.longestInterval.inSeconds))
        return max(.seconds(bounded), shortest)
    }

    /// Between three and five quarters of what the failures come to, so that the peers of a tracker that comes back do not
    /// all come at once.
    private mutating func pause(after failure: AnnounceFailure, _ standing: Standing) -> Duration? {
        switch failure {
        case .noAddress: return limits.pauseWithoutAddress
        case .refused(_, .never?): return nil
        case .refused(_, .after(let minutes)?):
            let longest = Int64(limits.longestInterval.inSeconds / 60)
            return .seconds(60 * min(minutes, longest))
        case .refused, .malformed, .unreachable:
            let longest = standing.isKnown ? limits.longestPauseOfKnown : limits.longestPause
            let doubled = limits.firstPause * (1 << min(max(standing.failures - 1, 0), 16))
            return min(doubled, longest) * Int.random(in: 75...125, using: &random) / 100
        }
    }

    /// While the same tracker answers, or may answer, in the other family, a failure is nobody's concern.
    private func isWorthTelling(_ failure: AnnounceFailure, of line: Line) -> Bool {
        for family in families where family != line.family {
            guard let other = standing(line.tracker, family) else { continue }
            let isBeingAsked = routes.contains { $0.family == family && $0.asked == line.tracker }
            let hasNotBeenAsked = other.failures == 0 && !other.isKnown
            if isBeingAsked || hasNotBeenAsked || other.isKnown && other.failures == 0 { return false }
            // What the other one said is more than that there is no address here.
            if failure == .noAddress { return false }
        }
        return true
    }
}
