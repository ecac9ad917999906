import Availability
import Cryptography
import Primitives

/// What records have to say about whom to dial: claims come in, and now and then a plan is made of them.
///
///     claimed ──▶ book ── plan ──▶ picks ── taken one by one ──▶ dialled ── showed ──▶ kept
///                   ▲                                                         └──▶ broken: mistrusted for an hour
struct RecordGuide {
    private let limits: GuidanceLimits
    private var random: SeededRandom
    private(set) var book: ClaimBook
    private var mistrustedKeys: LRUCache<Ed25519.PublicKey, Instant>
    private var mistrustedHosts: LRUCache<HostKey, Instant>
    /// Among the pieces that are missing, and among those that we hold.
    private(set) var rarestMissing: RarestPieces
    private(set) var rarestHeld: RarestPieces
    private(set) var picks: [HolderPlan.Pick] = []
    private var plannedAt: Instant?
    /// Claims came or went since the plan was made.
    private var isStale = false
    private(set) var madeRoomAt: Instant?
    /// A connection was given up for a holder: the next dial is to it, whoever's turn it is.
    private(set) var isRoomHeld = false

    init(limits: GuidanceLimits, seed: UInt64) {
        self.limits = limits
        random = SeededRandom(seed: seed)
        book = ClaimBook(capacity: limits.claims)
        mistrustedKeys = LRUCache(capacity: limits.mistrusted)
        mistrustedHosts = LRUCache(capacity: limits.mistrusted)
        let start = Int(random.next() >> 32)
        rarestMissing = RarestPieces(capacity: limits.focus, window: limits.window, startingAt: start)
        rarestHeld = RarestPieces(capacity: limits.focus, window: limits.window, startingAt: start)
    }

    func isPlanDue(at now: Instant) -> Bool {
        guard !book.isEmpty else { return false }
        guard let plannedAt else { return true }
        return now - plannedAt >= (isStale || picks.isEmpty ? limits.soonestPlan : limits.planAge)
    }

    mutating func claimed(_ claim: HolderClaim, by endpoint: Endpoint, at now: Instant) -> Bool {
        guard claim.expiresAt > now, !isMistrusted(claim.key, endpoint, at: now), book.insert(claim, by: endpoint)
        else {
            return false
        }
        isStale = true
        return true
    }

    mutating func forget(_ endpoint: Endpoint) {
        book.remove(endpoint)
        picks.removeAll { $0.endpoint == endpoint }
    }

    /// - Parameter reason: why the peer was dialled; a piece that it was dialled for must be there.
    mutating func showed(
        _ pieces: Bitfield,
        by endpoint: Endpoint,
        dialledFor reason: DialReason?,
        at now: Instant
    ) -> ClaimVerdict? {
        guard let claim = book.claim(by: endpoint), claim.pieces.pieceCount == pieces.count else { return nil }
        let shortfall = claim.pieces.shortfall(of: pieces)
        var isMissed = false
        if case .absentPiece(let piece, claim.key) = reason { isMissed = !pieces[piece] }
        guard isMissed || shortfall.missing * 100 > shortfall.claimed * limits.toleratedPercent else { return .kept }
        mistrustedKeys.insert(now + limits.mistrustTime, for: claim.key)
        mistrustedHosts.insert(now + limits.mistrustTime, for: HostKey(endpoint))
        forget(endpoint)
        book.removeAll { HostKey($0.endpoint) == HostKey(endpoint) }
        isStale = true
        return .broken(claim.key, missing: shortfall.missing, claimed: shortfall.claimed)
    }

    /// Keys cost nothing, so that a liar is known by its host as well.
    private func isMistrusted(_ key: Ed25519.PublicKey, _ endpoint: Endpoint, at now: Instant) -> Bool {
        let until = max(mistrustedKeys.value(of: key) ?? now, mistrustedHosts.value(of: HostKey(endpoint)) ?? now)
        return until > now
    }

    /// The torrent is known: what is claimed of another number of pieces is forgotten.
    mutating func learn(pieceCount: Int) { book.learn(pieceCount: pieceCount) }

    mutating func removeExpired(at now: Instant) { book.removeAll { $0.claim.expiresAt <= now } }

    /// Makes the plan anew.
    ///
    /// - Parameters:
    ///   - holders: connected peers that hold a piece.
    ///   - ready: those of the book that can be dialled now.
    ///   - expected: those of the book that are being dialled already.
    ///   - mostPromised: pieces of which more holders are promised, in 26ths, are left to chance; `nil`: none is.
    mutating func plan(
        for missing: Bitfield,
        holders: (Int) -> Int,
        ready: [ClaimBook.Entry],
        expected: [ClaimBook.Entry],
        mostPromised: Int?,
        at now: Instant
    ) {
        (plannedAt, isStale) = (now, false)
        let book = book
        let most = mostPromised ?? .max
        rarestMissing.look(through: missing) { piece in
            let promised = book.expectation(of: piece)
            // What nobody claims is rare and no reason to dial anybody.
            guard promised > 0, promised <= most, holders(piece) == 0 else { return nil }
            return promised
        }
        var plan = HolderPlan(rarest: rarestMissing.pieces, of: missing.count) { book.expectation(of: $0) }
        for entry in expected { plan.expect(entry.claim.pieces) }
        // Shuffled, or all that read the same records would dial the same of equals.
        picks = plan.picks(from: ready.shuffled(using: &random), atMost: limits.planned)
    }

    mutating func madeRoom(forHolder: Bool, at now: Instant) {
        madeRoomAt = now
        isRoomHeld = forHolder
    }

    /// Takes the first peer out of the plan.
    mutating func takePick() -> HolderPlan.Pick? {
        isRoomHeld = false
        return picks.isEmpty ? nil : picks.removeFirst()
    }

    /// What a digest should name first.
    mutating func rarest(held: Bitfield, holders: (Int) -> Int) -> [Int] {
        let book = book
        rarestHeld.look(through: held) { book.expectation(of: $0) + holders($0) * PieceClaims.certainty }
        return rarestHeld.pieces
    }
}
