import Cryptography
package import Primitives

/// The pieces that a peer may fetch while it is choked (BEP 6).
package enum AllowedFast {
    /// The usual size of the set, and the most that we offer (hardening B10).
    package static let count = 10

    /// The canonical set: it follows from the peer's /24 and the torrent, so reconnecting brings a peer nothing new.
    ///
    /// Empty for an IPv6 address, for which BEP 6 says nothing.
    package static func pieces(
        for address: IPAddress,
        infoHash: InfoHash,
        pieceCount: Int,
        count: Int = AllowedFast.count
    ) -> [Int] {
        guard case .v4(let bits) = address, pieceCount > 0 else { return [] }
        var writer = ByteWriter(capacity: 24)
        writer.bigEndian(bits & 0xffff_ff00)
        infoHash.value.write(to: &writer)
        var seed = writer.bytes
        var pieces: [Int] = []
        while pieces.count < min(count, pieceCount) {
            seed = SHA1.hash(seed).bytes
            for offset in stride(from: 0, to: 20, by: 4) where pieces.count < min(count, pieceCount) {
                guard let word = seed.span.bytes.bigEndian(UInt32.self, at: offset) else { continue }
                let piece = Int(word) % pieceCount
                if !pieces.contains(piece) { pieces.append(piece) }
            }
        }
        return pieces
    }
}
