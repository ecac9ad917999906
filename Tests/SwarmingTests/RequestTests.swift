import Metainfo
import Primitives
import Testing

@testable import Swarming

@Suite("Requests")
struct RequestTests {
    @Test("sixteen requests begin, each block makes room for one more")
    func growth() {
        var dialogue = Dialogue(pieces: 1, blocks: 256)
        dialogue.arrived(1)
        #expect(dialogue.unchoked(1).requested.count == 16)
        var asked = 16
        for index in 0..<16 {
            asked += dialogue.arrives(dialogue.block(0, index), from: 1).requested.count
        }
        // Doubled: sixteen arrived and thirty-two are (nearly) in flight, asked for in groups.
        #expect((40...48).contains(asked))
    }

    @Test("requests leave in groups")
    func groups() {
        var dialogue = Dialogue(pieces: 4, blocks: 256)
        dialogue.arrived(1)
        var waiting = dialogue.unchoked(1).requested[...]
        var groups: [Int] = []
        for _ in 0..<200 {
            guard let block = waiting.popFirst() else { break }
            let more = dialogue.arrives(block, from: 1).requested
            if !more.isEmpty { groups.append(more.count) }
            waiting += more
        }
        #expect(groups.allSatisfy { $0 >= 4 })
        #expect(groups.count < 40)
    }

    @Test("no more than the peer keeps queued are in flight", arguments: [1, 5, 40])
    func peerLimit(reqq: Int) {
        var dialogue = Dialogue(pieces: 4, blocks: 256)
        dialogue.arrived(1)
        dialogue.tell { swarm, _, _ in swarm.requestLimitKnown(reqq, of: peer(1)) }
        var waiting = dialogue.unchoked(1).requested[...]
        for _ in 0..<300 {
            #expect(waiting.count <= reqq)
            guard let block = waiting.popFirst() else { break }
            waiting += dialogue.arrives(block, from: 1).requested
        }
    }

    @Test("on a fast link eight MiB are in flight")
    func fastLink() {
        var dialogue = Dialogue(pieces: 64, blocks: 64)
        dialogue.connected(1, reqq: 2000)
        dialogue.tell { $0.hasAll(peer: peer(1), at: $2, into: &$1) }
        var waiting = dialogue.unchoked(1).requested[...]
        for _ in 0..<1000 {
            guard let block = waiting.popFirst() else { break }
            dialogue.now = dialogue.now + .microseconds(16)
            waiting += dialogue.arrives(block, from: 1).requested
        }
        #expect(waiting.count > 375 && waiting.count <= 500)
    }

    @Test("a slow peer is asked for what it can send, not for five hundred blocks")
    func slowLink() {
        var dialogue = Dialogue(pieces: 64, blocks: 64)
        dialogue.arrived(1)
        var waiting = dialogue.unchoked(1).requested[...]
        for _ in 0..<300 {
            guard let block = waiting.popFirst() else { break }
            dialogue.now = dialogue.now + .milliseconds(100)
            waiting += dialogue.arrives(block, from: 1).requested
            waiting += dialogue.wait(.zero).requested
        }
        #expect((12...32).contains(waiting.count))
    }

    @Test("a choke without BEP 6 drops what was asked; with it the rejects are waited for")
    func choke() {
        var plain = Dialogue(pieces: 1)
        plain.arrived(1, fast: false)
        plain.unchoked(1)
        plain.choked(1)
        #expect(plain.swarm.statistics(of: peer(1))?.requestsInFlight == 0)
        // What was on its way already is late, and no offence.
        #expect((0..<4).map { plain.began(plain.block(0, $0), from: 1) } == [.late, .late, .late, .late])
        #expect(plain.unchoked(1).requested.count == 4)

        var fast = Dialogue(pieces: 1)
        fast.arrived(1)
        fast.unchoked(1)
        fast.choked(1)
        #expect(fast.swarm.statistics(of: peer(1))?.requestsInFlight == 4)
        #expect(fast.arrives(fast.block(0, 0), from: 1) == [])
        let block = fast.block(0, 1)
        fast.tell { $0.rejected(block, by: peer(1), at: $2, into: &$1) }
        #expect(fast.swarm.statistics(of: peer(1))?.requestsInFlight == 2)
        #expect(fast.swarm.inconsistencies == [])
    }

    @Test("a rejected block goes to another peer, and to the same one only later")
    func reject() {
        var dialogue = Dialogue(pieces: 1)
        dialogue.arrived(1)
        let block = dialogue.block(0, 2)
        dialogue.unchoked(1)
        #expect(dialogue.tell { $0.rejected(block, by: peer(1), at: $2, into: &$1) } == [])
        dialogue.arrived(2)
        #expect(dialogue.unchoked(2).requests(of: 2).first == block)
    }

    @Test("a lone peer that rejects is asked again a second later, in the end one block at a time")
    func rejectsOnly() {
        var dialogue = Dialogue(pieces: 8)
        dialogue.arrived(1)
        var waiting = dialogue.unchoked(1).requested
        for _ in 0..<8 {
            for block in waiting { dialogue.tell { $0.rejected(block, by: peer(1), at: $2, into: &$1) } }
            waiting = dialogue.wait(.seconds(1)).requested
        }
        #expect(waiting.count == 1)
        #expect(dialogue.swarm.statistics(of: peer(1))?.isSnubbed == true)
        #expect(dialogue.swarm.inconsistencies == [])
    }

    @Test("two that reject everything at once do not hand a block to each other for ever")
    func rejectersAmongThemselves() {
        var dialogue = Dialogue(pieces: 2)
        for raw in UInt32(1)...3 { dialogue.arrived(raw) }
        var waiting = (UInt32(1)...3).flatMap { dialogue.unchoked($0) }
        var honest: [Block] = []
        var rejected = 0
        while rejected < 100, let action = waiting.popLast() {
            guard case .request(let block, let asked) = action else { continue }
            if asked == peer(3) {
                honest.append(block)
            } else {
                rejected += 1
                waiting += dialogue.tell { $0.rejected(block, by: asked, at: $2, into: &$1) }
            }
        }
        #expect(Set(honest).count == 8)
        #expect(dialogue.swarm.inconsistencies == [])
    }

    @Test("rejects after a choke are no offence, however many")
    func rejectsAfterChoke() {
        var dialogue = Dialogue(pieces: 8, blocks: 64)
        dialogue.arrived(1)
        var waiting = dialogue.unchoked(1).requested[...]
        while waiting.count < 150, let block = waiting.popFirst() {
            waiting += dialogue.arrives(block, from: 1).requested
        }
        dialogue.choked(1)
        for block in waiting { dialogue.tell { $0.rejected(block, by: peer(1), at: $2, into: &$1) } }
        dialogue.wait(.seconds(2))
        #expect(dialogue.swarm.statistics(of: peer(1))?.requestsInFlight == 0)
        #expect(dialogue.unchoked(1).requested.count == 16)
    }

    @Test("a peer that owes blocks for a minute loses them to others and is asked one at a time")
    func snub() {
        var dialogue = Dialogue(pieces: 1, blocks: 8)
        dialogue.arrived(1)
        dialogue.arrived(2)
        let first = dialogue.unchoked(1).requested
        #expect(dialogue.wait(.seconds(59)).requested == [])
        #expect(dialogue.swarm.statistics(of: peer(1))?.isSnubbed == false)
        dialogue.wait(.seconds(2))
        #expect(dialogue.swarm.statistics(of: peer(1))?.isSnubbed == true)
        #expect(dialogue.swarm.statistics(of: peer(1))?.requestsInFlight == 1)
        #expect(dialogue.unchoked(2).requests(of: 2).count >= first.count - 1)
        // A block from it clears it.
        dialogue.arrives(first[0], from: 1)
        #expect(dialogue.swarm.statistics(of: peer(1))?.isSnubbed == false)
        #expect(dialogue.swarm.inconsistencies == [])
    }

    @Test("a peer that used to be fast is waited for ten seconds only")
    func patience() {
        var dialogue = Dialogue(pieces: 8, blocks: 64)
        dialogue.arrived(1)
        var waiting = dialogue.unchoked(1).requested[...]
        for _ in 0..<100 {
            guard let block = waiting.popFirst() else { break }
            dialogue.now = dialogue.now + .milliseconds(20)
            waiting += dialogue.arrives(block, from: 1).requested + dialogue.wait(.zero).requested
        }
        dialogue.wait(.seconds(12))
        #expect(dialogue.swarm.statistics(of: peer(1))?.isSnubbed == true)
    }

    @Test("the third unasked block closes the connection")
    func unasked() {
        var dialogue = Dialogue(pieces: 8)
        dialogue.arrived(1)
        let block = dialogue.block(0, 0)
        #expect(dialogue.began(block, from: 1) == .unasked)
        #expect(dialogue.began(block, from: 1) == .unasked)
        let answer = dialogue.tell { _ = $0.blockBegan(block, from: peer(1), at: $2, into: &$1) }
        #expect(answer == [.close(peer(1), .unaskedBlocks)])
    }

    @Test(
        "a block that differs in any number from what was asked is unasked",
        arguments: [
            Block(piece: 0, begin: 1, length: 16384), Block(piece: 0, begin: 0, length: 16383),
            Block(piece: 1, begin: 0, length: 16384), Block(piece: .max, begin: .max, length: .max),
            Block(piece: 0, begin: 1 << 31, length: 16384), Block(piece: 0, begin: 0, length: 0),
        ]
    )
    func strangeBlocks(block: Block) {
        var dialogue = Dialogue(pieces: 1)
        dialogue.arrived(1)
        dialogue.unchoked(1)
        #expect(dialogue.began(block, from: 1) == .unasked)
        #expect(dialogue.swarm.inconsistencies == [])
    }

    @Test("a payload that breaks off is asked for again elsewhere")
    func abort() {
        var dialogue = Dialogue(pieces: 1)
        dialogue.arrived(1)
        let block = dialogue.unchoked(1).requested[0]
        #expect(dialogue.began(block, from: 1) == .wanted)
        dialogue.arrived(2)
        dialogue.unchoked(2)
        let answer = dialogue.tell { $0.blockAborted(block, from: peer(1), at: $2, into: &$1) }
        #expect(answer.requested.contains(block))
        #expect(dialogue.left(1).requests(of: 1) == [])
        #expect(dialogue.swarm.inconsistencies == [])
    }

    @Test("a paused swarm asks nothing, takes what comes, and goes on when resumed")
    func pause() {
        var dialogue = Dialogue(pieces: 8)
        dialogue.arrived(1)
        let waiting = dialogue.unchoked(1).requested
        dialogue.tell { swarm, _, _ in swarm.pause() }
        var answer: [SwarmAction] = []
        for block in waiting { answer += dialogue.arrives(block, from: 1) }
        #expect(answer.requested == [])
        let piece = Int(waiting[0].piece)
        #expect(dialogue.tell { $0.pieceWriteFailed(piece, at: $2, into: &$1) } == [.closePiece(piece)])
        let resumed = dialogue.tell { $0.resume(at: $2, into: &$1) }
        #expect(resumed.requested.count >= 16)
        #expect(dialogue.swarm.have.isEmpty == true)
    }

    @Test("a limited download keeps little in flight")
    func downLimit() {
        var dialogue = Dialogue(pieces: 64)
        dialogue.tell { swarm, _, _ in swarm.setDownLimit(16_384) }
        for raw in 1...10 as ClosedRange<UInt32> {
            dialogue.arrived(raw)
            dialogue.unchoked(raw)
        }
        #expect(dialogue.swarm.statistics.reduce(0) { $0 + $1.requestsInFlight } == 8)
    }

    @Test("blocks of few pieces are spread over the peers that are there")
    func spread() {
        var dialogue = Dialogue(pieces: 4, blocks: 16)
        for raw in 1...4 as ClosedRange<UInt32> { dialogue.arrived(raw) }
        for raw in 1...4 as ClosedRange<UInt32> {
            dialogue.unchoked(raw)
            #expect(dialogue.swarm.statistics(of: peer(raw)).map { $0.requestsInFlight >= 4 } == true)
        }
    }
}

@Suite("End-game")
struct EndGameTests {
    /// One piece of eight blocks, all asked of a peer that has sent nothing so far.
    private func lastPiece() -> Dialogue {
        var dialogue = Dialogue(pieces: 1, blocks: 8)
        dialogue.arrived(1)
        dialogue.unchoked(1)
        return dialogue
    }

    @Test("an idle peer is asked for blocks of a slow one; what comes first cancels the other")
    func cancels() {
        var dialogue = lastPiece()
        dialogue.arrived(2)
        let doubled = dialogue.unchoked(2).requests(of: 2)
        #expect(doubled.count == 4)
        let answer = dialogue.arrives(doubled[0], from: 2)
        #expect(answer.first == .cancel(doubled[0], peer(1)))
        // The copy that was on its way already is late, not unasked.
        #expect(dialogue.began(doubled[0], from: 1) == .late)
        #expect(dialogue.swarm.inconsistencies == [])
    }

    @Test("never more than two peers have the same block to send")
    func twoAtMost() {
        var dialogue = lastPiece()
        var asked: [Block: Int] = [:]
        for raw in 2...6 as ClosedRange<UInt32> {
            dialogue.arrived(raw)
            for block in dialogue.unchoked(raw).requested { asked[block, default: 1] += 1 }
        }
        #expect(asked.values.max() == 2)
        #expect(dialogue.swarm.inconsistencies == [])
    }

    @Test("two peers that have never sent anything do not keep a block from one that has")
    func takesOver() {
        var dialogue = lastPiece()
        dialogue.arrived(2)
        let silents = dialogue.unchoked(2).requests(of: 2)
        dialogue.arrived(3)
        var missing = Set(dialogue.unchoked(3).requests(of: 3))
        #expect(silents.count == 4 && missing.count == 4 && missing.isDisjoint(with: silents))
        // At first an answer may still be on its way.
        while let block = missing.popFirst() { #expect(dialogue.arrives(block, from: 3).requests(of: 3) == []) }
        // Then 3 is asked for what 1 and 2 keep silent about.
        let answer = dialogue.wait(.seconds(4))
        #expect(Set(answer.requests(of: 3)) == Set(silents))
        for block in silents { #expect(answer.contains(.cancel(block, peer(2)))) }
        #expect(dialogue.swarm.inconsistencies == [])
    }

    @Test("nor does one from a peer that sends slowly")
    func takesOverSlowly() {
        var dialogue = lastPiece()
        dialogue.arrived(2)
        var asked = dialogue.unchoked(2).requests(of: 2)
        var (sent, waited) = (0, 0)
        while sent < 8, waited < 30 {
            asked += dialogue.wait(.seconds(1)).requests(of: 2)
            waited += 1
            guard waited.isMultiple(of: 3), !asked.isEmpty else { continue }
            asked += dialogue.arrives(asked.removeFirst(), from: 2).requests(of: 2)
            sent += 1
        }
        // Three seconds a block, and never a pause for want of a request.
        #expect(sent == 8 && waited == 24)
        #expect(dialogue.swarm.inconsistencies == [])
    }

    @Test("while other blocks are to be had nothing is asked twice")
    func notBefore() {
        var dialogue = Dialogue(pieces: 100)
        var seen: Set<Block> = []
        for raw in 1...10 as ClosedRange<UInt32> {
            dialogue.arrived(raw)
            for block in dialogue.unchoked(raw).requested { #expect(seen.insert(block).inserted) }
        }
        #expect(seen.count == 160)
    }

    @Test("of two copies arriving at once the second goes nowhere")
    func copies() {
        var dialogue = lastPiece()
        dialogue.arrived(2)
        let doubled = dialogue.unchoked(2).requests(of: 2)
        #expect(dialogue.began(doubled[0], from: 2) == .wanted)
        #expect(dialogue.began(doubled[0], from: 1) == .late)
        // The first breaks off: the block is asked for again.
        let block = doubled[0]
        let answer = dialogue.tell { $0.blockAborted(block, from: peer(2), at: $2, into: &$1) }
        #expect(answer.requested.contains(block))
        #expect(dialogue.swarm.inconsistencies == [])
    }

    @Test("a peer that trickles the last block is let go when another could send it")
    func trickle() {
        var dialogue = lastPiece()
        for index in 0..<7 { dialogue.arrives(dialogue.block(0, index), from: 1) }
        let last = dialogue.block(0, 7)
        #expect(dialogue.began(last, from: 1) == .wanted)
        dialogue.arrived(2)
        dialogue.unchoked(2)
        #expect(dialogue.wait(.seconds(12)).contains(.close(peer(1), .tooSlow)))
        #expect(dialogue.left(1).requests(of: 2) == [last])
    }
}
