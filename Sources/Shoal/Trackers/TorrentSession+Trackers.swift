import Availability
import Metainfo
import Primitives
import Swarming
import TrackerProtocol

/// What a torrent knows of its trackers.
struct Trackers: ~Copyable {
    private enum Stage {
        /// Nobody is asked before it is known where we listen.
        case waiting
        case announcing
        case left
    }

    /// As torrent, link and person gave them; `announcer` is made of them once we listen.
    private(set) var tiers: [[TrackerURL]] = []
    private(set) var named: [TrackerURL] = []
    private var stage = Stage.waiting
    var announcer = Announcer(tiers: [], named: [], families: [], seed: 0, at: .zero)
    var actions: [Announcer.Action] = []
    var questions: [Announcer.Line: TrackerDriver.Question] = [:]
    /// What each tracker said last.
    var reports: [TrackerURL: TrackerReport] = [:]
    /// The one that tells us to a tracker after our address changed.
    var key: UInt32 = 0

    mutating func add(tiers texts: [[String]], named names: [String]) {
        tiers += texts.map { $0.compactMap { TrackerURL($0) }.filter(\.isSafeFromStrangers) }.filter { !$0.isEmpty }
        named += names.compactMap { TrackerURL($0) }
    }

    /// Begins to announce; false where that was done, or there is nobody to announce to.
    mutating func begin(in families: [AddressFamily], using random: inout SeededRandom, at now: Instant) -> Bool {
        guard case .waiting = stage, !isEmpty else { return false }
        stage = .announcing
        key = UInt32.random(in: 1...UInt32.max, using: &random)
        announcer = Announcer(tiers: tiers, named: named, families: families, seed: random.next(), at: now)
        return true
    }

    mutating func advance(to now: Instant) { announcer.advanced(to: now, into: &actions) }

    mutating func answered(_ line: Announcer.Line, _ result: Result<TrackerAnswer, AnnounceFailure>, at now: Instant) {
        switch result {
        case .success(let answer): announcer.succeeded(line, answer, at: now, into: &actions)
        case .failure(let failure): announcer.failed(line, failure, at: now, into: &actions)
        }
    }

    /// The last words are on their way; false where there are none to say.
    mutating func leave() -> Bool {
        guard case .announcing = stage else { return false }
        announcer.stop(into: &actions)
        return true
    }

    /// True once, when the last words were answered.
    mutating func hasLeft() -> Bool {
        guard case .announcing = stage, announcer.isOver else { return false }
        stage = .left
        return true
    }

    var isEmpty: Bool { tiers.isEmpty && named.isEmpty }

    /// Whether one has answered, or all have failed.
    var isHeard: Bool {
        guard !isEmpty else { return true }
        return questions.isEmpty && !reports.isEmpty
            || reports.values.contains { if case .announced = $0.outcome { true } else { false } }
    }
}

/// Announcing to trackers, and dialling whom they name.
extension TorrentSession {
    /// Of a peer without metadata: a tracker that is told 0 takes it for a seed, and one block is the least there can be.
    private static let unknownLeft: UInt64 = 16384

    /// Begins to announce, once it is known where we listen and what is on disk: a tracker that was told otherwise at first
    /// would count a seed among the leechers until the next announce.
    func askTrackers() {
        guard core.trackers != nil else { return }
        switch phase {
        case .metadata, .running, .paused: break
        case .checking, .stopped: return
        }
        let families = AddressFamily.allCases.filter { core.serves($0) }
        guard trackers.begin(in: families, using: &core.random, at: core.now) else { return }
        advanceTrackers()
    }

    func advanceTrackers() {
        trackers.advance(to: core.now)
        performTrackers()
    }

    /// The last peer is gone, and there are pieces left to fetch.
    func trackersNamePeersSoon() {
        guard !isSharing, swarm?.isComplete != true else { return }
        trackers.announcer.wantsPeers(at: core.now)
        trackerAlarm.set(trackers.announcer.nextDeadline)
    }

    /// What they were told of us is true no more.
    func trackersHearAgain() {
        trackers.announcer.announcesAgain(at: core.now)
        trackerAlarm.set(trackers.announcer.nextDeadline)
    }

    /// Trackers count who fetched all of it; what was there before does not count.
    func tellTrackersOfCompletion() {
        guard report.downloaded > 0 else { return }
        trackers.announcer.completed(at: core.now)
        trackerAlarm.set(trackers.announcer.nextDeadline)
    }

    /// Takes the torrent back. The node waits for that a little before it ends.
    func leaveTrackers() {
        trackerAlarm.set(nil)
        for question in trackers.questions.values { core.trackers?.cancel(question) }
        trackers.questions = [:]
        guard trackers.leave() else { return }
        core.takesLeave()
        performTrackers()
        tellIfTrackersLeft()
    }

    private func performTrackers() {
        while !trackers.actions.isEmpty {
            let batch = trackers.actions
            trackers.actions = []
            for action in batch {
                switch action {
                case .announce(let line, let url, let event, let trackerID): announce(line, url, event, trackerID)
                case .found(let peers): found(byTracker: peers)
                case .tell(let report): tell(report)
                }
            }
        }
        guard case .stopped = phase else { return trackerAlarm.set(trackers.announcer.nextDeadline) }
    }

    private func announce(
        _ line: Announcer.Line,
        _ url: TrackerURL,
        _ event: AnnounceRequest.Event,
        _ trackerID: [UInt8]?
    ) {
        guard let driver = core.trackers,
            // A tracker of our own network tells others who are in there too.
            let port = url.isOutside ? core.publicPort(line.family) : core.listenPort
        else { return }
        var request = AnnounceRequest(infoHash: infoHash, peerID: peerID, port: port)
        request.uploaded = UInt64(clamping: report.uploaded)
        request.downloaded = UInt64(clamping: report.downloaded)
        request.left = left
        request.event = event
        request.key = trackers.key
        if event == .stopped { request.wanted = 0 }
        var announce = AnnounceURL(request)
        announce.trackerID = trackerID
        announce.announcedAddress = core.configuration.announceIP.flatMap { IPAddress($0) }
        // Over UDP there is no room for it; the rarest pieces, which take milliseconds to find, are for records.
        if url.scheme != .udp, event != .stopped, let have = swarm?.have, let blob = HaveBlob(have) {
            announce.pieceCount = have.count
            announce.haveBlob = blob.bytes
        }
        trackers.questions[line] = driver.announce(announce, at: url, in: line.family) { [self] result in
            answered(line, result)
        }
    }

    private func answered(_ line: Announcer.Line, _ result: Result<TrackerAnswer, AnnounceFailure>) {
        trackers.questions[line] = nil
        trackers.answered(line, result, at: core.now)
        performTrackers()
        tellIfTrackersLeft()
        if isSharing { readyIfKnown() }
    }

    private func tellIfTrackersLeft() {
        if trackers.hasLeft() { core.tookLeave() }
    }

    /// Bytes to go of the whole torrent: who fetches a part only is no seed.
    private var left: UInt64 {
        guard let have = swarm?.have, let layout = torrent?.layout else { return TorrentSession.unknownLeft }
        if have.isFull { return 0 }
        return UInt64(max(1, layout.totalSize - (swarm?.verifiedWantedBytes ?? 0)))
    }

    private func found(byTracker peers: [Endpoint]) {
        for peer in peers where !core.isOurs(peer) && core.serves(peer.address.family) {
            directory.add(peer, source: .tracker, at: core.now)
        }
        dial()
    }

    private func tell(_ report: TrackerReport) {
        trackers.reports[report.tracker] = report
        core.emit(.tracker(TrackerStatus(report, of: infoHash)))
    }

    /// What trackers have to do with it that nobody is connected; `nil` without trackers.
    var trackerWait: String? {
        guard !trackers.isEmpty else { return nil }
        var failures: [String] = []
        var (seeders, leechers, isAnswered) = (0, 0, false)
        for report in trackers.reports.values.sorted(by: { $0.tracker.text < $1.tracker.text }) {
            switch report.outcome {
            case .announced(let answer, _):
                isAnswered = true
                seeders = max(seeders, answer.seeders ?? 0)
                leechers = max(leechers, answer.leechers ?? 0)
            case .failed(let failure, _): failures.append("\(report.tracker) failed: \(failure)")
            }
        }
        if isAnswered {
            // We are one of them.
            let others = max(0, leechers - (isSharing ? 0 : 1))
            return "the tracker knows \(seeders) \(seeders == 1 ? "seeder" : "seeders") and \(others) other leechers"
        }
        return failures.isEmpty ? "asking the tracker" : failures.joined(separator: "; ")
    }
}
