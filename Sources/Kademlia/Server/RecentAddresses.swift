import Primitives

/// Addresses that something happened with lately.
///
/// Two generations: an address is remembered for half to all of the lifetime, and nothing is ever searched for the
/// oldest.
struct RecentAddresses: Sendable {
    private let generation: Duration
    private let capacity: Int
    private var current: Set<IPAddress> = []
    private var previous: Set<IPAddress> = []
    private var rotatedAt: Instant
    /// Whether some address found no place in the current generation, or in the one before.
    private var hasOverflown = (current: false, previous: false)

    init(lifetime: Duration, capacity: Int, now: Instant) {
        generation = lifetime / 2
        self.capacity = capacity / 2
        rotatedAt = now
    }

    mutating func insert(_ address: IPAddress, at now: Instant) {
        rotate(now)
        if current.count < capacity { current.insert(address) } else { hasOverflown.current = true }
    }

    mutating func contains(_ address: IPAddress, at now: Instant) -> Bool {
        rotate(now)
        return current.contains(address) || previous.contains(address)
    }

    /// Whether some address is missing for want of room.
    var isIncomplete: Bool { hasOverflown.current || hasOverflown.previous }

    private mutating func rotate(_ now: Instant) {
        let age = now - rotatedAt
        guard age >= generation else { return }
        swap(&current, &previous)
        current.removeAll(keepingCapacity: true)
        hasOverflown = (false, hasOverflown.current)
        if age >= generation * 2 {
            previous.removeAll(keepingCapacity: true)
            hasOverflown.previous = false
        }
        rotatedAt = rotatedAt.advanced(by: generation, upTo: now)
    }
}
