/// Why a tracker node cannot start or go on, as a sentence for a person.
package struct TrackerFault: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// Ports and addresses.
        case network
        case database
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

    package var description: String { sentence }
}
