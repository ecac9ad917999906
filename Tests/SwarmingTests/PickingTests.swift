import Metainfo
import Primitives
import Testing

@testable import Swarming

@Suite("Picking")
struct PickingTests {
    private var rarestAtOnce: SwarmLimits {
        var limits = SwarmLimits()
        limits.randomFirstPieces = 0
        limits.initialRequests = 4
        return limits
    }

    @Test("the rarest piece is begun first, whatever the seed", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func rarestFirst(seed: UInt64) {
        var dialogue = Dialogue(pieces: 8, limits: rarestAtOnce, seed: seed)
        dialogue.arrived(1, holding: [0, 1, 2, 3, 4, 5, 6, 7])
        dialogue.arrived(2, holding: [0, 1, 2, 4, 5, 6, 7])
        dialogue.arrived(3, holding: [0, 1, 2, 4, 5, 6])
        dialogue.arrived(4, holding: [0, 1, 2, 3, 7])
        // Held by: 3 of piece 3 (peers 1, 4 and the complete one), 4 of piece 7, more of all others.
        #expect(dialogue.arrived(9) == [.interested(peer(9))])
        #expect(dialogue.unchoked(9).opened == [3])
        #expect(dialogue.unchoked(1).opened.count == 1)
    }

    @Test("equally rare pieces are begun in random order")
    func randomTies() {
        let firsts = (1...20).map { seed in
            var dialogue = Dialogue(pieces: 50, limits: rarestAtOnce, seed: UInt64(seed))
            dialogue.arrived(1)
            return dialogue.unchoked(1).opened
        }
        #expect(Set(firsts).count > 5)
    }

    @Test("the first pieces are any, then rarest first begins")
    func randomFirst() {
        let firsts = (1...20).map { seed in
            var dialogue = Dialogue(pieces: 50, seed: UInt64(seed))
            dialogue.arrived(2, holding: Array(1..<50))
            dialogue.arrived(1)
            return dialogue.unchoked(1).opened.first
        }
        #expect(Set(firsts).count > 5)
        var dialogue = Dialogue(pieces: 50, have: [10, 11, 12, 13])
        dialogue.arrived(2, holding: Array(1..<50))
        dialogue.arrived(1)
        #expect(dialogue.unchoked(1).opened.first == 0)
    }

    @Test("blocks of a piece are asked in order, and the piece is opened before")
    func order() {
        var dialogue = Dialogue(pieces: 1)
        #expect(dialogue.arrived(1) == [.interested(peer(1))])
        let blocks = (0..<4).map { dialogue.block(0, $0) }
        #expect(dialogue.unchoked(1) == [.openPiece(0)] + blocks.map { .request($0, peer(1)) })
        for block in blocks.dropLast() { #expect(dialogue.arrives(block, from: 1) == []) }
        #expect(dialogue.arrives(blocks[3], from: 1) == [.check(piece: 0)])
        #expect(
            dialogue.checked(0) == [
                .announceHave(0), .notInterested(peer(1)), .closePiece(0), .completed, .close(peer(1), .bothComplete),
            ]
        )
        #expect(dialogue.swarm.isComplete == true)
    }

    @Test("sequential mode begins pieces in ascending order")
    func sequential() {
        var dialogue = Dialogue(pieces: 20)
        dialogue.arrived(2, holding: [7])
        dialogue.tell { swarm, _, _ in swarm.setSequential(true) }
        dialogue.arrived(1)
        let answer = dialogue.unchoked(1)
        #expect(answer.opened == [0, 1, 2, 3])
        #expect(answer.requested == (0..<4).flatMap { piece in (0..<4).map { dialogue.block(piece, $0) } })
    }

    @Test("only selected pieces are asked for, and they are enough to be complete")
    func selection() {
        var dialogue = Dialogue(pieces: 10)
        dialogue.tell { $0.select(bits([3, 4], of: 10), at: $2, into: &$1) }
        #expect(dialogue.arrived(2, holding: [0, 1]) == [])
        dialogue.arrived(1)
        let answer = dialogue.unchoked(1)
        #expect(Set(answer.opened) == [3, 4])
        for block in answer.requested { dialogue.arrives(block, from: 1) }
        dialogue.checked(3)
        #expect(dialogue.checked(4).contains(.completed))
        #expect(dialogue.swarm.progress.wantedBytes == 2 * 64 * 1024)
        #expect(dialogue.swarm.progress.verifiedBytes == 2 * 64 * 1024)
    }

    @Test("a piece that is wanted no more is cancelled, and closes when nothing arrives for it")
    func deselection() {
        var dialogue = Dialogue(pieces: 2)
        dialogue.arrived(1, holding: [0])
        dialogue.unchoked(1)
        #expect(dialogue.began(dialogue.block(0, 0), from: 1) == .wanted)
        let answer = dialogue.tell { $0.select(bits([1], of: 2), at: $2, into: &$1) }
        #expect(answer == (1..<4).map { .cancel(dialogue.block(0, $0), peer(1)) } + [.notInterested(peer(1))])
        let block = dialogue.block(0, 0)
        #expect(dialogue.tell { $0.blockReceived(block, from: peer(1), at: $2, into: &$1) } == [.closePiece(0)])
        #expect(dialogue.swarm.inconsistencies == [])
    }

    @Test("open pieces stay within the memory budget", arguments: [(16, 1024, 64), (2048, 40, 2), (8192, 3, 1)])
    func budget(blocks: Int, pieces: Int, open: Int) {
        var dialogue = Dialogue(pieces: pieces, blocks: blocks)
        for raw in 1...80 {
            dialogue.arrived(UInt32(raw))
            dialogue.unchoked(UInt32(raw))
        }
        #expect(dialogue.swarm.progress.openPieces <= max(open, (64 << 20) / (blocks * 16 * 1024)))
        #expect(dialogue.swarm.progress.openPieces >= 1)
        #expect(dialogue.swarm.inconsistencies == [])
    }

    @Test("a started piece is finished before a new one is begun")
    func partialFirst() {
        var limits = rarestAtOnce
        limits.initialRequests = 2
        var dialogue = Dialogue(pieces: 10, limits: limits)
        dialogue.arrived(1)
        let first = dialogue.unchoked(1)
        dialogue.left(1)
        dialogue.arrived(2)
        let second = dialogue.unchoked(2)
        #expect(second.opened == [])
        #expect(second.requested == first.requested)
    }

    @Test("suggested pieces come first")
    func suggestion() {
        var dialogue = Dialogue(pieces: 100, limits: rarestAtOnce)
        dialogue.arrived(1)
        dialogue.tell { swarm, _, _ in swarm.suggested(42, by: peer(1)) }
        #expect(dialogue.unchoked(1).opened == [42])
    }

    @Test("allowed-fast pieces are asked for while choked, and no others")
    func allowedFast() {
        var dialogue = Dialogue(pieces: 100)
        dialogue.arrived(1)
        let answer = dialogue.tell { $0.allowedFast(42, by: peer(1), at: $2, into: &$1) }
        #expect(answer == [.openPiece(42)] + (0..<4).map { .request(dialogue.block(42, $0), peer(1)) })
    }

    @Test("buffers held by pieces that nobody can finish are given up for pieces that can be had")
    func eviction() {
        var dialogue = Dialogue(pieces: 10, blocks: 2048)
        dialogue.arrived(1, holding: [0, 1])
        dialogue.unchoked(1)
        dialogue.left(1)
        dialogue.arrived(2, holding: [5])
        dialogue.arrived(3, holding: [0, 1])
        #expect(dialogue.swarm.progress.openPieces == 1)
        dialogue.unchoked(3)
        dialogue.wait(.seconds(2))
        dialogue.choked(3)
        dialogue.left(3)
        dialogue.unchoked(2)
        #expect(dialogue.swarm.inconsistencies == [])
        let answer = dialogue.wait(.seconds(2))
        #expect(dialogue.swarm.statistics(of: peer(2)).map { $0.requestsInFlight > 0 } == true, "\(answer)")
    }

    @Test("choosing in a torrent of 100,000 pieces looks at few of them", arguments: [1, 2] as [UInt64])
    func operationCounts(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var dialogue = Dialogue(pieces: 100_000, blocks: 1, limits: rarestAtOnce, seed: seed)
        for raw in 1...12 as ClosedRange<UInt32> {
            var holding = Bitfield(count: 100_000)
            for piece in 0..<100_000 where random.next() & 1 == 0 { holding[piece] = true }
            dialogue.connected(raw)
            dialogue.tell { $0.has(holding, peer: peer(raw), at: $2, into: &$1) }
        }
        var begun = 0
        for raw in 1...12 as ClosedRange<UInt32> { begun += dialogue.unchoked(raw).opened.count }
        #expect(begun == 48)
        #expect(dialogue.swarm.inspectedPieces < begun * 20)
    }

    @Test("a peer that holds only common pieces costs a bounded search")
    func boundedSearch() {
        var dialogue = Dialogue(pieces: 100_000, blocks: 1, limits: rarestAtOnce)
        dialogue.arrived(1, holding: Array(0..<50_000))
        dialogue.arrived(2, holding: Array(50_000..<100_000))
        dialogue.arrived(3, holding: Array(50_000..<100_000))
        let begun = dialogue.unchoked(2).opened
        #expect(begun.count == 4)
        #expect(begun.allSatisfy { $0 >= 50_000 })
        #expect(dialogue.swarm.inspectedPieces <= 4 * 1100)
    }
}

@Suite("Rarity order")
struct RarityOrderTests {
    @Test("keeps its groups through any sequence of changes", arguments: 1...10 as ClosedRange<UInt64>)
    func changes(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var order = RarityOrder(pieceCount: 30)
        var held = [Int](repeating: 0, count: 30)
        for _ in 0..<1000 {
            let piece = Int.random(in: 0..<30, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: order.insert(piece, using: &random)
            case 1: order.remove(piece)
            case 2:
                order.gained(piece, using: &random)
                held[piece] += 1
            default:
                order.lost(piece, using: &random)
                held[piece] = max(0, held[piece] - 1)
            }
        }
        #expect(order.inconsistencies == [])
        #expect((0..<30).allSatisfy { order.availability(of: $0) == held[$0] })
        let rarest = order.rarest(in: nil, using: &random, excluding: [])
        #expect(rarest.map { held[$0] } == order.members.indices.map { held[$0] }.min())
    }
}
