import Metainfo
import Primitives

/// Where a download stands.
package struct SwarmProgress: Hashable, Sendable {
    package var wantedBytes: Int64
    /// Of the wanted ones, in verified pieces.
    package var verifiedBytes: Int64
    package var wantedPieces: Int
    package var missingPieces: Int
    /// Missing pieces that nobody connected holds.
    package var unavailablePieces: Int
    package var openPieces: Int
    /// Payload of useful blocks, from all peers that ever were here.
    package var downloadedBytes: Int64
    package var uploadedBytes: Int64
    /// Payload that was late, unasked or wrong.
    package var wastedBytes: Int64
    /// Bytes per second, smoothed.
    package var downRate: Int
    package var upRate: Int
    package var peers: Int
    /// Peers that hold everything.
    package var completePeers: Int
}

extension Swarm {
    package var progress: SwarmProgress {
        let active = roster.slots.filter { !peers[$0].isLeaving }
        return SwarmProgress(
            wantedBytes: wantedBytes,
            verifiedBytes: verifiedWantedBytes,
            wantedPieces: wanted.setCount,
            missingPieces: missing.setCount,
            unavailablePieces: unavailablePieces,
            openPieces: open.count,
            downloadedBytes: roster.slots.reduce(departedDown) { $0 + peers[$1].down.total },
            uploadedBytes: roster.slots.reduce(departedUp) { $0 + peers[$1].up.total },
            wastedBytes: wastedBytes,
            downRate: Int(active.reduce(0) { $0 + peers[$1].down.bytesPerSecond }),
            upRate: Int(active.reduce(0) { $0 + peers[$1].up.bytesPerSecond }),
            peers: active.count,
            completePeers: active.count { peers[$0].isComplete }
        )
    }

    /// Bytes of wanted pieces that are verified, and of blocks that wait for the rest of their piece.
    package var heldBytes: Int64 {
        open.slots.reduce(verifiedWantedBytes) { sum, piece in
            guard piece.phase != .closed, missing[piece.piece] else { return sum }
            return sum + Int64(min(piece.receivedCount * PieceLayout.blockLength, layout.length(ofPiece: piece.piece)))
        }
    }

    /// Missing pieces that nobody connected holds: what "waiting for pieces nobody has" is said of.
    package var unavailablePieces: Int {
        guard completePeers == 0 else { return 0 }
        let underWay = open.slots.count {
            $0.phase != .closed && missing[$0.piece] && order.availability(of: $0.piece) == 0
        }
        return order.unheldCount + underWay
    }

    /// Pieces looked at so far while choosing what to begin.
    package var inspectedPieces: Int { order.inspected }

    package var peerHandles: [PeerHandle] { roster.handles }

    /// All connections in the order of their handles.
    package var statistics: [PeerStatistics] { roster.slots.map { statistics(at: $0) } }

    /// Whether blocks that we asked of the peer are still to come.
    package func isOwedBlocks(by peer: PeerHandle) -> Bool {
        roster.slot(of: peer).map { peers[$0].outstanding > 0 } ?? false
    }

    package func statistics(of peer: PeerHandle) -> PeerStatistics? {
        // Written out: the compiler cannot form a method reference on a noncopyable value.
        guard let slot = roster.slot(of: peer) else { return nil }
        return statistics(at: slot)
    }

    private func statistics(at slot: Int) -> PeerStatistics {
        let peer = peers[slot]
        return PeerStatistics(
            handle: peer.handle,
            host: peer.host,
            downRate: Int(peer.down.bytesPerSecond),
            upRate: Int(peer.up.bytesPerSecond),
            downloaded: peer.down.total,
            uploaded: peer.up.total,
            isChokingUs: peer.isChokingUs,
            isInterestedInUs: peer.isInterestedInUs,
            isChoked: peer.isChoked,
            isInteresting: peer.isInteresting,
            isSnubbed: peer.isSnubbed,
            piecesContributed: peer.piecesContributed,
            heldPieces: peer.holdsAll ? layout.pieceCount : peer.holdings.setCount,
            requestsInFlight: peer.outstanding
        )
    }
}
