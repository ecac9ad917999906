import Availability
import Cryptography
import Metainfo
import Primitives
import Testing

@testable import Swarming

/// A peer that is to be dialled.
struct Dialled: Hashable {
    var number: Int
    var reason: DialReason

    init(_ number: Int, _ reason: DialReason) {
        self.number = number
        self.reason = reason
    }
}

/// A swarm and a directory that are told of records, as a driver would.
///
/// A class, because expectations cannot change a value that cannot be copied.
final class RecordDialogue {
    var dialogue: Dialogue
    var directory: PeerDirectory
    let pieces: Int

    init(pieces: Int, limits: PeerDirectory.Limits = .init(), seed: UInt64 = 1) {
        self.pieces = pieces
        dialogue = Dialogue(pieces: pieces)
        directory = PeerDirectory(limits: limits, seed: seed)
    }

    static func endpoint(_ number: Int) -> Endpoint { Endpoint(.v4(0x1400_0000 | UInt32(number) << 8 | 1), 6881) }

    static func key(_ number: Int) -> Ed25519.PublicKey {
        Ed25519.PublicKey(UInt256(first: 0, second: 0, third: 0, fourth: UInt64(number)))
    }

    func claim(
        _ number: Int,
        of held: [Int],
        sequence: Int64 = 1,
        isFull: Bool = false,
        lasting: Duration = .seconds(3600)
    ) -> HolderClaim {
        HolderClaim(
            key: RecordDialogue.key(number),
            sequence: sequence,
            pieces: .bitfield(bits(held, of: pieces)),
            isFull: isFull,
            expiresAt: dialogue.now + lasting
        )
    }

    @discardableResult
    func claims(_ number: Int, _ held: [Int], sequence: Int64 = 1, isFull: Bool = false) -> Bool {
        let claim = claim(number, of: held, sequence: sequence, isFull: isFull)
        return directory.claimed(claim, by: RecordDialogue.endpoint(number), at: dialogue.now)
    }

    /// Plans if it is time, and returns the number of the next peer to dial and why.
    func next() -> Dialled? {
        dialogue.swarm.guide(&directory, at: dialogue.now)
        guard let endpoint = directory.next(at: dialogue.now), case .v4(let bits) = endpoint.address,
            let reason = directory.reason(of: endpoint)
        else { return nil }
        return Dialled(Int(bits >> 8 & 0xFFFF), reason)
    }

    /// A dialled peer answers, shows its pieces, and its word is looked at.
    @discardableResult
    func meets(_ number: Int, holding held: [Int]) -> ClaimVerdict? {
        directory.connected(RecordDialogue.endpoint(number))
        dialogue.arrived(UInt32(number), holding: held)
        let now = dialogue.now
        return dialogue.swarm.compareClaim(
            of: peer(UInt32(number)),
            at: RecordDialogue.endpoint(number),
            in: &directory,
            now: now
        )
    }

    /// Asks for room, and returns whom it costs.
    func makesRoom() -> UInt32? {
        let answer = dialogue.tell { $0.makeRoom(in: &directory, at: $2, into: &$1) }
        guard let action = answer.first, case .close(let peer, .madeRoom) = action else { return nil }
        return peer.raw
    }
}

@Suite("Choosing by records")
struct RecordChoiceTests {
    @Test("the only holder of a piece comes first, then who completes it, then who brings little new")
    func greedy() throws {
        var limits = PeerDirectory.Limits()
        limits.records.recordsOfTen = 10
        let talk = RecordDialogue(pieces: 8, limits: limits)
        talk.claims(1, [0, 1, 2, 3])
        talk.claims(2, [0, 1, 2, 3])
        talk.claims(3, [4, 5, 6])
        talk.claims(4, [4, 5, 6, 7])
        // Piece 7 weighs a quarter, all others a ninth each.
        #expect(talk.next() == Dialled(4, .absentPiece(7, RecordDialogue.key(4))))
        let second = try #require(talk.next())
        #expect([1, 2].contains(second.number) && second.reason.isRecord)
        // What is left brings nothing that those two would not: no record speaks for it.
        #expect(talk.next()?.reason == .chance)
        #expect(talk.next()?.reason == .chance)
    }

    @Test("what three hold is left to chance until slots run out, then to records")
    func lastSlots() {
        var limits = PeerDirectory.Limits()
        limits.maxConnections = 20
        let talk = RecordDialogue(pieces: 40, limits: limits)
        for number in 1...3 { talk.claims(number, [0, number]) }
        for number in 101...130 { talk.directory.add(RecordDialogue.endpoint(number), source: .tracker, at: start) }
        for number in 1...3 { talk.dialogue.arrived(UInt32(200 + number), holding: [number]) }
        for _ in 0..<18 {
            guard let dial = talk.next() else { break }
            #expect(dial.reason == .chance)
            talk.directory.connected(RecordDialogue.endpoint(dial.number))
        }
        talk.dialogue.now = start + .seconds(1)
        guard case .absentPiece(0, _) = talk.next()?.reason else {
            Issue.record("the last slots are not for what is absent")
            return
        }
        // One is enough while it is being dialled.
        talk.dialogue.now = start + .seconds(7)
        #expect(talk.next()?.reason == .chance)
    }

    @Test("chance goes first to those whom others named as well")
    func namedByRecordOnly() {
        let talk = RecordDialogue(pieces: 4)
        for number in 1...30 { talk.claims(number, [0, 1, 2, 3]) }
        talk.directory.add(RecordDialogue.endpoint(70), source: .dht, at: start)
        #expect(talk.next() == Dialled(70, .chance))
    }

    @Test("a piece is not rare because few say anything", arguments: [(1, true), (2, false)])
    func unsaid(others: Int, isSought: Bool) {
        let talk = RecordDialogue(pieces: 4)
        talk.claims(1, [0])
        for number in 0..<others {
            talk.directory.add(RecordDialogue.endpoint(70 + number), source: .record, at: start)
        }
        #expect(talk.next()?.reason.isRecord == isSought)
    }

    @Test("what connected peers truly hold weighs nothing more")
    func connected() throws {
        let talk = RecordDialogue(pieces: 4)
        talk.dialogue.arrived(99, holding: [0, 1])
        talk.claims(1, [0, 1])
        talk.claims(2, [2])
        #expect(talk.next() == Dialled(2, .absentPiece(2, RecordDialogue.key(2))))
    }

    @Test("a peer that holds everything leaves nothing for records to choose by")
    func completePeer() throws {
        let talk = RecordDialogue(pieces: 4)
        talk.dialogue.arrived(99)
        talk.claims(1, [0, 1])
        #expect(talk.next() == Dialled(1, .chance))
    }

    @Test("who says that it is full counts half")
    func full() throws {
        let talk = RecordDialogue(pieces: 10)
        talk.claims(1, [0, 1, 2, 3, 4], isFull: true)
        talk.claims(2, [5, 6, 7])
        #expect(talk.next()?.number == 2)
    }

    @Test("pieces that we have, or do not want, speak for nobody")
    func needs() throws {
        let talk = RecordDialogue(pieces: 10)
        talk.dialogue.tell { $0.select(bits([9], of: 10), at: $2, into: &$1) }
        talk.claims(1, [0, 1, 2, 3, 4, 5])
        talk.claims(2, [9])
        #expect(talk.next() == Dialled(2, .absentPiece(9, RecordDialogue.key(2))))
    }

    @Test("seven slots of ten by records, three by chance, whatever is claimed", arguments: [1, 2, 3] as [UInt64])
    func shares(seed: UInt64) throws {
        var limits = PeerDirectory.Limits()
        limits.maxDialling = 100
        limits.records.planned = 100
        let talk = RecordDialogue(pieces: 400, limits: limits, seed: seed)
        for number in 1...200 {
            talk.directory.add(RecordDialogue.endpoint(1000 + number), source: .tracker, at: start)
        }
        for number in 1...200 { talk.claims(number, [number, number + 100]) }
        var byRecord: [Int] = []
        var byChance: [Int] = []
        for _ in 0..<100 {
            let dial = try #require(talk.next())
            if dial.reason.isRecord { byRecord.append(dial.number) } else { byChance.append(dial.number) }
        }
        #expect(byRecord.count == 70)
        #expect(byRecord.allSatisfy { $0 < 1000 })
        // Chance goes by the source, and trackers come before the DHT.
        #expect(byChance.allSatisfy { $0 > 1000 })
    }

    @Test("chance is no less where every record lies: slots are counted, not dials")
    func sharesOfSlots() throws {
        let talk = RecordDialogue(pieces: 400)
        for number in 1...40 { talk.directory.add(RecordDialogue.endpoint(1000 + number), source: .dht, at: start) }
        for number in 1...40 { talk.claims(number, [number]) }
        var connected = (records: 0, chance: 0)
        for _ in 0..<40 {
            let dial = try #require(talk.next())
            talk.directory.connected(RecordDialogue.endpoint(dial.number))
            if dial.reason.isRecord { connected.records += 1 } else { connected.chance += 1 }
            #expect(connected.records * 3 <= connected.chance * 7 + 7)
            talk.dialogue.now = talk.dialogue.now + .seconds(1)
        }
        #expect(connected.chance >= 12)
    }

    @Test("peers that the user named come before all records")
    func user() throws {
        let talk = RecordDialogue(pieces: 4)
        talk.claims(1, [0, 1, 2, 3])
        talk.directory.add(RecordDialogue.endpoint(7), source: .user, at: start)
        #expect(talk.next() == Dialled(7, .user))
        #expect(talk.next()?.number == 1)
    }

    @Test("without records the order is what it was, draw by draw", arguments: [1, 2, 3] as [UInt64])
    func untouched(seed: UInt64) {
        var with = PeerDirectory(seed: seed)
        let talk = RecordDialogue(pieces: 4, seed: seed)
        for number in 1...50 {
            with.add(RecordDialogue.endpoint(number), source: .dht, at: start)
            talk.directory.add(RecordDialogue.endpoint(number), source: .dht, at: start)
        }
        let expected = (0..<16).map { _ in with.next(at: start) }
        #expect((0..<16).map { _ in talk.next().map { RecordDialogue.endpoint($0.number) } } == expected)
    }

    @Test("the newest word of a key counts, from one endpoint")
    func sequences() {
        let talk = RecordDialogue(pieces: 4)
        #expect(talk.claims(1, [0], sequence: 5) == true)
        #expect(talk.claims(1, [1], sequence: 5) == false)
        #expect(talk.claims(1, [1], sequence: 4) == false)
        #expect(talk.claims(1, [1], sequence: 6) == true)
        let moved = talk.claim(1, of: [2], sequence: 7)
        #expect(talk.directory.claimed(moved, by: RecordDialogue.endpoint(2), at: start) == true)
        #expect(talk.directory.claim(by: RecordDialogue.endpoint(1)) == nil)
        #expect(talk.directory.claim(by: RecordDialogue.endpoint(2)) == moved)
        #expect(talk.directory.claimCount == 1)
    }

    @Test("an endpoint that must not be dialled is not dialled for its record (N19)")
    func refusedEndpoint() throws {
        let talk = RecordDialogue(pieces: 4)
        let claim = talk.claim(1, of: [0])
        #expect(talk.directory.claimed(claim, by: try #require(Endpoint("8.8.8.8:22")), at: start) == false)
        #expect(talk.directory.count == 0)
    }

    @Test("claims end, and those about another number of pieces never count")
    func ends() throws {
        var limits = PeerDirectory.Limits()
        limits.records.fewHolders = 10
        let talk = RecordDialogue(pieces: 4, limits: limits)
        let short = talk.claim(1, of: [0, 1, 2], lasting: .seconds(60))
        talk.directory.claimed(short, by: RecordDialogue.endpoint(1), at: start)
        var other = talk.claim(2, of: [0])
        other.pieces = .all(pieceCount: 5)
        talk.directory.claimed(other, by: RecordDialogue.endpoint(2), at: start)
        talk.claims(3, [3])
        talk.dialogue.now = start + .seconds(61)
        #expect(talk.next() == Dialled(3, .absentPiece(3, RecordDialogue.key(3))))
        #expect(talk.directory.claimCount == 1)
        other.pieces = .all(pieceCount: 4)
        other.expiresAt = talk.dialogue.now
        #expect(talk.directory.claimed(other, by: RecordDialogue.endpoint(2), at: talk.dialogue.now) == false)
    }

    @Test("where there are too many claims the one that ends first makes room, and none that ends later")
    func capacity() {
        var limits = PeerDirectory.Limits()
        limits.records.claims = 2
        let talk = RecordDialogue(pieces: 4, limits: limits)
        for (number, seconds) in [(1, 100), (2, 200), (3, 150), (4, 120)] {
            let claim = talk.claim(number, of: [0], lasting: .seconds(seconds))
            talk.directory.claimed(claim, by: RecordDialogue.endpoint(number), at: start)
        }
        #expect(
            (1...4).map { talk.directory.claim(by: RecordDialogue.endpoint($0)) != nil } == [false, true, true, false]
        )
    }

    @Test("a peer that is banned takes its claim along")
    func banned() {
        let talk = RecordDialogue(pieces: 4)
        talk.claims(1, [0])
        talk.directory.ban(RecordDialogue.endpoint(1))
        #expect(talk.directory.claimCount == 0)
        #expect(talk.claims(1, [0], sequence: 2) == false)
    }
}

@Suite("Records that lie")
struct LyingRecordTests {
    private static let claimed = Array(0..<100)

    @Test("five pieces of a hundred may be missing, not six", arguments: [(5, true), (6, false)])
    func tolerance(missing: Int, isKept: Bool) throws {
        let talk = RecordDialogue(pieces: 1000)
        // Somebody else has them as well, so that it is not dialled for one of them.
        talk.dialogue.arrived(500, holding: LyingRecordTests.claimed)
        talk.claims(1, LyingRecordTests.claimed)
        _ = talk.next()
        let shown = Array(LyingRecordTests.claimed.dropFirst(missing))
        let broken = ClaimVerdict.broken(RecordDialogue.key(1), missing: missing, claimed: 100)
        #expect(talk.meets(1, holding: shown) == (isKept ? .kept : broken))
        #expect(talk.directory.claimCount == (isKept ? 1 : 0))
    }

    @Test("the piece that it was dialled for must be there")
    func dialledFor() throws {
        let talk = RecordDialogue(pieces: 1000)
        talk.dialogue.arrived(500, holding: Array(1..<100))
        talk.claims(1, LyingRecordTests.claimed)
        #expect(talk.next()?.reason == .absentPiece(0, RecordDialogue.key(1)))
        let verdict = talk.meets(1, holding: Array(LyingRecordTests.claimed.dropFirst()))
        #expect(verdict == .broken(RecordDialogue.key(1), missing: 1, claimed: 100))
    }

    @Test("a liar's key and host are not listened to for an hour, whatever they sign")
    func mistrust() {
        let talk = RecordDialogue(pieces: 10)
        talk.claims(1, [0, 1, 2])
        #expect(talk.meets(1, holding: []) == .broken(RecordDialogue.key(1), missing: 3, claimed: 3))
        #expect(talk.claims(1, [0, 1, 2], sequence: 2) == false)
        let elsewhere = talk.claim(1, of: [0], sequence: 3)
        let otherKey = talk.claim(2, of: [0])
        #expect(talk.directory.claimed(elsewhere, by: RecordDialogue.endpoint(3), at: talk.dialogue.now) == false)
        #expect(talk.directory.claimed(otherKey, by: RecordDialogue.endpoint(1), at: talk.dialogue.now) == false)
        talk.dialogue.now = start + .seconds(3601)
        #expect(talk.claims(1, [0, 1, 2], sequence: 4) == true)
    }

    @Test("a liar is still a peer, known by its turn")
    func remains() {
        let talk = RecordDialogue(pieces: 10)
        talk.claims(1, [0, 1, 2])
        _ = talk.next()
        talk.meets(1, holding: [5])
        talk.directory.disconnected(RecordDialogue.endpoint(1), .useful, at: start)
        talk.dialogue.now = start + .seconds(61)
        #expect(talk.next() == Dialled(1, .chance))
    }

    @Test("so many liars are remembered and no more")
    func bounded() {
        var limits = PeerDirectory.Limits()
        limits.records.mistrusted = 2
        let talk = RecordDialogue(pieces: 10, limits: limits)
        for number in 1...3 {
            talk.claims(number, [0, 1])
            talk.meets(number, holding: [])
        }
        #expect((1...3).map { talk.claims($0, [0, 1], sequence: 2) } == [true, false, false])
    }

    @Test("all who claim a rare piece and lack it are found out one by one, until the holder comes")
    func sought() throws {
        let talk = RecordDialogue(pieces: 50)
        talk.dialogue.arrived(500, holding: Array(1..<50))
        for number in 1...20 { talk.claims(number, [0, number]) }
        var tried = 0
        while tried < 40 {
            guard let dial = talk.next() else { break }
            tried += 1
            if talk.meets(dial.number, holding: dial.number == 13 ? [0, 13] : [dial.number]) == .kept { break }
            talk.dialogue.now = talk.dialogue.now + .seconds(1)
        }
        #expect(talk.dialogue.swarm.unavailablePieces == 0)
        #expect(tried <= 20)
    }
}
