import Metainfo
import Primitives
import Testing

@testable import Swarming

/// Peers that do anything in any order; the counts must hold after every step, and the download still completes.
@Suite("Random sequences")
struct RandomSequenceTests {
    private struct Chaos: ~Copyable {
        var dialogue: Dialogue
        var random: SeededRandom
        var here: [UInt32] = []
        var nextHandle: UInt32 = 1
        var asked: [UInt32: [Block]] = [:]
        var checking: [Int] = []
        var requesters: [Block: Int] = [:]
        var mostRequesters = 0

        mutating func carryOut(_ actions: [SwarmAction]) {
            for action in actions {
                switch action {
                case .request(let block, let peer): asked[peer.raw, default: []].append(block)
                case .cancel(let block, let peer): asked[peer.raw]?.removeAll { $0 == block }
                case .check(let piece): checking.append(piece)
                case .ban(let peer, _, _), .close(let peer, _): leave(peer.raw)
                default: break
                }
            }
        }

        mutating func leave(_ raw: UInt32) {
            guard let index = here.firstIndex(of: raw) else { return }
            here.remove(at: index)
            asked[raw] = nil
            carryOut(dialogue.left(raw))
        }

        mutating func arrive() {
            let raw = nextHandle
            nextHandle += 1
            here.append(raw)
            let count = dialogue.layout.pieceCount
            let holding = (0..<count).filter { _ in random.next() & 1 == 0 }
            let isComplete = random.next() % 3 == 0
            carryOut(dialogue.arrived(raw, holding: isComplete ? nil : holding, fast: random.next() & 1 == 0))
        }

        mutating func send(_ raw: UInt32, aborting: Bool) {
            guard let blocks = asked[raw], !blocks.isEmpty else { return }
            let index = Int.random(in: 0..<blocks.count, using: &random)
            let block = blocks[index]
            asked[raw]?.remove(at: index)
            if aborting {
                guard dialogue.began(block, from: raw) == .wanted else { return }
                carryOut(dialogue.tell { $0.blockAborted(block, from: peer(raw), at: $2, into: &$1) })
                leave(raw)
            } else {
                carryOut(dialogue.arrives(block, from: raw))
            }
        }

        mutating func reject(_ raw: UInt32) {
            guard let block = asked[raw]?.popLast() else { return }
            carryOut(dialogue.tell { $0.rejected(block, by: peer(raw), at: $2, into: &$1) })
        }

        mutating func finishCheck(_ isCorrect: Bool) {
            guard let piece = checking.popLast() else { return }
            carryOut(dialogue.checked(piece, isCorrect))
        }

        mutating func select() {
            let count = dialogue.layout.pieceCount
            let wanted = bits((0..<count).filter { _ in random.next() % 4 > 0 }, of: count)
            carryOut(dialogue.tell { $0.select(wanted, at: $2, into: &$1) })
        }

        mutating func choke(_ raw: UInt32) {
            carryOut(dialogue.choked(raw))
            // Without BEP 6 the requests are gone; with it, this peer still answers some of them.
            if random.next() & 1 == 0 { asked[raw] = nil }
        }

        mutating func step() {
            if here.count < 2 { arrive() }
            let raw = here[Int.random(in: 0..<here.count, using: &random)]
            let piece = Int.random(in: 0..<dialogue.layout.pieceCount, using: &random)
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<3: arrive()
            case 3..<5: leave(raw)
            case 5..<15: carryOut(dialogue.unchoked(raw))
            case 15..<18: choke(raw)
            case 18..<65: send(raw, aborting: false)
            case 65..<67: send(raw, aborting: true)
            case 67..<70: reject(raw)
            case 70..<80: finishCheck(random.next() % 8 > 0)
            case 80..<83: carryOut(dialogue.tell { $0.hasPiece(piece, peer: peer(raw), at: $2, into: &$1) })
            case 83..<85: carryOut(dialogue.tell { $0.allowedFast(piece, by: peer(raw), at: $2, into: &$1) })
            case 85..<87: carryOut(dialogue.interested(raw))
            case 87: select()
            case 88: dialogue.swarm.setSequential(random.next() & 1 == 0)
            case 89: carryOut(dialogue.wait(.seconds(61)))
            default: carryOut(dialogue.wait(.milliseconds(700)))
            }
        }
    }

    @Test("keep all counts true and end complete", arguments: 1...24 as ClosedRange<UInt64>)
    func anything(seed: UInt64) {
        var limits = SwarmLimits()
        limits.pieceBufferBudget = seed % 3 == 0 ? 4 * 5 * 16384 : 64 << 20
        limits.initialRequests = seed % 2 == 0 ? 4 : 16
        var chaos = Chaos(
            dialogue: Dialogue(pieces: 24, blocks: 5, limits: limits, seed: seed),
            random: SeededRandom(seed: seed &* 77)
        )
        for step in 0..<1500 {
            chaos.step()
            let found = chaos.dialogue.swarm.inconsistencies
            #expect(found == [], "step \(step)")
            if !found.isEmpty { return }
        }
        // Then one honest peer with everything; everybody else leaves.
        chaos.carryOut(chaos.dialogue.tell { $0.select(Bitfield(filled: 24), at: $2, into: &$1) })
        for raw in chaos.here { chaos.leave(raw) }
        while !chaos.checking.isEmpty { chaos.finishCheck(true) }
        let last = chaos.nextHandle
        chaos.here = [last]
        chaos.carryOut(chaos.dialogue.arrived(last))
        chaos.carryOut(chaos.dialogue.unchoked(last))
        for _ in 0..<2000 where chaos.dialogue.swarm.isComplete == false {
            chaos.send(last, aborting: false)
            chaos.finishCheck(true)
            if chaos.asked[last, default: []].isEmpty { chaos.carryOut(chaos.dialogue.wait(.seconds(1))) }
        }
        #expect(chaos.dialogue.swarm.isComplete == true)
        #expect(chaos.dialogue.swarm.progress.openPieces == 0)
    }
}
