package import TrackerStore
import EventLoop
import Primitives

/// Why a tracker node cannot start or go on, as a sentence for a person.
package struct TrackerFault: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// Ports and addresses.
        case network
        case database(StoreFault)
        case files
        case configuration
        case failed
    }

    package let kind: Kind
    package let sentence: String

    package init(_ kind: Kind, _ sentence: String) {
        self.kind = kind
        self.sentence = sentence
    }

    init(_ fault: StoreFault) { self.init(.database(fault), fault.message) }

    package var description: String { sentence }
}

extension TrackerFault {
    /// What is wrong with an address to listen at, and the way out.
    init(binding error: SocketError) {
        let sentence =
            switch error {
            case .addressInUse(let endpoint, let transport):
                """
                \(transport) port \(endpoint.port) is in use by another program; stop that one, or choose another port \
                with --listen :PORT (:0 takes any that is free)
                """
            case .addressUnavailable(let endpoint):
                """
                this machine does not have the address \(endpoint.address); --listen :\(endpoint.port) takes all that it \
                has
                """
            case .permissionDenied(let endpoint):
                """
                port \(endpoint.port) needs more rights than this user has; choose one from 1024 up with --listen :PORT
                """
            default: "cannot listen: \(error)"
            }
        self.init(.network, sentence)
    }
}
