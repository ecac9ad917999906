package import Metainfo
package import Primitives

/// All decisions of one torrent's swarm: what to ask of whom, whom to serve, whom to blame.
///
/// Takes what peers said and what the disk answered, and returns actions; moves no bytes. A piece goes
///
///     missing ── openPiece ──▶ filling ── last block: check ──▶ checking ── correct: announceHave ──▶ verified
///        ▲                        │                                │
///        └────── closePiece ──────┴────────── closePiece ──────────┘
///
/// and each of its blocks `free → asked (of one; at the end of two) → arriving → received`.
///
/// Nothing here costs more than a few array accesses per block; what costs as much as there are peers happens once per
/// piece, per second, or when a peer comes, leaves or chokes.
package struct Swarm: ~Copyable {
    let layout: PieceLayout
    let limits: SwarmLimits
    let infoHash: InfoHash?
    var random: SeededRandom

    /// Verified pieces.
    package internal(set) var have: Bitfield
    /// Pieces wanted (`--only`).
    package internal(set) var wanted: Bitfield
    /// Wanted and not verified.
    var missing: Bitfield
    package internal(set) var verifiedWantedBytes: Int64 = 0
    package internal(set) var wantedBytes: Int64 = 0

    var order: RarityOrder
    var open: OpenPieces
    /// Peers that hold everything; they are not counted in `order`.
    var completePeers = 0
    var peers: [SwarmPeer] = []
    var roster = Roster()
    var choker: Choker
    var blame: Blame

    /// Requests in flight to all peers.
    var totalOutstanding = 0
    package internal(set) var isPaused = false
    package internal(set) var isSequential = false
    var isCompletionTold = false
    /// Slots for peers that fetch from us; grows with what we send.
    var uploadSlots: Int
    /// The pipelines of all peers that can be asked, together.
    var targetSum = 0
    /// Where the last round of `fillAll` began.
    var firstServed = 0
    /// Where the end-game looks first for a block to ask twice.
    var duplicateCursor = 0
    /// Requests to all peers together, where the download is limited.
    var outstandingLimit = Int.max
    var tickedAt: Instant
    /// Bytes from and to peers that left.
    var departedDown: Int64 = 0
    var departedUp: Int64 = 0
    /// Bytes that came and were of no use: late, unasked or wrong.
    package internal(set) var wastedBytes: Int64 = 0

    /// - Parameters:
    ///   - have: Pieces already verified on disk.
    ///   - infoHash: Needed for the allowed-fast sets of BEP 6; without it none are given.
    ///   - seed: All chance in this swarm comes from it.
    package init(
        layout: PieceLayout,
        have: Bitfield,
        limits: SwarmLimits = .init(),
        infoHash: InfoHash? = nil,
        seed: UInt64,
        now: Instant
    ) {
        precondition(have.count == layout.pieceCount)
        self.layout = layout
        self.limits = limits
        self.infoHash = infoHash
        self.have = have
        random = SeededRandom(seed: seed)
        wanted = Bitfield(filled: layout.pieceCount)
        missing = Bitfield(count: layout.pieceCount)
        order = RarityOrder(pieceCount: layout.pieceCount)
        open = OpenPieces(pieceCount: layout.pieceCount)
        choker = Choker(interval: limits.chokeInterval, optimisticInterval: limits.optimisticInterval, now: now)
        blame = Blame(capacity: limits.maxFailedPieces)
        uploadSlots = limits.uploadSlots
        tickedAt = now
        recountWanted()
        isCompletionTold = isComplete
        for piece in missing.indices { order.insert(piece, using: &random) }
    }

    /// Every wanted piece is verified.
    package var isComplete: Bool { missing.isEmpty }

    /// Connections, without those that were asked to leave.
    package var peerCount: Int { roster.slots.count { !peers[$0].isLeaving } }

    /// When `advanced` is due: each second while there are peers. `nil` without peers.
    package var nextDeadline: Instant? {
        roster.count == 0 ? nil : min(tickedAt + .seconds(1), choker.nextRound)
    }

    /// At most this many pieces have a buffer: as many as the budget pays for, two (or one, where one alone exceeds it).
    var maxOpen: Int {
        let affordable = limits.pieceBufferBudget / layout.pieceLength
        return min(max(affordable, affordable >= 1 ? 2 : 1), limits.maxOpenPieces)
    }

    /// Recomputes what follows from `have` and `wanted`.
    mutating func recountWanted() {
        missing = wanted
        missing.subtract(have)
        let last = layout.pieceCount - 1
        func bytes(_ pieces: Bitfield) -> Int64 {
            let short = pieces[last] ? layout.pieceLength - layout.length(ofPiece: last) : 0
            return Int64(pieces.setCount) * Int64(layout.pieceLength) - Int64(short)
        }
        wantedBytes = bytes(wanted)
        verifiedWantedBytes = wantedBytes - bytes(missing)
    }

    /// The slot of a peer that is here and was not told to leave.
    func activeSlot(of peer: PeerHandle) -> Int? {
        guard let slot = roster.slot(of: peer), !peers[slot].isLeaving else { return nil }
        return slot
    }

    func usefulCount(_ slot: Int) -> Int { peers[slot].holdsAll ? missing.setCount : peers[slot].usefulCount }

    func startableCount(_ slot: Int) -> Int { peers[slot].holdsAll ? order.count : peers[slot].startableCount }
}
