import Primitives

/// Why a tracker does not do what it was asked.
///
/// The text is all that the asker reads: it says nothing back that the asker said (T11), and a client shows it to a person.
package enum TrackerFailure: Int, Error, Hashable, Sendable, CaseIterable {
    // What the request is.
    case badRequest
    case missingInfoHash
    case badInfoHash
    case missingPeerID
    case badPeerID
    case badPort
    case badNumber
    case unknownEvent
    case badHave
    case tooManyTorrents
    // Whom it is from, and for what.
    case missingPasskey
    case unknownPasskey
    case notListed
    case denied
    case tooManyPeers
    case overloaded

    package var text: StaticString {
        switch self {
        case .badRequest: "the request cannot be read"
        case .missingInfoHash: "info_hash is missing"
        case .badInfoHash: "info_hash must be one value of 20 bytes"
        case .missingPeerID: "peer_id is missing"
        case .badPeerID: "peer_id must be one value of 20 bytes"
        case .badPort: "port must be a number from 1 to 65535"
        case .badNumber: "a number cannot be read"
        case .unknownEvent: "event must be started, completed, stopped or empty"
        case .badHave: "have must be a have-blob in base64url, and pieces the number of pieces"
        case .tooManyTorrents: "too many torrents at once"
        case .missingPasskey: "this tracker is for accounts: announce to the URL with your passkey (shoal user login)"
        case .unknownPasskey: "unknown passkey: log in again (shoal user login)"
        case .notListed: "this tracker does not serve this torrent: it is not on its list"
        case .denied: "this tracker does not serve this torrent"
        case .tooManyPeers: "too many peers are announced from your address"
        case .overloaded: "the tracker is busy: try again later"
        }
    }

    /// The word of the metric.
    package var label: StaticString {
        switch self {
        case .badRequest: "bad_request"
        case .missingInfoHash: "missing_info_hash"
        case .badInfoHash: "bad_info_hash"
        case .missingPeerID: "missing_peer_id"
        case .badPeerID: "bad_peer_id"
        case .badPort: "bad_port"
        case .badNumber: "bad_number"
        case .unknownEvent: "unknown_event"
        case .badHave: "bad_have"
        case .tooManyTorrents: "too_many_torrents"
        case .missingPasskey: "missing_passkey"
        case .unknownPasskey: "unknown_passkey"
        case .notListed: "not_listed"
        case .denied: "denied"
        case .tooManyPeers: "too_many_peers"
        case .overloaded: "overloaded"
        }
    }

    /// What `retry in` says (BEP 31): `nil` where asking again with other words may help at once.
    package enum Retry: Hashable, Sendable {
        case never
        case minutes(Int)
    }

    package var retry: Retry? {
        switch self {
        case .notListed, .denied, .unknownPasskey, .missingPasskey: .never
        case .tooManyPeers: .minutes(30)
        case .overloaded: .minutes(5)
        default: nil
        }
    }
}
