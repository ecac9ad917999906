import Availability
import Cryptography
import Primitives

/// The claims of peers that may be dialled, and how many holders they promise for each piece.
///
/// An endpoint has one claim and a key has one endpoint: whoever wants to say more needs more addresses.
struct ClaimBook {
    struct Entry {
        let endpoint: Endpoint
        let claim: HolderClaim
    }

    private(set) var entries: [Entry] = []
    private var indices: [Endpoint: Int] = [:]
    private var endpoints: [Ed25519.PublicKey: Endpoint] = [:]
    private let capacity: Int

    /// Of the torrent, once that is known.
    private(set) var pieceCount: Int?
    /// Promised holders of each piece, in 26ths, without those that claim everything; empty until somebody claims a part.
    ///
    /// A thousand claims are 26,000 at most.
    private var sums: [UInt16] = []
    private var completeClaims = 0

    init(capacity: Int) { self.capacity = min(max(1, capacity), 2000) }

    var isEmpty: Bool { entries.isEmpty }

    func claim(by endpoint: Endpoint) -> HolderClaim? { indices[endpoint].map { entries[$0].claim } }

    /// Expected holders of a piece among those who claim anything, in 26ths.
    func expectation(of piece: Int) -> Int {
        completeClaims * PieceClaims.certainty + (piece < sums.count ? Int(sums[piece]) : 0)
    }

    /// Notes a claim, unless there is a newer one of its key. Returns whether it was noted.
    ///
    /// Where there are too many, the one that ends first makes room.
    mutating func insert(_ claim: HolderClaim, by endpoint: Endpoint) -> Bool {
        if let pieceCount, claim.pieces.pieceCount != pieceCount { return false }
        if let known = endpoints[claim.key] {
            guard let old = self.claim(by: known), claim.sequence > old.sequence else { return false }
            remove(known)
        }
        remove(endpoint)
        if entries.count >= capacity, !makeRoom(for: claim) { return false }
        indices[endpoint] = entries.count
        endpoints[claim.key] = endpoint
        entries.append(Entry(endpoint: endpoint, claim: claim))
        add(claim.pieces)
        return true
    }

    mutating func remove(_ endpoint: Endpoint) {
        guard let index = indices.removeValue(forKey: endpoint) else { return }
        entries.swapAt(index, entries.count - 1)
        guard let gone = entries.popLast() else { return }
        if index < entries.count { indices[entries[index].endpoint] = index }
        endpoints[gone.claim.key] = nil
        subtract(gone.claim.pieces)
    }

    mutating func removeAll(where isGone: (Entry) -> Bool) {
        for index in entries.indices.reversed() where isGone(entries[index]) { remove(entries[index].endpoint) }
    }

    /// The torrent is known: claims about another number of pieces are about nothing.
    mutating func learn(pieceCount: Int) {
        guard self.pieceCount != pieceCount else { return }
        removeAll { $0.claim.pieces.pieceCount != pieceCount }
        self.pieceCount = pieceCount
        (sums, completeClaims) = ([], 0)
        for entry in entries { add(entry.claim.pieces) }
    }

    private mutating func makeRoom(for claim: HolderClaim) -> Bool {
        guard let first = entries.min(by: { $0.claim.expiresAt < $1.claim.expiresAt }),
            first.claim.expiresAt < claim.expiresAt
        else { return false }
        remove(first.endpoint)
        return true
    }

    private mutating func add(_ claims: PieceClaims) {
        guard let pieceCount else { return }
        if case .all = claims {
            completeClaims += 1
            return
        }
        if sums.isEmpty { sums = [UInt16](repeating: 0, count: pieceCount) }
        for span in claims.spans { for piece in span.pieces { sums[piece] &+= span.amount } }
    }

    private mutating func subtract(_ claims: PieceClaims) {
        guard pieceCount != nil else { return }
        if case .all = claims {
            completeClaims -= 1
            return
        }
        for span in claims.spans { for piece in span.pieces { sums[piece] &-= span.amount } }
    }
}
