import Metainfo
import Primitives
import Testing

@testable import Swarming

@Suite("Blame")
struct BlameTests {
    private func host(_ raw: UInt32) -> Endpoint { Endpoint(.v4(0x0a00_0000 | raw), 6881) }

    /// One piece of four blocks, of which peers 1 and 2 each send two, and its hash is wrong.
    private func mixedFailure() -> Dialogue {
        var dialogue = Dialogue(pieces: 1)
        dialogue.arrived(1)
        dialogue.unchoked(1)
        for index in 0..<2 { dialogue.arrives(dialogue.block(0, index), from: 1) }
        for index in 2..<4 {
            let block = dialogue.block(0, index)
            dialogue.tell { $0.rejected(block, by: peer(1), at: $2, into: &$1) }
        }
        dialogue.arrived(2)
        dialogue.unchoked(2)
        for index in 2..<4 { dialogue.arrives(dialogue.block(0, index), from: 2) }
        dialogue.checked(0, false)
        return dialogue
    }

    @Test("the sole sender of a wrong piece is banned, and the piece is fetched again")
    func sole() {
        var dialogue = Dialogue(pieces: 1)
        dialogue.arrived(1)
        for block in dialogue.unchoked(1).requested { dialogue.arrives(block, from: 1) }
        #expect(
            dialogue.checked(0, false) == [.closePiece(0), .ban(peer(1), host: host(1), .sentBadPiece)]
        )
        dialogue.left(1)
        dialogue.arrived(2)
        #expect(dialogue.unchoked(2).requested.count == 4)
    }

    @Test("who left before the lie was found is banned all the same")
    func absent() {
        var dialogue = Dialogue(pieces: 1)
        dialogue.arrived(1)
        for block in dialogue.unchoked(1).requested { dialogue.arrives(block, from: 1) }
        dialogue.left(1)
        #expect(dialogue.checked(0, false).contains(.ban(peer(1), host: host(1), .sentBadPiece)))
    }

    @Test("a mixed piece convicts nobody; it is fetched again from one suspect alone")
    func mixed() {
        var dialogue = mixedFailure()
        let answer = dialogue.last
        #expect(answer.first == .closePiece(0))
        #expect(!answer.contains { if case .ban = $0 { true } else { false } })
        // A bystander does not get a share of it, nor does the other suspect.
        dialogue.arrived(3)
        #expect(dialogue.unchoked(3).requested == [])
        let suspect: UInt32 = answer.requests(of: 1).isEmpty ? 2 : 1
        let rest = dialogue.sends(answer.requested, from: suspect)
        #expect(Set(answer.requested + rest.requests(of: suspect)).count == 4)
        #expect(rest.requests(of: 3 - suspect) == [])
        #expect(rest.last == .check(piece: 0))
    }

    @Test("the suspect that fails alone is banned; the one that succeeds is cleared")
    func tested() {
        for succeeds in [true, false] {
            var dialogue = mixedFailure()
            let answer = dialogue.last
            let suspect: UInt32 = answer.requests(of: 1).isEmpty ? 2 : 1
            dialogue.sends(answer.requested, from: suspect)
            let verdict = dialogue.checked(0, succeeds)
            #expect(verdict.contains(.ban(peer(suspect), host: host(suspect), .sentBadPiece)) == !succeeds)
            #expect(verdict.contains(.completed) == succeeds)
        }
    }

    @Test("when the single source leaves, the piece starts over from another")
    func sourceLeaves() {
        var dialogue = mixedFailure()
        let answer = dialogue.last
        let suspect: UInt32 = answer.requests(of: 1).isEmpty ? 2 : 1
        dialogue.arrives(answer.requested[0], from: suspect)
        let next = dialogue.left(suspect)
        #expect(next.contains(.closePiece(0)) && next.contains(.openPiece(0)))
        #expect(next.requests(of: 3 - suspect).count == 4)
        #expect(dialogue.swarm.inconsistencies == [])
    }

    @Test("who always takes part when pieces fail is banned")
    func always() {
        var dialogue = Dialogue(
            pieces: 40,
            blocks: 2,
            limits: {
                var limits = SwarmLimits(); limits.initialRequests = 1; return limits
            }()
        )
        var banned: [SwarmAction] = []
        for round in 0..<6 where banned.isEmpty {
            // Each time a new partner, that leaves before it can be tested.
            let partner = UInt32(10 + round)
            dialogue.arrived(1, holding: [round])
            dialogue.arrived(partner, holding: [round])
            let first = dialogue.unchoked(1).requested
            let second = dialogue.unchoked(partner).requested
            #expect(first.count == 1 && second.count == 1)
            dialogue.tell { swarm, _, _ in swarm.pause() }
            for block in first { dialogue.arrives(block, from: 1) }
            for block in second { dialogue.arrives(block, from: partner) }
            banned += dialogue.checked(round, false).filter { if case .ban = $0 { true } else { false } }
            dialogue.left(partner)
            dialogue.left(1)
            dialogue.tell { $0.resume(at: $2, into: &$1) }
        }
        #expect(banned == [.ban(peer(1), host: host(1), .tookPartInBadPieces)])
    }

    @Test("a full disk is nobody's fault")
    func writeFailure() {
        var dialogue = Dialogue(pieces: 1)
        dialogue.arrived(1)
        for block in dialogue.unchoked(1).requested { dialogue.arrives(block, from: 1) }
        let answer = dialogue.tell { $0.pieceWriteFailed(0, at: $2, into: &$1) }
        #expect(answer.prefix(2) == [.closePiece(0), .openPiece(0)])
        #expect(answer.requested.count == 4)
    }

    @Test("blocks of a convicted peer in other pieces are fetched again")
    func discarded() {
        var dialogue = Dialogue(pieces: 2)
        dialogue.arrived(1)
        let asked = dialogue.unchoked(1).requested
        #expect(asked.count == 8)
        for block in asked.dropLast() { dialogue.arrives(block, from: 1) }
        dialogue.arrived(2)
        dialogue.unchoked(2)
        let answer = dialogue.checked(Int(asked[0].piece), false)
        #expect(Set(answer.requests(of: 2)).isSuperset(of: asked[4..<7]))
        #expect(dialogue.swarm.inconsistencies == [])
    }
}
