import Primitives
import Swarming
import Testing

@Suite("Publishing schedule")
struct PublishingTests {
    private func schedule(_ pieceCount: Int = 1000, isPrivate: Bool = false, seed: UInt64 = 1) -> PublishingSchedule {
        PublishingSchedule(pieceCount: pieceCount, isPrivate: isPrivate, seed: seed)
    }

    private func seconds(_ seconds: Int) -> Instant { start + .seconds(seconds) }

    @Test("the first record once there is a piece and a way to us")
    func first() {
        var schedule = schedule()
        #expect(schedule.publication(at: start) == nil)
        schedule.becameFindable()
        #expect(schedule.nextDeadline == nil)
        schedule.holds(1, isComplete: false)
        #expect(schedule.publication(at: start) == .usual)
        #expect(schedule.publication(at: start) == nil)
        schedule = self.schedule()
        schedule.holds(1, isComplete: false)
        #expect(schedule.nextDeadline == nil)
        schedule.becameFindable()
        #expect(schedule.publication(at: start) == .usual)
    }

    @Test("who may be gone soon waits with the first one, and takes nothing back that was never said")
    func waits() {
        var schedule = PublishingSchedule(pieceCount: 1000, isPrivate: false, earliest: seconds(15), seed: 1)
        schedule.becameFindable()
        schedule.holds(1000, isComplete: true)
        #expect(schedule.publication(at: seconds(14)) == nil)
        #expect(schedule.nextDeadline == seconds(15))
        var other = schedule
        #expect(schedule.stopped() == nil)
        #expect(other.publication(at: seconds(15)) == .usual)
        #expect(other.stopped() == .farewell)
    }

    @Test("a twentieth of the torrent is news, after two minutes", arguments: [(51, nil), (52, 120)] as [(Int, Int?)])
    func news(held: Int, due: Int?) {
        var schedule = schedule()
        schedule.becameFindable()
        schedule.holds(2, isComplete: false)
        #expect(schedule.publication(at: start) == .usual)
        schedule.holds(held, isComplete: false)
        #expect(schedule.publication(at: seconds(119)) == nil)
        #expect(schedule.publication(at: seconds(120)) == (due == nil ? nil : .usual))
        #expect((schedule.nextDeadline ?? start) > seconds(1600))
    }

    @Test("completion is told at once, fifteen seconds after another at the earliest")
    func completion() {
        var schedule = schedule()
        schedule.becameFindable()
        schedule.holds(900, isComplete: false)
        #expect(schedule.publication(at: start) == .usual)
        schedule.holds(1000, isComplete: true)
        #expect(schedule.nextDeadline == seconds(15))
        #expect(schedule.publication(at: seconds(14)) == nil)
        #expect(schedule.publication(at: seconds(15)) == .usual)
        // Once is enough.
        #expect(schedule.publication(at: seconds(200)) == nil)
    }

    @Test("a selection that is complete is told too, and a longer one later again")
    func selection() {
        var schedule = schedule()
        schedule.becameFindable()
        schedule.holds(10, isComplete: false)
        #expect(schedule.publication(at: start) == .usual)
        schedule.holds(11, isComplete: true)
        #expect(schedule.publication(at: seconds(15)) == .usual)
        schedule.holds(11, isComplete: false)
        #expect(schedule.publication(at: seconds(300)) == nil)
    }

    @Test("pieces that were lost are taken back soon: somebody may come for them")
    func loss() {
        var schedule = schedule()
        schedule.becameFindable()
        schedule.holds(1000, isComplete: true)
        #expect(schedule.publication(at: start) == .usual)
        schedule.holds(999, isComplete: false)
        #expect(schedule.nextDeadline == seconds(15))
        schedule.holds(0, isComplete: false)
        // A record of nothing does not exist; the old one runs out.
        #expect(schedule.nextDeadline == nil)
    }

    @Test("every half hour, a tenth sooner or later, never twice the same", arguments: [1, 2, 3] as [UInt64])
    func heartbeat(seed: UInt64) throws {
        var schedule = schedule(seed: seed)
        schedule.becameFindable()
        schedule.holds(1000, isComplete: true)
        var now = start
        var pauses: [Duration] = []
        #expect(schedule.publication(at: now) == .usual)
        for _ in 0..<50 {
            let due = try #require(schedule.nextDeadline)
            pauses.append(due - now)
            now = due
            #expect(schedule.publication(at: now) == .usual)
        }
        #expect(pauses.allSatisfy { $0 >= .seconds(1620) && $0 <= .seconds(1980) })
        #expect(Set(pauses).count > 10)
        #expect(PublishingSchedule.Publication.usual.lifetimeSeconds > 1980)
    }

    @Test("nothing is said of private torrents (BEP 27)")
    func privacy() {
        var schedule = schedule(isPrivate: true)
        schedule.becameFindable()
        schedule.holds(1000, isComplete: true)
        #expect(schedule.nextDeadline == nil)
        #expect(schedule.publication(at: seconds(9999)) == nil)
        #expect(schedule.stopped() == nil)
    }

    @Test("who stops takes its word back within a minute, if it gave one")
    func farewell() {
        var schedule = schedule()
        #expect(schedule.stopped() == nil)
        schedule.becameFindable()
        schedule.holds(5, isComplete: false)
        #expect(schedule.publication(at: start) == .usual)
        let last = schedule.stopped()
        #expect(last == .farewell)
        #expect(last?.lifetimeSeconds == 60)
        #expect(schedule.stopped() == nil)
        #expect(schedule.publication(at: seconds(9999)) == nil)
    }

    @Test("a torrent of one piece", arguments: [1, 2])
    func small(pieceCount: Int) {
        var schedule = schedule(pieceCount)
        schedule.becameFindable()
        schedule.holds(1, isComplete: pieceCount == 1)
        #expect(schedule.publication(at: start) == .usual)
        schedule.holds(pieceCount, isComplete: true)
        #expect(schedule.publication(at: seconds(15)) == (pieceCount == 1 ? nil : .usual))
    }
}
