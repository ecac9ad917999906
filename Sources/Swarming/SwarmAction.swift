package import Metainfo
package import Primitives

/// A connection, as the driver names it; never given out twice.
package struct PeerHandle: Hashable, Comparable, Sendable {
    package let raw: UInt32

    @inlinable
    package init(raw: UInt32) { self.raw = raw }

    @inlinable
    package static func < (left: PeerHandle, right: PeerHandle) -> Bool { left.raw < right.raw }
}

/// What the driver of a swarm is to do, in this order.
package enum SwarmAction: Hashable, Sendable {
    case request(Block, PeerHandle)
    case cancel(Block, PeerHandle)
    case interested(PeerHandle)
    case notInterested(PeerHandle)
    /// Say so, and drop what the peer has queued with us (with BEP 6: reject each of it).
    case choke(PeerHandle)
    case unchoke(PeerHandle)
    /// Get a buffer for the piece; its blocks are about to arrive.
    case openPiece(Int)
    /// Give the buffer back.
    case closePiece(Int)
    /// Every block is in the buffer: a disk worker is to hash, compare and write it.
    case check(piece: Int)
    /// Tell every peer that lacks the piece.
    case announceHave(Int)
    /// The peer may ask for this piece even while we choke it (BEP 6).
    case allowFast(piece: Int, PeerHandle)
    /// Close the connection if it is still there, and do not meet this host again.
    ///
    /// The host is named because the peer may have left before its lie was found.
    case ban(PeerHandle, host: Endpoint, BanReason)
    case close(PeerHandle, CloseReason)
    /// All wanted pieces are verified.
    case completed
}

package enum BanReason: Hashable, Sendable {
    /// It alone sent a piece whose hash is wrong.
    case sentBadPiece
    /// It took part in too many pieces whose hash is wrong.
    case tookPartInBadPieces
}

package enum CloseReason: Hashable, Sendable {
    /// Neither side has anything for the other.
    case bothComplete
    /// Three blocks that were never asked (hardening B5).
    case unaskedBlocks
    /// It takes ages over a block that others could send.
    case tooSlow
    /// A request outside the torrent, or longer than 128 KiB (hardening B3).
    case badRequest
    /// It keeps asking for what it is refused.
    case ignoresRefusals
    /// Somebody who holds more of what we need takes its place.
    case madeRoom
    /// More connections than one swarm keeps.
    case tooManyPeers
}

/// Where the payload of an arriving block goes.
package enum BlockDisposition: Hashable, Sendable {
    /// Into the piece buffer; `blockReceived` or `blockAborted` follows.
    case wanted
    /// Nowhere: it was asked once, and meanwhile came from another peer or was given up.
    case late
    /// Nowhere: it was never asked.
    case unasked
}

/// What to do with a peer's request.
package enum RequestVerdict: Hashable, Sendable {
    case serve
    /// With BEP 6 send a reject, without it stay silent.
    case reject
    case close(CloseReason)
}

/// Actions waiting to be carried out, first in first out; keeps its storage.
package struct SwarmActionBuffer: Sendable {
    private var actions: [SwarmAction] = []
    private var head = 0

    package init() {}

    package var count: Int { actions.count - head }
    package var isEmpty: Bool { count == 0 }

    @inline(__always)
    mutating func append(_ action: SwarmAction) { actions.append(action) }

    /// The next action. Carrying it out may append more.
    package mutating func next() -> SwarmAction? {
        guard head < actions.count else { return nil }
        let action = actions[head]
        head += 1
        if head == actions.count {
            actions.removeAll(keepingCapacity: true)
            head = 0
        }
        return action
    }

    /// All that is waiting, for tests.
    package mutating func take() -> [SwarmAction] {
        defer {
            actions.removeAll(keepingCapacity: true)
            head = 0
        }
        return Array(actions[head...])
    }
}
