import Metainfo
import Primitives
import Testing

@testable import Swarming

@Suite("Room for holders of rare pieces")
struct RoomTests {
    /// Ten pieces; four peers hold nine of them, two each having three, and a record names the holder of the last.
    private func talk() -> RecordDialogue {
        var limits = PeerDirectory.Limits()
        limits.records.fewHolders = 10
        let talk = RecordDialogue(pieces: 10, limits: limits)
        for raw in 1...4 as ClosedRange<UInt32> {
            talk.dialogue.arrived(raw, holding: raw % 2 == 0 ? [0, 1, 2] : [3, 4, 5, 6, 7, 8], fast: false)
        }
        talk.claims(50, [9])
        talk.dialogue.now = start + .seconds(60)
        talk.dialogue.swarm.guide(&talk.directory, at: talk.dialogue.now)
        return talk
    }

    @Test("the connection that is worth least goes, once in a minute")
    func leastUseful() {
        let talk = talk()
        #expect(talk.makesRoom().map { $0 % 2 == 0 } == true)
        #expect(talk.makesRoom() == nil)
        talk.dialogue.now = start + .seconds(119)
        #expect(talk.makesRoom() == nil)
        talk.dialogue.now = start + .seconds(120)
        #expect(talk.makesRoom() != nil)
    }

    @Test("the room is for the holder, though it is the turn of chance")
    func held() {
        let talk = talk()
        talk.directory.add(RecordDialogue.endpoint(70), source: .tracker, at: start)
        talk.claims(51, [9])
        #expect(talk.next()?.reason.isRecord == true)
        talk.meets(50, holding: [])
        talk.meets(51, holding: [])
        talk.claims(52, [9])
        talk.dialogue.now = start + .seconds(61)
        talk.dialogue.swarm.guide(&talk.directory, at: talk.dialogue.now)
        #expect(talk.makesRoom() != nil)
        #expect(talk.next() == Dialled(52, .absentPiece(9, RecordDialogue.key(52))))
        #expect(talk.next() == Dialled(70, .chance))
    }

    @Test("nobody goes before it had a minute")
    func probation() {
        let talk = talk()
        talk.dialogue.now = start + .seconds(59)
        #expect(talk.makesRoom() == nil)
    }

    @Test("whoever serves us, or is served, or alone holds a piece, stays")
    func useful() {
        let talk = talk()
        // The even ones: one serves us, the other is served by us.
        talk.dialogue.unchoked(2)
        talk.dialogue.interested(4)
        // The odd ones: one leaves, so that the other alone holds what it holds.
        talk.dialogue.left(1)
        #expect(talk.makesRoom() == nil)
        talk.dialogue.choked(2)
        #expect(talk.makesRoom() == 2)
    }

    @Test("no room is made for what is being dialled already, or is at hand")
    func noWish() {
        var other = talk()
        #expect(other.next()?.number == 50)
        #expect(other.makesRoom() == nil)
        other = talk()
        other.dialogue.arrived(7, holding: [9])
        other.dialogue.now = start + .seconds(65)
        other.dialogue.swarm.guide(&other.directory, at: other.dialogue.now)
        #expect(other.makesRoom() == nil)
    }

    @Test("where neither side wants anything and peers were never tried, one goes each second, the oldest first")
    func useless() {
        let talk = RecordDialogue(pieces: 4)
        talk.dialogue.arrived(1, holding: [])
        talk.dialogue.now = start + .seconds(1)
        talk.dialogue.arrived(2, holding: [])
        talk.dialogue.arrived(3, holding: [0])
        talk.dialogue.now = start + .seconds(31)
        #expect(talk.makesRoom() == nil)
        talk.directory.add(RecordDialogue.endpoint(9), source: .dht, at: start)
        #expect(talk.makesRoom() == 1)
        #expect(talk.makesRoom() == nil)
        talk.dialogue.now = start + .seconds(32)
        talk.dialogue.interested(2)
        #expect(talk.makesRoom() == nil)
        talk.dialogue.tell { $0.notInterested(peer(2), at: $2, into: &$1) }
        #expect(talk.makesRoom() == 2)
        talk.dialogue.now = start + .seconds(90)
        #expect(talk.makesRoom() == nil)
    }

    @Test("who has everything gives nobody up")
    func complete() {
        let talk = talk()
        talk.dialogue.tell { $0.select(bits([], of: 10), at: $2, into: &$1) }
        #expect(talk.makesRoom() == nil)
    }
}
