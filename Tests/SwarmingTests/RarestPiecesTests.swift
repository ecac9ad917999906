import Availability
import Metainfo
import Primitives
import Testing

@testable import Swarming

@Suite("The rarest pieces")
struct RarestPiecesTests {
    @Test("a look takes in no more than its window and what was found before", arguments: [100, 10_000])
    func bounded(window: Int) {
        var rarest = RarestPieces(capacity: 50, window: window, startingAt: 77)
        var looks: [Int] = []
        for _ in 0..<3 {
            var asked = 0
            rarest.look(through: Bitfield(filled: 1 << 20)) { piece in
                asked += 1
                return piece % 1000
            }
            looks.append(asked)
        }
        #expect(looks == [window, window + 50, window + 50])
    }

    @Test(
        "after as many looks as there are windows they are the rarest of all, rarest first",
        arguments: [0, 4711, 1 << 20]
    )
    func complete(start: Int) {
        let rare = [3, 40_000, 77_777, 99_999]
        var rarest = RarestPieces(capacity: 4, window: 9_999, startingAt: start)
        for _ in 0..<11 { rarest.look(through: Bitfield(filled: 100_000)) { rare.firstIndex(of: $0) ?? 10 } }
        #expect(rarest.pieces == rare)
    }

    @Test("what is no longer in the set, or of no interest, is gone")
    func gone() {
        var rarest = RarestPieces(capacity: 3, window: 4, startingAt: 0)
        var set = Bitfield(filled: 8)
        for _ in 0..<2 { rarest.look(through: set) { $0 } }
        #expect(rarest.pieces == [0, 1, 2])
        set[1] = false
        for _ in 0..<2 { rarest.look(through: set) { $0 == 2 ? nil : $0 } }
        #expect(rarest.pieces == [0, 3, 4])
        rarest.look(through: Bitfield(count: 8)) { $0 }
        #expect(rarest.pieces == [])
    }

    @Test("of what we hold the rarest come first: what a digest should name")
    func held() {
        let talk = RecordDialogue(pieces: 6)
        talk.dialogue = Dialogue(pieces: 6, have: [0, 1, 2, 3])
        talk.dialogue.arrived(1, holding: [0, 1, 3])
        talk.dialogue.arrived(2, holding: [0])
        talk.directory.learn(pieceCount: 6)
        talk.claims(3, [3, 4])
        let rarest = talk.dialogue.swarm.rarestHeld(by: &talk.directory)
        // Nobody else has 2, one has 1, and two have the others: 3 by its word alone.
        #expect(rarest.prefix(2) == [2, 1])
        #expect(Set(rarest) == [0, 1, 2, 3])
    }

    @Test("planning in a torrent of 2^21 pieces weighs its limits' worth of pieces and names a few peers")
    func planned() {
        let count = 1 << 21
        var guide = RecordGuide(limits: GuidanceLimits(), seed: 1)
        guide.learn(pieceCount: count)
        for number in 1...50 {
            let claim = HolderClaim(
                key: RecordDialogue.key(number),
                sequence: 1,
                pieces: .all(pieceCount: count),
                expiresAt: start + .seconds(60)
            )
            #expect(guide.claimed(claim, by: RecordDialogue.endpoint(number), at: start) == true)
        }
        var asked = 0
        guide.plan(
            for: Bitfield(filled: count),
            holders: { _ in
                asked += 1
                return 0
            },
            ready: guide.book.entries,
            expected: [],
            mostPromised: nil,
            at: start
        )
        #expect(guide.rarestMissing.pieces.count == GuidanceLimits().focus)
        #expect(asked == GuidanceLimits().window)
        // One that holds everything is enough.
        #expect(guide.picks.count == 1)
    }
}
