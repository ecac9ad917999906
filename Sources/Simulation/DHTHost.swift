import Kademlia
import Primitives

/// A node of a `DHTSimulation` with what its driver would keep. A class, because arrays do not hold types that cannot be
/// copied.
final class DHTHost {
    let endpoint: Endpoint
    var node: DHTNode
    var findings = DHTSimulation.Findings()
    /// The earliest wake-up that is scheduled.
    var wakeUp = Instant.distantFuture
    /// `nil` for one that everybody reaches.
    var translation: AddressTranslation?
    private(set) var isPresent = true

    init(endpoint: Endpoint, translation: AddressTranslation?, node: consuming DHTNode) {
        self.endpoint = endpoint
        self.translation = translation
        self.node = node
    }

    /// Leaves without a word. What it knew is forgotten, so that a day of churn fits into memory.
    func depart(at now: Instant) {
        isPresent = false
        wakeUp = .distantFuture
        translation = nil
        node = DHTNode(id: node.id, seed: 0, now: now)
    }
}
