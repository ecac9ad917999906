import Cryptography
package import Primitives

/// The pieces that a peer may fetch while it is choked (BEP 6): the same set whoever computes it, so that a peer gains
/// nothing by connecting again.
package enum AllowedFast {
    /// - Returns: at most `count` distinct pieces in the order of BEP 6; all pieces of a smaller torrent; none for IPv6, for
    ///   which the BEP names no set.
    package static func pieces(count: Int, pieceCount: Int, infoHash: InfoHash, address: IPAddress) -> [Int] {
        guard case .v4(let bits) = address, count > 0, pieceCount > 0 else { return [] }
        guard pieceCount > count else { return Array(0..<pieceCount) }
        var writer = ByteWriter(capacity: 24)
        writer.bigEndian(bits & 0xffff_ff00)
        infoHash.value.write(to: &writer)
        var pieces: [Int] = []
        var digest = SHA1.hash(writer.bytes).bytes
        // More pieces than are wanted exist, so this ends; the bound is against a degenerate hash chain.
        for _ in 0..<64 {
            for word in stride(from: 0, to: 20, by: 4) {
                let number = digest.span.bytes.bigEndian(UInt32.self, at: word) ?? 0
                let piece = Int(number % UInt32(pieceCount))
                if !pieces.contains(piece) { pieces.append(piece) }
                if pieces.count == count { return pieces }
            }
            digest = SHA1.hash(digest).bytes
        }
        return pieces
    }
}
