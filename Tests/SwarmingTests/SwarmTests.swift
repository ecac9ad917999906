import Metainfo
import Primitives
import Testing

@testable import Swarming

@Suite("Whole downloads in simulated time")
struct DownloadTests {
    @Test("each of four complete sharers carries at least a tenth", arguments: [1, 2, 3, 4] as [UInt64])
    func fourSharers(seed: UInt64) {
        let sharer = FakeSharers.Sharer(bytesPerSecond: 5_000_000)
        var swarm = FakeSharers(
            Dialogue(pieces: 64, blocks: 16, seed: seed),
            [FakeSharers.Sharer](repeating: sharer, count: 4)
        )
        swarm.run(for: .seconds(60))
        let total = 64 * 16 * 16384
        #expect(swarm.completedAt != nil)
        #expect((1...4).allSatisfy { swarm.received[$0, default: 0] >= total / 10 })
        // 16 MiB at 20 MB/s.
        #expect(swarm.completedAt.map { $0 < start + .milliseconds(1500) } == true)
        #expect(swarm.dialogue.swarm.wastedBytes < Int64(total / 20))
    }

    @Test("peers of very different rates finish together", arguments: [1, 2, 3] as [UInt64])
    func unequal(seed: UInt64) {
        let rates = [8_000_000.0, 2_000_000, 500_000, 50_000]
        var swarm = FakeSharers(
            Dialogue(pieces: 128, blocks: 16, seed: seed),
            rates.map { FakeSharers.Sharer(bytesPerSecond: $0) }
        )
        swarm.run(for: .seconds(120))
        // 32 MiB at 10.55 MB/s are 3.2 s; the slow ones must not hold up the end.
        #expect(swarm.completedAt.map { $0 < start + .milliseconds(4500) } == true)
        #expect(swarm.dialogue.swarm.wastedBytes < 2 << 20)
    }

    @Test("a long thin pipe is kept full", arguments: [1, 2] as [UInt64])
    func longPipe(seed: UInt64) {
        var swarm = FakeSharers(
            Dialogue(pieces: 128, blocks: 16, seed: seed),
            [FakeSharers.Sharer(bytesPerSecond: 10_000_000, latency: .milliseconds(100))]
        )
        swarm.run(for: .seconds(60))
        // 32 MiB at 10 MB/s are 3.4 s, plus the growth over a few round trips of 200 ms.
        #expect(swarm.completedAt.map { $0 < start + .milliseconds(5000) } == true)
    }

    @Test("a sharer that goes silent holds up nothing", arguments: [1, 2, 3] as [UInt64])
    func silent(seed: UInt64) {
        var swarm = FakeSharers(
            Dialogue(pieces: 32, blocks: 16, seed: seed),
            [
                FakeSharers.Sharer(bytesPerSecond: 2_000_000),
                FakeSharers.Sharer(bytesPerSecond: 2_000_000, blocks: 40),
            ]
        )
        swarm.run(for: .seconds(60))
        #expect(swarm.completedAt.map { $0 < start + .seconds(10) } == true)
    }

    @Test("one of five sharers lies: nobody else is banned, and the download completes", arguments: 1...6)
    func liar(seed: Int) {
        var sharers = [FakeSharers.Sharer](repeating: .init(bytesPerSecond: 2_000_000), count: 5)
        sharers[2].lies = true
        var swarm = FakeSharers(Dialogue(pieces: 48, blocks: 8, seed: UInt64(seed)), sharers)
        swarm.run(for: .seconds(120)) { $0.inconsistencies }
        #expect(swarm.completedAt != nil)
        #expect(swarm.banned == [3])
        #expect(swarm.inconsistencies == [])
    }

    @Test("the same when pieces are few, large and mixed", arguments: 1...6)
    func liarAmongFewPieces(seed: Int) {
        var sharers = [FakeSharers.Sharer](repeating: .init(bytesPerSecond: 500_000), count: 5)
        sharers[2].lies = true
        var swarm = FakeSharers(Dialogue(pieces: 4, blocks: 64, seed: UInt64(seed)), sharers)
        swarm.run(for: .seconds(300)) { $0.inconsistencies }
        #expect(swarm.completedAt != nil)
        // It may get away with it: the four pieces may all be proven by others.
        #expect(swarm.banned.isSubset(of: [3]))
        #expect(swarm.inconsistencies == [])
    }

    @Test("counts stay true through a whole download", arguments: 1...4)
    func consistent(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        var sharers = [FakeSharers.Sharer(bytesPerSecond: 200_000)]
        for index in 1..<6 {
            let holding = (0..<40).filter { _ in random.next() % 3 > 0 }
            let latency = Duration.milliseconds(5 * index + 1)
            sharers.append(.init(holding: holding, bytesPerSecond: Double(200_000 * index), latency: latency))
        }
        var swarm = FakeSharers(Dialogue(pieces: 40, blocks: 8, seed: UInt64(seed)), sharers)
        swarm.run(for: .seconds(120)) { $0.inconsistencies }
        #expect(swarm.completedAt != nil)
        #expect(swarm.inconsistencies == [])
    }

    @Test("nothing is left to do for a complete swarm, and no peer means no timer")
    func complete() {
        var dialogue = Dialogue(pieces: 2, have: [0, 1])
        #expect(dialogue.swarm.nextDeadline == nil)
        #expect(dialogue.arrived(1) == [.close(peer(1), .bothComplete)])
        #expect(dialogue.unchoked(1) == [])
        dialogue.left(1)
        #expect(dialogue.swarm.nextDeadline == nil)
    }

    @Test("an empty torrent is complete from the start")
    func empty() {
        let swarm = Swarm(
            layout: PieceLayout(totalSize: 0, pieceLength: 16384),
            have: Bitfield(count: 0),
            seed: 1,
            now: start
        )
        #expect(swarm.isComplete == true)
        #expect(swarm.progress.wantedBytes == 0)
    }

    @Test("what nobody holds is counted")
    func unavailable() {
        var dialogue = Dialogue(pieces: 10)
        #expect(dialogue.swarm.unavailablePieces == 10)
        dialogue.arrived(1, holding: [0, 1, 2])
        #expect(dialogue.swarm.unavailablePieces == 7)
        dialogue.unchoked(1)
        #expect(dialogue.swarm.unavailablePieces == 7)
        dialogue.tell { $0.hasPiece(9, peer: peer(1), at: $2, into: &$1) }
        #expect(dialogue.swarm.unavailablePieces == 6)
        dialogue.left(1)
        #expect(dialogue.swarm.unavailablePieces == 10)
        dialogue.arrived(2)
        #expect(dialogue.swarm.unavailablePieces == 0)
    }
}

@Suite("Two swarms")
struct TwoSwarmsTests {
    @Test("two halves complete each other", arguments: [1, 2, 3] as [UInt64])
    func halves(seed: UInt64) {
        var left = Dialogue(pieces: 16, have: Array(0..<8), seed: seed)
        var right = Dialogue(pieces: 16, have: Array(8..<16), seed: seed + 100)
        var toRight =
            left.connected(1)
            + left.tell { swarm, actions, now in
                swarm.has(bits(Array(8..<16), of: 16), peer: peer(1), at: now, into: &actions)
            }
        var toLeft =
            right.connected(1)
            + right.tell { swarm, actions, now in
                swarm.has(bits(Array(0..<8), of: 16), peer: peer(1), at: now, into: &actions)
            }
        for _ in 0..<1000 where !(toLeft.isEmpty && toRight.isEmpty) {
            let fromLeft = toRight
            let fromRight = toLeft
            toRight = TwoSwarmsTests.carryOut(fromRight, of: &right, at: &left)
            toLeft = TwoSwarmsTests.carryOut(fromLeft, of: &left, at: &right)
        }
        #expect(left.swarm.have.isFull == true)
        #expect(right.swarm.have.isFull == true)
        #expect(left.swarm.statistics(of: peer(1))?.downloaded == Int64(8 * 4 * 16384))
        #expect(left.swarm.inconsistencies + right.swarm.inconsistencies == [])
    }

    /// Carries out what `sender` decided, at once; returns what `receiver` answers, and hands the sender its own results.
    private static func carryOut(
        _ actions: [SwarmAction],
        of sender: inout Dialogue,
        at receiver: inout Dialogue
    ) -> [SwarmAction] {
        var answer: [SwarmAction] = []
        var own: [SwarmAction] = []
        for action in actions {
            switch action {
            case .interested: answer += receiver.interested(1)
            case .notInterested: answer += receiver.tell { $0.notInterested(peer(1), at: $2, into: &$1) }
            case .unchoke: answer += receiver.unchoked(1)
            case .choke: answer += receiver.choked(1)
            case .announceHave(let piece):
                answer += receiver.tell { $0.hasPiece(piece, peer: peer(1), at: $2, into: &$1) }
            case .request(let block, _):
                guard receiver.swarm.requested(block, by: peer(1), at: start) == .serve else { continue }
                receiver.swarm.uploaded(Int(block.length), to: peer(1), at: start)
                own += sender.arrives(block, from: 1)
            case .check(let piece): own += sender.checked(piece)
            default: continue
            }
        }
        return answer + (own.isEmpty ? [] : carryOut(own, of: &sender, at: &receiver))
    }
}
