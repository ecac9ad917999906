import Availability
package import Primitives

/// Which pieces the peers of a swarm have, as far as they tell (`have=` in an announce).
struct SwarmHolders {
    /// What one peer told.
    struct Told {
        let pieceCount: Int
        let blob: [UInt8]
    }

    private(set) var byEndpoint: [Endpoint: Told] = [:]

    var isEmpty: Bool { byEndpoint.isEmpty }
    var byteCount: Int { byEndpoint.values.reduce(0) { $0 + $1.blob.count } }

    /// Bytes more than before; `nil` where there is no room for another peer.
    mutating func set(_ told: Told, for peer: Endpoint, atMost limit: Int) -> Int? {
        let before = byEndpoint[peer]?.blob.count
        guard before != nil || byEndpoint.count < limit else { return nil }
        byEndpoint[peer] = told
        return told.blob.count - (before ?? 0)
    }

    /// The bytes that are gone.
    mutating func remove(_ peer: Endpoint) -> Int { byEndpoint.removeValue(forKey: peer)?.blob.count ?? 0 }
}

/// Who has which pieces of one torrent.
package struct PieceHolders: Sendable {
    package let pieceCount: Int
    /// One list of peers for each piece.
    package let holders: [[Endpoint]]
}
