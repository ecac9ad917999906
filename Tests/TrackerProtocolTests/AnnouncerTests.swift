import Primitives
import Testing

@testable import TrackerProtocol

private let start = Instant.zero + .seconds(1000)
private let peer = Endpoint(.v4(0xc000_0207), 6881)

private func url(_ text: String) -> TrackerURL {
    guard let url = TrackerURL(text) else { preconditionFailure("\(text) is no tracker") }
    return url
}

private let a = url("http://a.example/announce")
private let b = url("http://b.example/announce")
private let c = url("udp://c.example:6969")

/// An announcer and what it said.
private struct Talk: ~Copyable {
    var announcer: Announcer
    var now = start

    init(
        tiers: [[TrackerURL]] = [],
        named: [TrackerURL] = [],
        families: [AddressFamily] = [.v4],
        seed: UInt64 = 1
    ) {
        announcer = Announcer(tiers: tiers, named: named, families: families, seed: seed, at: start)
    }

    /// What is asked of whom, when the time has come.
    mutating func wait(_ duration: Duration = .zero) -> [String] {
        now = now + duration
        var actions: [Announcer.Action] = []
        announcer.advanced(to: now, into: &actions)
        return said(actions)
    }

    mutating func answer(
        _ line: Announcer.Line,
        interval: Int64 = 1800,
        peers: [Endpoint] = [],
        _ change: (inout TrackerAnswer) -> Void = { _ in }
    ) -> [String] {
        var answer = TrackerAnswer()
        answer.interval = interval
        answer.peers = peers
        change(&answer)
        var actions: [Announcer.Action] = []
        announcer.succeeded(line, answer, at: now, into: &actions)
        return said(actions)
    }

    mutating func fail(_ line: Announcer.Line, _ failure: AnnounceFailure = .malformed) -> [String] {
        var actions: [Announcer.Action] = []
        announcer.failed(line, failure, at: now, into: &actions)
        return said(actions)
    }

    mutating func stop() -> [String] {
        var actions: [Announcer.Action] = []
        announcer.stop(into: &actions)
        return said(actions)
    }

    var isOver: Bool { announcer.isOver }

    /// Seconds until something is due, rounded.
    var pause: Int? { announcer.nextDeadline.map { Int(($0 - now).inSeconds.rounded()) } }

    private func said(_ actions: [Announcer.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .announce(let line, let tracker, let event, let id):
                "\(event) \(tracker)\(line.family == .v6 ? " v6" : "")\(id.map { " id \($0)" } ?? "")"
            case .found(let peers): "found \(peers.count)"
            case .tell(let report):
                switch report.outcome {
                case .announced(let answer, let interval):
                    "\(report.tracker) has \(answer.peers.count), again in \(Int(interval.inSeconds))"
                        + (answer.warning.map { ": \($0)" } ?? "")
                case .failed(let failure, let retry):
                    "\(report.tracker) failed: \(failure)\(retry == nil ? " for good" : "")"
                }
            }
        }
    }
}

private func line(_ tracker: Int, _ family: AddressFamily = .v4) -> Announcer.Line {
    Announcer.Line(tracker: tracker, family: family)
}

@Suite("Announcer")
struct AnnouncerTests {
    @Test("says started, comes back at the interval, says completed once and stopped at the end")
    func life() {
        var talk = Talk(named: [a])
        #expect(talk.wait() == ["started http://a.example"])
        #expect(talk.pause == nil)
        #expect(talk.answer(line(0), peers: [peer]) == ["found 1", "http://a.example has 1, again in 1800"])
        #expect(talk.pause == 1800)
        #expect(talk.wait(.seconds(1799)) == [])
        #expect(talk.wait(.seconds(1)) == ["interval http://a.example"])
        #expect(talk.answer(line(0)) == ["http://a.example has 0, again in 1800"])
        talk.announcer.completed(at: talk.now)
        #expect(talk.wait() == ["completed http://a.example"])
        #expect(talk.answer(line(0)) == ["http://a.example has 0, again in 1800"])
        #expect(talk.wait(.seconds(1800)) == ["interval http://a.example"])
        #expect(talk.answer(line(0)) == ["http://a.example has 0, again in 1800"])
        #expect(talk.stop() == ["stopped http://a.example"])
        #expect(talk.isOver == false)
        #expect(talk.answer(line(0)) == [])
        #expect(talk.isOver == true)
    }

    @Test("whoever knows us hears at once that we are reached in another way, and nobody else")
    func announcesAgain() {
        var talk = Talk(named: [a, b])
        #expect(talk.wait() == ["started http://a.example", "started http://b.example"])
        _ = talk.answer(line(0))
        _ = talk.fail(line(1))
        talk.announcer.announcesAgain(at: talk.now)
        #expect(talk.wait() == ["interval http://a.example"])
        _ = talk.answer(line(0))
        #expect(talk.wait(.seconds(1)) == [])
    }

    @Test("what changes while an announce is under way is told right after it")
    func changesEarly() {
        var talk = Talk(named: [a])
        for event in ["started", "interval"] {
            #expect(talk.wait(.seconds(3600)) == ["\(event) http://a.example"])
            talk.announcer.announcesAgain(at: talk.now)
            _ = talk.answer(line(0))
            #expect(talk.wait() == ["interval http://a.example"])
            _ = talk.answer(line(0))
            #expect(talk.wait(.seconds(1)) == [])
        }
    }

    @Test("what completes while the first announce is under way is told right after it")
    func completedEarly() {
        var talk = Talk(named: [a])
        #expect(talk.wait() == ["started http://a.example"])
        talk.announcer.completed(at: talk.now)
        #expect(talk.answer(line(0)) == ["http://a.example has 0, again in 1800"])
        #expect(talk.wait() == ["completed http://a.example"])
    }

    @Test("who ends right when everything has arrived says so before it says goodbye")
    func completedAtTheEnd() {
        var talk = Talk(named: [a])
        _ = talk.wait()
        _ = talk.answer(line(0))
        talk.announcer.completed(at: talk.now)
        #expect(talk.stop() == ["completed http://a.example"])
        #expect(talk.answer(line(0)) == ["stopped http://a.example"])
        #expect(talk.isOver == false)
        #expect(talk.fail(line(0)) == [])
        #expect(talk.isOver == true)
    }

    @Test("who never answered is told nothing at the end, who may have heard the first word is")
    func stopsWhatIsKnown() {
        var talk = Talk(named: [a, b])
        #expect(talk.wait() == ["started http://a.example", "started http://b.example"])
        #expect(talk.fail(line(0)) == ["http://a.example failed: its answer makes no sense"])
        #expect(talk.stop() == ["stopped http://b.example"])
    }

    @Test("tiers: the first that answers is kept, and moves to the front (BEP 12)")
    func tiers() {
        var talk = Talk(tiers: [[a], [b, c]], seed: 2)
        #expect(talk.wait() == ["started http://a.example"])
        let next = talk.fail(line(0))
        #expect(next == ["http://a.example failed: its answer makes no sense", "started http://b.example"])
        #expect(
            talk.fail(line(1), .unreachable("x")) == ["http://b.example failed: x", "started udp://c.example:6969"]
        )
        #expect(talk.answer(line(2)) == ["udp://c.example:6969 has 0, again in 1800"])
        // The first tier is tried again, and then whoever answered.
        #expect(talk.wait(.seconds(1800)) == ["started http://a.example"])
        #expect(talk.fail(line(0)).last == "interval udp://c.example:6969")
    }

    @Test("with nobody left the pauses double, with jitter, up to half an hour", arguments: [UInt64(1), 2, 3])
    func backOff(seed: UInt64) {
        var talk = Talk(tiers: [[a]], seed: seed)
        _ = talk.wait()
        var pauses: [Int] = []
        for _ in 0..<14 {
            _ = talk.fail(line(0))
            let pause = talk.pause ?? 0
            pauses.append(pause)
            #expect(talk.wait(.seconds(pause + 1)) == ["started http://a.example"])
        }
        for (index, pause) in pauses.enumerated() {
            let plain = min(5 * (1 << index), 1800)
            #expect((plain * 3 / 4 - 1...plain * 5 / 4 + 1).contains(pause))
        }
    }

    @Test("a tracker that has answered before is asked again within a minute: it was started anew")
    func knownComesBack() {
        var talk = Talk(named: [a])
        _ = talk.wait()
        _ = talk.answer(line(0))
        #expect(talk.wait(.seconds(1800)) == ["interval http://a.example"])
        for _ in 0..<10 {
            _ = talk.fail(line(0), .unreachable("nobody listens there"))
            let pause = talk.pause ?? 0
            #expect(pause <= 75)
            #expect(talk.wait(.seconds(pause + 1)) == ["interval http://a.example"])
        }
    }

    @Test("a refusal's own time is kept (BEP 31)")
    func retry() {
        var talk = Talk(named: [a, b])
        _ = talk.wait()
        #expect(
            talk.fail(line(0), .refused("come later", retry: .after(minutes: 20))) == [
                "http://a.example failed: come later"
            ]
        )
        #expect(talk.fail(line(1), .refused("go away", retry: .never)) == ["http://b.example failed: go away for good"])
        #expect(talk.pause == 1200)
        #expect(talk.wait(.seconds(1200)) == ["started http://a.example"])
        _ = talk.fail(line(0), .refused("", retry: .never))
        #expect(talk.pause ?? 0 > 1_000_000)
    }

    @Test(
        "an interval is bounded by a minute and a day (T14)",
        arguments: [(-5, 60), (0, 60), (90, 90), (Int64.max, 86400)]
    )
    func interval(asked: Int64, kept: Int) {
        var talk = Talk(named: [a])
        _ = talk.wait()
        #expect(talk.answer(line(0), interval: asked) == ["http://a.example has 0, again in \(kept)"])
    }

    @Test("a tracker on this host may be asked every second")
    func localInterval() {
        var talk = Talk(named: [url("http://127.0.0.1:6969")])
        _ = talk.wait()
        #expect(talk.answer(line(0), interval: 0) == ["http://127.0.0.1:6969 has 0, again in 1"])
    }

    @Test("who has run out of peers comes back as soon as the tracker allows")
    func early() {
        var talk = Talk(named: [a])
        _ = talk.wait()
        _ = talk.answer(line(0)) { $0.minInterval = 900 }
        talk.announcer.wantsPeers(at: talk.now)
        #expect(talk.pause == 900)
        #expect(talk.wait(.seconds(900)) == ["interval http://a.example"])
    }

    @Test("both families go their own way, and a failure in one is told only when the other has none to show (BEP 7)")
    func families() {
        var talk = Talk(named: [a], families: [.v4, .v6])
        #expect(talk.wait() == ["started http://a.example", "started http://a.example v6"])
        #expect(talk.fail(line(0, .v6), .noAddress) == [])
        #expect(talk.answer(line(0)) == ["http://a.example has 0, again in 1800"])
        #expect(talk.wait(.seconds(1800)) == ["interval http://a.example"])
        #expect(talk.fail(line(0), .unreachable("x")) == ["http://a.example failed: x"])
    }

    @Test("with both families failing the person hears it once it is sure")
    func bothFail() {
        var talk = Talk(named: [a], families: [.v4, .v6])
        _ = talk.wait()
        #expect(talk.fail(line(0), .unreachable("nobody listens there")) == [])
        #expect(talk.fail(line(0, .v6), .unreachable("nobody listens there")).count == 1)
    }

    @Test("a numeric address is asked in its own family alone")
    func numeric() {
        var talk = Talk(named: [url("http://192.0.2.1:6969"), url("udp://[2001:db8::1]:6969")], families: [.v4, .v6])
        #expect(talk.wait() == ["started http://192.0.2.1:6969", "started udp://[2001:db8::1]:6969 v6"])
    }

    @Test("the other nodes of a tracker of our kind are asked too, each once")
    func nodes() {
        var talk = Talk(named: [a])
        _ = talk.wait()
        _ = talk.answer(line(0)) { $0.nodes = [b.text, a.text, "nonsense"] }
        #expect(talk.wait() == ["started http://b.example"])
        _ = talk.answer(line(1)) { $0.nodes = [a.text, b.text] }
        #expect(talk.wait() == [])
        #expect(talk.stop().count == 2)
    }

    @Test("what a tracker wants sent along is sent along, its warning handed on")
    func trackerID() {
        var talk = Talk(named: [a])
        _ = talk.wait()
        let said = talk.answer(line(0)) {
            $0.trackerID = [1, 2]
            $0.warning = "old client"
        }
        #expect(said == ["http://a.example has 0, again in 1800: old client"])
        #expect(talk.wait(.seconds(1800)) == ["interval http://a.example id [1, 2]"])
    }

    @Test("no more trackers are kept than the limit")
    func limit() {
        let many = (1...300).map { url("http://t\($0).example") }
        var talk = Talk(named: many)
        #expect(talk.wait().count == AnnouncerLimits().trackers)
    }

    @Test("an answer that nobody waits for changes nothing")
    func stray() {
        var talk = Talk(named: [a])
        #expect(talk.answer(line(0)) == [])
        #expect(talk.answer(line(7)) == [])
        #expect(talk.fail(line(0)) == [])
    }
}
