import PeerWire
import Swarming

extension BanReason {
    /// The snake_case word of the events.
    fileprivate var word: String {
        switch self {
        case .sentBadPiece, .tookPartInBadPieces: "bad_piece_data"
        }
    }
}

extension CloseReason {
    /// The snake_case word of the events.
    fileprivate var word: String {
        switch self {
        case .bothComplete: "both_complete"
        case .unaskedBlocks: "unasked_blocks"
        case .tooSlow: "too_slow"
        case .badRequest: "bad_request"
        case .ignoresRefusals: "ignores_refusals"
        case .tooManyPeers: "too_many_peers"
        case .madeRoom: "made_room"
        }
    }
}

/// Why a connection ended.
enum CloseCause: Hashable {
    /// The other end closed.
    case remote
    /// The connection broke.
    case lost
    /// Nobody answered the dial.
    case unreachable
    /// It asked for a torrent we do not have, or do not give out now.
    case unknownTorrent
    /// It broke the protocol, or fell silent.
    case wire(WireError)
    /// It lied: it is not dialled again.
    case banned(BanReason)
    /// What it sent as metadata was wrong.
    case badMetadata
    /// The torrent has no use for it.
    case swarm(CloseReason)
    /// A second connection to the same peer.
    case duplicate
    /// It takes nothing of what it is sent (hardening B9).
    case readsNothing
    /// It said nothing while too many others came.
    case crowdedOut
    /// The torrent or the node stops.
    case stopping

    var isBan: Bool {
        switch self {
        case .banned, .badMetadata: true
        default: false
        }
    }

    /// The snake_case word of the events.
    var word: String {
        switch self {
        case .remote: "closed_by_peer"
        case .lost: "connection_lost"
        case .unreachable: "unreachable"
        case .unknownTorrent: "unknown_torrent"
        case .wire(let error): error.word
        case .banned(let reason): reason.word
        case .badMetadata: "bad_metadata"
        case .swarm(let reason): reason.word
        case .duplicate: "duplicate"
        case .readsNothing: "reads_nothing"
        case .crowdedOut: "crowded_out"
        case .stopping: "stopping"
        }
    }
}

extension WireError {
    /// The snake_case word of the events.
    fileprivate var word: String {
        switch self {
        case .notBitTorrent: "not_bittorrent"
        case .wrongInfoHash: "wrong_info_hash"
        case .connectedToSelf: "connected_to_self"
        case .handshakeTimedOut: "handshake_timeout"
        case .idle: "idle"
        case .messageTooLong: "message_too_long"
        case .malformedBitfield: "malformed_bitfield"
        case .metadataSize: "metadata_size"
        default: "protocol_error"
        }
    }
}
