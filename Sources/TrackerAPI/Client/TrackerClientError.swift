/// Why a tracker did not do what it was asked; each as a sentence.
package struct TrackerClientError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// It is not reached, or has trouble of its own.
        case network
        /// It is no tracker of this kind.
        case stranger
        /// Name, password or passkey are not what it wants.
        case login
        /// No such file or user.
        case notFound
        /// The name is somebody else's, or something is full.
        case refused
        /// What was sent is wrong: a name, a torrent.
        case badData
        /// Nothing was sent, because it would not be safe.
        case insecure
        /// The state folder cannot be written to.
        case files
    }

    package let kind: Kind
    package let sentence: String

    package init(_ kind: Kind, _ sentence: String) {
        self.kind = kind
        self.sentence = sentence
    }

    package var description: String { sentence }

    init(_ fault: APIFault, at place: String) {
        let kind: Kind =
            switch fault.status {
            case 401: .login
            case 404: .notFound
            case 400, 413: .badData
            case 403, 409, 429: .refused
            default: .network
            }
        let pause = fault.retryAfter.map { "; try again in \($0) s" } ?? ""
        self.init(kind, "\(place): \(fault.message)\(pause)")
    }
}
