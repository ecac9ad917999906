import Primitives

/// One block of a piece under way.
struct BlockCell {
    enum State: UInt8 {
        case free
        /// Asked of `first`, in the end-game also of `second`.
        case asked
        /// Its payload is coming in from `first`; `second` was asked too.
        case arriving
        /// In the buffer, sent by contributor number `first`.
        case received
    }

    static let nobody = UInt16.max

    var state = State.free
    var first = BlockCell.nobody
    var second = BlockCell.nobody
}

/// A piece under way: it has a buffer.
///
///     filling ── last block ──▶ checking ──▶ closed
///        └── unselected, or its only source is gone ──▶ doomed ── no payload arriving ──▶ closed
struct OpenPiece {
    enum Phase {
        case closed
        case filling
        case checking
        /// To be closed as soon as no payload is on its way into the buffer.
        case doomed
    }

    /// Who sent blocks of a piece; outlives the connection, because lies are found later.
    struct Contributor {
        var handle: PeerHandle
        var host: Endpoint
        var blockCount: Int
    }

    var phase = Phase.closed
    var piece = 0
    var cells: [BlockCell] = []
    var freeCount = 0
    var arrivingCount = 0
    var receivedCount = 0
    /// No cell before this one is free.
    var cursor = 0
    /// The slot of the peer that has the first claim on free blocks.
    var owner = BlockCell.nobody
    var openedAt = Instant.zero
    /// Asked of the owner alone, to find out who lies (hardening B8).
    var hasSingleSource = false
    var contributors: [Contributor] = []
    /// Where it stands in the list of pieces with free blocks, or -1.
    var partialIndex = -1

    var askedCount: Int { cells.count - freeCount - arrivingCount - receivedCount }
}
