import Availability
import Primitives
import Testing

@Suite("Piece claims")
struct PieceClaimsTests {
    @Test("a peer that holds everything holds no piece outside of the torrent")
    func all() {
        let claims = PieceClaims.all(pieceCount: 3)
        #expect((-1...3).map { claims.likelihood(of: $0) } == [0, 1, 1, 1, 0])
        #expect(claims.heldCount == 3)
        #expect(claims.certain.isFull)
    }
}
