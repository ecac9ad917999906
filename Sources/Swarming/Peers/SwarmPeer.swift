package import Primitives

/// All that is known about one connection.
struct SwarmPeer {
    let handle: PeerHandle
    let host: Endpoint
    let supportsFast: Bool
    let connectedAt: Instant

    // What it holds.
    /// Empty for a peer that holds everything, which costs no memory.
    var holdings: Bitfield
    var holdsAll = false
    /// Pieces it holds that we want and lack; not kept for a peer that holds everything.
    var usefulCount = 0
    /// Those of them that nobody has begun.
    var startableCount = 0

    // What was said.
    var isChokingUs = true
    var isInterestedInUs = false
    var isChoked = true
    var isInteresting = false
    /// We asked the driver to close it, and talk to it no more.
    var isLeaving = false

    // What we ask of it.
    var pipeline: Pipeline
    var outstanding = 0
    /// Requests that were given up and may still be answered (hardening B5).
    var lateAnswers = 0
    var unaskedBlocks = 0
    var isSnubbed = false
    /// Rejects since the last block, while it did not choke us.
    var rejects = 0
    /// Whether a block that we wanted ever came from it.
    var hasSent = false
    /// Since when it owes us something without sending any of it.
    var silentSince = Instant.zero
    /// How long it may; shorter for one that is fast.
    var patience: Duration
    var arrivingSince: Instant?
    /// BEP 6, both bounded by `SwarmPeer.maxHints`.
    var allowedFast: [Int] = []
    var suggested: [Int] = []

    // What it asks of us.
    var queuedUploads = 0
    var refusals = 0
    var grantedFast: [Int] = []
    /// What it may still fetch while choked: each granted piece twice, whatever it says about itself.
    var grantedBytes = 0

    // What came of it.
    var down = RateMeter()
    var up = RateMeter()
    var downTotalAtRound: Int64 = 0
    var upTotalAtRound: Int64 = 0
    var unchokedAt = Instant.zero
    var upTotalAtUnchoke: Int64 = 0
    var trust = 0
    var piecesContributed = 0

    /// Hints of BEP 6 that are remembered; BEP 6 sets have ten pieces.
    static let maxHints = 16

    func holds(_ piece: Int) -> Bool { holdsAll || holdings[piece] }

    var isComplete: Bool { holdsAll || (holdings.count > 0 && holdings.isFull) }
}

/// A reading of one connection for the display.
package struct PeerStatistics: Hashable, Sendable {
    package var handle: PeerHandle
    package var host: Endpoint
    /// Payload bytes per second, smoothed over a few seconds.
    package var downRate: Int
    package var upRate: Int
    /// Payload bytes of blocks that were of use.
    package var downloaded: Int64
    package var uploaded: Int64
    package var isChokingUs: Bool
    package var isInterestedInUs: Bool
    package var isChoked: Bool
    package var isInteresting: Bool
    package var isSnubbed: Bool
    /// Verified pieces of which it sent at least one block.
    package var piecesContributed: Int
    package var heldPieces: Int
    package var requestsInFlight: Int
}
