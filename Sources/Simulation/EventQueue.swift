package import Primitives

/// What will happen, in the order of time: the clock of a simulation, which jumps from one event to the next.
///
/// Events of the same instant happen in the order in which they were scheduled, so a run depends on nothing but its
/// seed.
package struct EventQueue<Event> {
    private struct Scheduled: Comparable {
        let at: Instant
        let number: UInt64
        let event: Event

        static func < (left: Scheduled, right: Scheduled) -> Bool {
            left.at != right.at ? left.at < right.at : left.number < right.number
        }

        static func == (left: Scheduled, right: Scheduled) -> Bool { left.number == right.number }
    }

    private var heap = Heap<Scheduled>()
    private var lastNumber: UInt64 = 0
    /// The instant of the event that was taken last.
    package private(set) var now: Instant

    package init(startingAt now: Instant = .zero) { self.now = now }

    package var isEmpty: Bool { heap.isEmpty }
    package var count: Int { heap.count }
    package var nextInstant: Instant? { heap.first?.at }

    /// Schedules an event; one for the past happens now.
    package mutating func schedule(_ event: Event, at instant: Instant) {
        lastNumber += 1
        heap.insert(Scheduled(at: max(instant, now), number: lastNumber, event: event))
    }

    package mutating func schedule(_ event: Event, after duration: Duration) { schedule(event, at: now + duration) }

    /// Takes the next event and moves the clock to it; `nil` when none is left until `end`, where the clock then
    /// stands.
    package mutating func next(until end: Instant) -> Event? {
        guard let next = heap.first, next.at <= end else {
            now = max(now, end)
            return nil
        }
        now = next.at
        return heap.popFirst()?.event
    }
}
