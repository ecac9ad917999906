package import Metainfo

/// Why a connection is closed, or refused before it carried anything.
package enum WireError: Error, Hashable, Sendable {
    /// The first bytes are not those of BEP 3: another protocol, or an MSE first message.
    case notBitTorrent
    /// We dialled for one torrent and the other side answered with another.
    case wrongInfoHash
    /// Our own peer id came back.
    case connectedToSelf
    case handshakeTimedOut
    case idle
    /// The length prefix is over the limit (hardening B1).
    case messageTooLong(UInt32)
    /// The length does not fit the kind of message.
    case wrongLength(id: UInt8, length: Int)
    /// `have all` or `have none` after the pieces were already spoken of (hardening B2).
    case lateBitfield
    /// A bitfield of the wrong size or with spare bits set (hardening B2).
    case malformedBitfield
    /// A BEP 6 message though the handshake did not announce BEP 6.
    case fastNotNegotiated(id: UInt8)
    /// A piece index outside the torrent.
    case pieceOutOfRange(UInt32)
    /// A request for nothing or for more than the limit (hardening B3).
    case requestLength(UInt32)
    /// A request outside the torrent, and no BEP 6 to reject it with (hardening B3).
    case requestOutside(Block)
    /// A block that does not lie in a piece of the torrent.
    case blockOutside(Block)
    /// An extension message that is not the bencoding its BEP asks for.
    case malformedExtension
    /// An extension dictionary over the limit (hardening B7).
    case extensionTooLong(Int)
    /// One extension id under two names (hardening B7).
    case duplicateExtensionID(UInt8)
    /// A metadata size outside 1 byte to 8 MiB (hardening F9).
    case metadataSize(Int)
}

extension WireError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notBitTorrent: "not a BitTorrent handshake"
        case .wrongInfoHash: "answered for another torrent"
        case .connectedToSelf: "connected to self"
        case .handshakeTimedOut: "handshake timeout"
        case .idle: "idle for too long"
        case .messageTooLong(let length): "message of \(length) bytes is over the limit"
        case .wrongLength(let id, let length): "message \(id) cannot have \(length) bytes"
        case .lateBitfield: "have all or have none after pieces were announced"
        case .malformedBitfield: "bitfield of the wrong size or with spare bits set"
        case .fastNotNegotiated(let id): "message \(id) without the fast extension"
        case .pieceOutOfRange(let index): "piece \(index) is outside the torrent"
        case .requestLength(let length): "request for \(length) bytes"
        case .requestOutside(let block): "request outside the torrent: \(WireError.text(block))"
        case .blockOutside(let block): "block outside the torrent: \(WireError.text(block))"
        case .malformedExtension: "malformed extension message"
        case .extensionTooLong(let length): "extension message of \(length) bytes is over the limit"
        case .duplicateExtensionID(let id): "extension id \(id) used twice"
        case .metadataSize(let size): "metadata size \(size) refused"
        }
    }

    private static func text(_ block: Block) -> String {
        "piece \(block.piece), \(block.length) bytes from \(block.begin)"
    }
}
