import Metainfo
import Primitives

/// What the other side said about its pieces before we knew how many there are (a magnet link is being resolved, BEP 9).
///
/// Haves go into the same raw bits as the bitfield, so that any number of them takes no more than the longest bitfield.
struct HeldAnnouncements {
    private enum Summary {
        case none
        case bitfield
        case all
    }

    private var summary = Summary.none
    private var bits: [UInt8] = []
    private var highest: UInt32?
    private var allowedFast: [UInt32] = []

    mutating func bitfield(_ bytes: [UInt8]) {
        summary = .bitfield
        bits = bytes
    }

    mutating func all() { summary = .all }

    mutating func have(_ piece: UInt32, limits: WireLimits) throws(WireError) {
        guard piece < limits.pieceCount else { throw .pieceOutOfRange(piece) }
        let index = Int(piece / 8)
        switch summary {
        case .all: return
        case .bitfield: guard index < bits.count else { throw .pieceOutOfRange(piece) }
        case .none:
            if index >= bits.count { bits.append(contentsOf: repeatElement(0, count: index - bits.count + 1)) }
        }
        bits[index] |= 0x80 >> UInt8(piece % 8)
        highest = max(highest ?? 0, piece)
    }

    mutating func allowedFast(_ piece: UInt32, limits: WireLimits) {
        guard allowedFast.count < limits.heldAllowedFast else { return }
        allowedFast.append(piece)
    }

    /// Everything held, checked against the torrent.
    consuming func events(for layout: PieceLayout) throws(WireError) -> [PeerEvent] {
        var events: [PeerEvent] = []
        if let announced = try pieces(of: layout) { events.append(announced) }
        for piece in allowedFast {
            guard piece < layout.pieceCount else { throw .pieceOutOfRange(piece) }
            events.append(.allowedFast(Int(piece)))
        }
        return events
    }

    private func pieces(of layout: PieceLayout) throws(WireError) -> PeerEvent? {
        if let highest, highest >= layout.pieceCount { throw .pieceOutOfRange(highest) }
        switch summary {
        case .all: return .haveAll
        case .bitfield: break
        case .none: guard highest != nil else { return nil }
        }
        var padded = bits
        if case .none = summary {
            padded.append(contentsOf: repeatElement(0, count: max(0, (layout.pieceCount + 7) / 8 - bits.count)))
        }
        guard let bitfield = Bitfield(padded.span.bytes, count: layout.pieceCount) else { throw .malformedBitfield }
        return .bitfield(bitfield)
    }
}
