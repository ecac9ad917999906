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

    @Test("who takes part whenever pieces fail is banned, although it never fails alone")
    func always() {
        var dialogue = Dialogue(pieces: 12)
        var banned: [SwarmAction] = []
        // Four pieces under way at a time, of each half from peer 1 and half from another partner.
        dialogue.arrived(1)
        dialogue.unchoked(1)
        let mine = dialogue.swarm.open.slots.map(\.piece)
        for piece in mine {
            for index in 0..<2 { dialogue.arrives(dialogue.block(piece, index), from: 1) }
        }
        dialogue.choked(1)
        for piece in mine {
            for index in 2..<4 {
                let block = dialogue.block(piece, index)
                dialogue.tell { $0.rejected(block, by: peer(1), at: $2, into: &$1) }
            }
        }
        for (index, piece) in mine.enumerated() {
            let partner = UInt32(10 + index)
            dialogue.arrived(partner, holding: [piece])
            dialogue.sends(dialogue.unchoked(partner).requests(of: partner), from: partner)
            dialogue.left(partner)
        }
        for piece in mine { dialogue.checked(piece, false) }
        // A bystander delivers them all.
        dialogue.arrived(2)
        dialogue.sends(dialogue.unchoked(2).requests(of: 2), from: 2)
        for piece in mine { banned += dialogue.checked(piece).filter { if case .ban = $0 { true } else { false } } }
        #expect(mine.count >= 4)
        #expect(banned == [.ban(peer(1), host: host(1), .tookPartInBadPieces)])
    }

    @Test("a suspect sends whole pieces until it is cleared")
    func parole() {
        var dialogue = Dialogue(pieces: 3)
        dialogue.tell { $0.select(bits([0, 1], of: 3), at: $2, into: &$1) }
        dialogue.arrived(1, holding: [0])
        dialogue.unchoked(1)
        for index in 0..<2 { dialogue.arrives(dialogue.block(0, index), from: 1) }
        dialogue.left(1)
        dialogue.arrived(2)
        dialogue.sends(dialogue.unchoked(2).requests(of: 2), from: 2)
        dialogue.checked(1)
        #expect(dialogue.swarm.isOnParole(dialogue.swarm.roster.slots[0]) == false)
        let again = dialogue.checked(0, false)
        #expect(dialogue.swarm.isOnParole(dialogue.swarm.roster.slots[0]) == true)
        dialogue.sends(again.requests(of: 2), from: 2)
        dialogue.checked(0)
        #expect(dialogue.swarm.isComplete == true)
        #expect(dialogue.swarm.isOnParole(dialogue.swarm.roster.slots[0]) == false)
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
