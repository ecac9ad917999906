import Cryptography
import PeerWire
import SecurePeer
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
    /// Its first bytes are of no protocol that we speak: encryption of the kind that hides, or something else (N21).
    case mseOrUnknown
    /// It speaks plain where nobody may (N20).
    case plainRefused
    /// It speaks SPS/1, and is dialled anew to do so.
    case upgrading
    /// It was known to speak SPS/1 and does not now (N32).
    case downgradeRefused(SecureFault)
    /// It has a key, but not the one that it was dialled for (N27).
    case peerIdentityMismatch(proved: Ed25519.PublicKey, expected: Ed25519.PublicKey)
    /// Its key is not in the trusted list (N30).
    case notTrusted
    /// It asked for a torrent that we do not have, by its tag (N31).
    case unknownSwarm
    /// A secure session, or the handshake for one, failed.
    case secure(SecureFault)
    /// The other end left, and said why.
    case closedByPeer(SecureCloseReason, String)
    /// The connection ended without the record that says so (N36).
    case truncated

    /// What the other end of a secure session is told; `nil` where nobody is there to hear it.
    var farewell: SecureCloseReason? {
        switch self {
        case .remote, .lost, .unreachable, .closedByPeer, .truncated: nil
        case .secure(let fault): fault.closeReason
        case .wire(.idle): .limit
        case .wire, .banned, .badMetadata: .protocolError
        case .unknownTorrent, .unknownSwarm: .swarm
        case .notTrusted, .peerIdentityMismatch: .trust
        case .duplicate: .duplicate
        case .downgradeRefused, .plainRefused: .downgrade
        case .readsNothing, .crowdedOut: .limit
        case .swarm(let reason): reason == .tooManyPeers || reason == .madeRoom ? .limit : .normal
        case .stopping, .upgrading, .mseOrUnknown: .normal
        }
    }

    /// What it counts as for an accepted connection that had no session yet.
    var admissionFailure: Admission.Failure? {
        switch self {
        case .plainRefused: .plainRefused
        case .mseOrUnknown: .mseOrUnknown
        case .stopping, .crowdedOut: nil
        default: .handshake
        }
    }

    /// The other end was reached and would not have a secure session.
    var isNoSecureSession: Bool {
        switch self {
        case .downgradeRefused, .remote, .lost: true
        case .secure(let fault): fault.isSilenceOrAnotherProtocol
        default: false
        }
    }

    /// What nobody would hear of otherwise, because no session came of it.
    var isRefusal: Bool {
        switch self {
        case .downgradeRefused, .peerIdentityMismatch, .notTrusted, .closedByPeer, .secure: true
        default: false
        }
    }

    var isBan: Bool {
        switch self {
        case .banned, .badMetadata: true
        default: false
        }
    }

    /// What the word leaves out; nothing that the other end wrote.
    var detail: String? {
        switch self {
        case .peerIdentityMismatch(let proved, let expected):
            "it proved the key \(proved.text) and not \(expected.text)"
        case .downgradeRefused(let fault):
            "it is known to speak SPS/1, but not now (\(fault)): not falling back to plain"
        case .secure(.certificate(let fault)): fault.sentence
        case .secure(.status(.mode)): "it refused the session: one side has a swarm key, and the other has not"
        case .secure(.closed): nil
        case .secure(let fault): fault.description
        default: nil
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
        case .mseOrUnknown: "mse_or_unknown"
        case .plainRefused: "plain_refused"
        case .upgrading: "upgrading"
        case .downgradeRefused: "secure_downgrade_refused"
        case .peerIdentityMismatch: "peer_identity_mismatch"
        case .notTrusted: "not_trusted"
        case .unknownSwarm: "unknown_swarm"
        case .secure(let fault): fault.word
        case .closedByPeer(let reason, _): reason.word
        case .truncated: "truncated"
        }
    }
}

extension SecureFault {
    /// The snake_case word of the events.
    fileprivate var word: String {
        switch self {
        case .handshakeTimedOut: "handshake_timeout"
        case .notSecure: "not_secure"
        case .status(let status), .refused(let status): "hello_refused_\(status.word)"
        case .noSwarmKeyFits: "no_swarm_key_fits"
        case .weakPublicKey: "weak_public_key"
        case .tampered: "tampered"
        case .certificate(let fault): fault.word
        case .connectedToSelf: "connected_to_self"
        case .stalled: "stalled"
        case .expired: "expired"
        case .closed(let reason, _): reason.word
        case .outOfMemory: "out_of_memory"
        case .malformedHello, .messageLength, .malformedPayload, .recordLength, .recordType, .malformedClose:
            "protocol_error"
        }
    }
}

extension SecureStatus {
    fileprivate var word: String {
        switch self {
        case .version: "version"
        case .suite: "suite"
        case .mode: "mode"
        case .busy: "busy"
        }
    }
}

extension CertificateFault {
    fileprivate var sentence: String {
        if case .notValidNow = self { "peer certificate \(self)" } else { "peer certificate: \(self)" }
    }

    fileprivate var word: String {
        if case .notValidNow = self { "certificate_clock" } else { "certificate_refused" }
    }
}

extension SecureCloseReason {
    /// What the other end says of us.
    fileprivate var word: String {
        switch self {
        case .normal: "closed_by_peer"
        case .protocolError: "protocol_error_by_us"
        case .swarm: "unknown_swarm"
        case .trust: "not_trusted_by_peer"
        case .certificate: "certificate_refused_by_peer"
        case .duplicate: "duplicate"
        case .connectedToSelf: "connected_to_self"
        case .limit: "too_many_peers"
        case .downgrade: "secure_downgrade_refused_by_peer"
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
