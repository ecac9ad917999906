import Primitives

/// Bounds on what one swarm holds or does.
package struct SwarmLimits: Hashable, Sendable {
    /// Bytes in piece buffers: the peak memory of a download, whatever its size.
    package var pieceBufferBudget = 64 << 20
    /// Pieces under way at a time, however small they are (a block cell costs 6 bytes, a piece about 200).
    package var maxOpenPieces = 4096
    /// Connections in one swarm; the driver keeps fewer.
    package var maxPeers = 1000

    /// Requests in flight to a peer of which nothing is known: 256 KiB.
    package var initialRequests = 16
    /// Requests in flight to one peer at most, whatever it allows: 8 MiB, which loopback at 1 GB/s does not use up.
    package var maxRequests = 500
    /// How long a peer that owes us may stay silent (BEP 3: "snubbed" after a minute).
    package var snubTimeout = Duration.seconds(60)
    /// The same for a peer that used to be fast.
    package var shortestPatience = Duration.seconds(10)
    /// How long a peer that has never sent a block keeps one that another mute peer was asked for too: a slow network's
    /// round trip and a busy disk.
    package var muteTime = Duration.seconds(2)
    /// Pieces taken at random before rarest first begins: something to trade soon (BEP 3 practice).
    package var randomFirstPieces = 4
    /// A peer that sends a piece in less than this gets whole pieces, so that blame falls on one.
    package var wholePieceTime = Duration.seconds(20)
    /// A block that takes longer than this at the end is left to faster peers.
    package var slowBlockTime = Duration.seconds(10)
    /// A block that takes longer than this at any time ends the connection.
    package var longestBlockTime = Duration.seconds(300)
    /// A piece that one peer alone is to send is taken from it after this, if others have nothing to do.
    package var singleSourceTime = Duration.seconds(60)
    /// Rejects in a row before a peer that does not choke us is asked one block at a time.
    package var maxRejects = 64

    /// Peers unchoked at a time, at least.
    package var uploadSlots = 8
    package var maxUploadSlots = 64
    package var chokeInterval = Duration.seconds(10)
    package var optimisticInterval = Duration.seconds(30)
    /// While seeding a slot goes round after this and twenty pieces.
    package var seedingTurn = Duration.seconds(60)
    /// Requests of a peer that we keep queued (hardening B4; told to it as `reqq`).
    package var maxQueuedUploads = 250
    /// What we ask at most of others is served at most to them (hardening B3).
    package var maxRequestLength = 131_072
    /// Refusals in a row before a peer counts as one that does not listen.
    package var maxRefusals = 500
    /// Pieces that a new peer may fetch while choked (BEP 6, hardening B10).
    package var allowedFastCount = 10

    /// Unasked blocks before the connection is closed (hardening B5).
    package var maxUnaskedBlocks = 3
    /// Failed pieces remembered with their suspects.
    package var maxFailedPieces = 64

    package init() {}
}
