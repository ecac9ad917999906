/// What went wrong, for a person and for a script.
public struct ShoalError: Error, Hashable, Sendable {
    /// The kinds of failure; each has one exit code of the command line.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// An option or argument is wrong.
        case usage
        /// Nobody to fetch from.
        case noPeers = "no_peers"
        /// Nothing moved for as long as the person was willing to wait.
        case timedOut = "timed_out"
        /// The network refused: a port is in use, an address cannot be bound.
        case network
        /// Data is wrong: a corrupt `.torrent`, a hash that does not match.
        case badData = "bad_data"
        /// Local files: disk full, no permission, exists as something else.
        case files
        /// No such thing.
        case notFound = "not_found"
        /// A tracker did not accept name and password, or the passkey.
        case loginRefused = "login_refused"
        /// Anything else.
        case failed

        /// The exit code of the command line for this kind of failure.
        public var exitCode: Int32 {
            switch self {
            case .failed: 1
            case .usage: 2
            case .noPeers, .timedOut: 3
            case .network: 4
            case .badData: 5
            case .files: 6
            case .notFound: 7
            case .loginRefused: 8
            }
        }
    }

    /// The kind.
    public let code: Code
    /// One sentence: what, why, and what to do.
    public let message: String

    /// - Parameters:
    ///   - code: the kind of failure.
    ///   - message: one sentence: what, why, and what to do.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension ShoalError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}
