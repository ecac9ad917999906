import Metainfo
import Primitives
import Testing

@testable import Swarming

@Suite("Choking")
struct ChokingTests {
    /// A sharer with `count` peers that all want something.
    private func sharer(peers count: UInt32, slots: Int = 3, maxSlots: Int = 3) -> Dialogue {
        var limits = SwarmLimits()
        limits.uploadSlots = slots
        limits.maxUploadSlots = maxSlots
        var dialogue = Dialogue(pieces: 4, have: [0, 1, 2, 3], limits: limits)
        for raw in 1...count {
            dialogue.arrived(raw, holding: [])
            dialogue.interested(raw)
        }
        return dialogue
    }

    @Test("who is interested is served at once while a slot is free")
    func newcomers() {
        let dialogue = sharer(peers: 5)
        #expect(dialogue.swarm.statistics.map(\.isChoked) == [false, false, false, true, true])
    }

    @Test("a slot that becomes free is given out at once")
    func freed() {
        var dialogue = sharer(peers: 5)
        #expect(dialogue.left(2).chokes == [.unchoke(peer(4))])
        let answer = dialogue.tell { $0.notInterested(peer(1), at: $2, into: &$1) }
        #expect(answer.chokes == [.choke(peer(1)), .unchoke(peer(5))])
    }

    @Test("each ten seconds those that got most keep their slots; one slot goes round every thirty")
    func rounds() {
        var dialogue = sharer(peers: 6)
        #expect(dialogue.wait(.seconds(9)).chokes == [])
        for raw in [1, 3] as [UInt32] {
            dialogue.tell { swarm, _, now in swarm.uploaded(100_000, to: peer(raw), at: now) }
        }
        dialogue.wait(.seconds(1))
        func served(_ dialogue: borrowing Dialogue) -> Set<UInt32> {
            Set(dialogue.swarm.statistics.filter { !$0.isChoked }.map(\.handle.raw))
        }
        let first = served(dialogue)
        #expect(first.count == 3 && first.isSuperset(of: [1, 3]))
        var lucky: [Set<UInt32>] = [first.subtracting([1, 3])]
        for _ in 0..<12 {
            for raw in [1, 3] as [UInt32] {
                dialogue.tell { swarm, _, now in swarm.uploaded(100_000, to: peer(raw), at: now) }
            }
            dialogue.wait(.seconds(10))
            #expect(served(dialogue).isSuperset(of: [1, 3]))
            lucky.append(served(dialogue).subtracting([1, 3]))
        }
        // The same for three rounds, then another draw.
        for turn in stride(from: 0, to: 12, by: 3) { #expect(Set(lucky[turn..<turn + 3]).count == 1) }
        #expect(Set(lucky).count > 1)
    }

    @Test("while fetching, those that give most are served")
    func titForTat() {
        var limits = SwarmLimits()
        limits.uploadSlots = 2
        var dialogue = Dialogue(pieces: 32, blocks: 16, have: [0], limits: limits)
        for raw in 1...4 as ClosedRange<UInt32> {
            dialogue.arrived(raw, holding: Array(1..<32))
            dialogue.interested(raw)
        }
        for block in dialogue.unchoked(4).requested { dialogue.arrives(block, from: 4) }
        #expect(dialogue.swarm.statistics(of: peer(4))?.isChoked == true)
        dialogue.wait(.seconds(10))
        #expect(dialogue.swarm.statistics(of: peer(4))?.isChoked == false)
        #expect(dialogue.swarm.statistics.count { !$0.isChoked } == 2)
    }

    @Test("a peer that snubs us keeps no regular slot")
    func antiSnubbing() {
        var random = SeededRandom(seed: 3)
        var choker = Choker(interval: .seconds(10), optimisticInterval: .seconds(30), now: start)
        func candidate(_ slot: Int, merit: Int64, isSnubbing: Bool) -> Choker.Candidate {
            Choker.Candidate(
                slot: slot,
                handle: peer(UInt32(slot)),
                merit: merit,
                isUnchoked: true,
                isSnubbing: isSnubbing,
                hadItsTurn: false,
                isNew: false
            )
        }
        let candidates = [
            candidate(0, merit: 900, isSnubbing: true), candidate(1, merit: 10, isSnubbing: false),
            candidate(2, merit: 20, isSnubbing: false), candidate(3, merit: 0, isSnubbing: false),
        ]
        let chosen = choker.round(candidates, uploadSlots: 3, at: start + .seconds(10), using: &random)
        #expect(chosen.count == 3)
        #expect(chosen.prefix(2) == [2, 1])
        #expect(choker.nextRound == start + .seconds(20))
    }

    @Test("newcomers are drawn three times as often")
    func newcomersAreLikely() {
        var drawn = 0
        for seed in 1...400 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            var choker = Choker(interval: .seconds(10), optimisticInterval: .seconds(30), now: start)
            let candidates = (0..<2).map {
                Choker.Candidate(
                    slot: $0,
                    handle: peer(UInt32($0)),
                    merit: 0,
                    isUnchoked: false,
                    isSnubbing: true,
                    hadItsTurn: false,
                    isNew: $0 == 1
                )
            }
            if choker.round(candidates, uploadSlots: 1, at: start, using: &random) == [1] { drawn += 1 }
        }
        #expect((260...340).contains(drawn))
    }

    @Test("more upload opens more slots")
    func slots() {
        var dialogue = sharer(peers: 40, maxSlots: 64)
        for _ in 0..<20 {
            dialogue.tell { swarm, _, now in swarm.uploaded(1_000_000, to: peer(1), at: now) }
            dialogue.wait(.seconds(1))
        }
        #expect((20...25).contains(dialogue.swarm.statistics.count { !$0.isChoked }))
    }
}

@Suite("Serving")
struct ServingTests {
    private func sharer(fast: Bool = true) -> Dialogue {
        var dialogue = Dialogue(pieces: 4, have: [0, 1])
        dialogue.arrived(1, holding: [], fast: fast)
        return dialogue
    }

    @Test("requests are refused while choked, served when not")
    func choked() {
        var dialogue = sharer()
        let block = dialogue.block(0, 0)
        #expect(dialogue.swarm.requested(block, by: peer(1), at: start) == .reject)
        dialogue.interested(1)
        #expect(dialogue.swarm.requested(block, by: peer(1), at: start) == .serve)
        #expect(dialogue.swarm.requested(dialogue.block(2, 0), by: peer(1), at: start) == .reject)
        #expect(dialogue.swarm.requested(block, by: peer(7), at: start) == .reject)
    }

    @Test("no more than 250 requests are kept")
    func queue() {
        var dialogue = sharer()
        dialogue.interested(1)
        let block = dialogue.block(0, 0)
        for _ in 0..<250 { #expect(dialogue.swarm.requested(block, by: peer(1), at: start) == .serve) }
        #expect(dialogue.swarm.requested(block, by: peer(1), at: start) == .reject)
        dialogue.swarm.uploaded(16384, to: peer(1), at: start)
        dialogue.swarm.cancelled(block, by: peer(1))
        #expect(dialogue.swarm.requested(block, by: peer(1), at: start) == .serve)
        #expect(dialogue.swarm.requested(block, by: peer(1), at: start) == .serve)
        #expect(dialogue.swarm.requested(block, by: peer(1), at: start) == .reject)
    }

    @Test(
        "what is outside the torrent is rejected with BEP 6 and closes without",
        arguments: [
            Block(piece: 4, begin: 0, length: 1), Block(piece: 0, begin: 65535, length: 2),
            Block(piece: 0, begin: .max, length: 16384), Block(piece: .max, begin: 0, length: 1),
            Block(piece: 0, begin: 0, length: 0),
        ]
    )
    func outside(block: Block) {
        var fast = sharer()
        fast.interested(1)
        #expect(fast.swarm.requested(block, by: peer(1), at: start) == .reject)
        var plain = sharer(fast: false)
        plain.interested(1)
        #expect(plain.swarm.requested(block, by: peer(1), at: start) == .close(.badRequest))
    }

    @Test("a request over 128 KiB closes")
    func oversized() {
        var dialogue = sharer()
        let block = Block(piece: 0, begin: 0, length: 131_073)
        #expect(dialogue.swarm.requested(block, by: peer(1), at: start) == .close(.badRequest))
    }

    @Test("a peer that does not take no for an answer is closed")
    func deaf() {
        var dialogue = sharer()
        let block = dialogue.block(0, 0)
        var verdict = RequestVerdict.serve
        for _ in 0...500 { verdict = dialogue.swarm.requested(block, by: peer(1), at: start) }
        #expect(verdict == .close(.ignoresRefusals))
    }

    @Test("the allowed-fast set is the published one")
    func allowedFastVector() throws {
        let infoHash = try #require(InfoHash(hex: String(repeating: "aa", count: 20)))
        let address = try #require(IPAddress("80.4.4.200"))
        let pieces = [1059, 431, 808, 1217, 287, 376, 1188, 353, 508]
        for count in [7, 9] {
            #expect(
                AllowedFast.pieces(count: count, pieceCount: 1313, infoHash: infoHash, address: address)
                    == Array(pieces.prefix(count))
            )
        }
        #expect(AllowedFast.pieces(count: 10, pieceCount: 3, infoHash: infoHash, address: address) == [0, 1, 2])
    }

    @Test("a new peer may fetch its allowed-fast pieces while choked, twice and no more")
    func allowedFast() throws {
        let infoHash = try #require(InfoHash(hex: String(repeating: "aa", count: 20)))
        var dialogue = Dialogue(pieces: 3, blocks: 1, have: [0, 1], infoHash: infoHash)
        #expect(
            dialogue.arrived(1, holding: []) == [.allowFast(piece: 0, peer(1)), .allowFast(piece: 1, peer(1))]
        )
        let block = dialogue.block(0, 0)
        let verdicts = (0..<5).map { _ in dialogue.swarm.requested(block, by: peer(1), at: start) }
        #expect(verdicts == [.serve, .serve, .serve, .serve, .reject])
        #expect(dialogue.arrived(2) == [.interested(peer(2))])
    }
}
