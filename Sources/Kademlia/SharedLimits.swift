/// The limits of one node, held once for all its parts.
///
/// They take a kilobyte. With a copy in each part a node took 13 and each of its lookups 6, and moving those about was a
/// tenth of what a lookup costs (`shoal-bench dht loopback`).
@propertyWrapper
struct SharedLimits: Hashable, Sendable {
    private final class Storage: Sendable {
        let limits: DHTLimits
        init(_ limits: DHTLimits) { self.limits = limits }
    }

    private let storage: Storage

    init(_ limits: DHTLimits = DHTLimits()) { storage = Storage(limits) }

    var wrappedValue: DHTLimits {
        // Lends them: a getter would hand out a copy.
        _read { yield storage.limits }
    }

    /// What a part hands on to those that it is made of.
    var projectedValue: SharedLimits { self }

    static func == (left: SharedLimits, right: SharedLimits) -> Bool {
        left.storage === right.storage || left.storage.limits == right.storage.limits
    }

    func hash(into hasher: inout Hasher) { hasher.combine(storage.limits) }
}
