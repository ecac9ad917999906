/// The byte after the length prefix (BEP 3, 5, 6, 10).
package enum MessageID: UInt8, Hashable, Sendable {
    case choke = 0
    case unchoke = 1
    case interested = 2
    case notInterested = 3
    case have = 4
    case bitfield = 5
    case request = 6
    case piece = 7
    case cancel = 8
    case port = 9
    case suggest = 13
    case haveAll = 14
    case haveNone = 15
    case reject = 16
    case allowedFast = 17
    case extended = 20

    /// The only length prefix this message can have, or `nil` where it varies.
    var fixedLength: Int? {
        switch self {
        case .choke, .unchoke, .interested, .notInterested, .haveAll, .haveNone: 1
        case .port: 3
        case .have, .suggest, .allowedFast: 5
        case .request, .cancel, .reject: 13
        case .bitfield, .piece, .extended: nil
        }
    }

    /// Whether BEP 6 brought it: it closes a connection where BEP 6 was not announced.
    var needsFast: Bool {
        switch self {
        case .suggest, .haveAll, .haveNone, .reject, .allowedFast: true
        default: false
        }
    }
}
