import PeerWire
import Primitives
import Testing

@Suite("Allowed fast set")
struct AllowedFastTests {
    static let infoHash = InfoHash(
        UInt160(high: 0xaaaa_aaaa_aaaa_aaaa, middle: 0xaaaa_aaaa_aaaa_aaaa, low: 0xaaaa_aaaa)
    )

    @Test("is the one that BEP 6 gives as an example", arguments: [7, 9])
    func vectors(count: Int) {
        let pieces = AllowedFast.pieces(
            for: .v4(0x5004_04c8),
            infoHash: AllowedFastTests.infoHash,
            pieceCount: 1313,
            count: count
        )

        #expect(pieces == Array([1059, 431, 808, 1217, 287, 376, 1188, 353, 508].prefix(count)))
    }

    @Test("has no more pieces than the torrent", arguments: [0, 1, 3])
    func small(pieceCount: Int) {
        let pieces = AllowedFast.pieces(for: .loopbackV4, infoHash: AllowedFastTests.infoHash, pieceCount: pieceCount)

        #expect(pieces.sorted() == Array(0..<pieceCount))
    }

    @Test("is empty for IPv6")
    func version6() {
        #expect(AllowedFast.pieces(for: .v6(high: 1, low: 1), infoHash: AllowedFastTests.infoHash, pieceCount: 9) == [])
    }
}
