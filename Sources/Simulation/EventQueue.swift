package import Primitives

/// What will happen, in the order of time: the clock of a simulation, which jumps from one event to the next.
///
/// Events of the same instant happen in the order in which they were scheduled, so a run depends on nothing but its
/// seed. The heap is its own and has four children a node: the one of `Primitives` is not specialised across modules,
/// and this is where a simulation of 100,000 nodes spends its time.
package struct EventQueue<Event> {
    private struct Scheduled {
        let at: Int64
        let number: UInt64
        let event: Event

        func precedes(_ other: Scheduled) -> Bool { at != other.at ? at < other.at : number < other.number }
    }

    private static var children: Int { 4 }

    private var heap: [Scheduled] = []
    private var lastNumber: UInt64 = 0
    /// The instant of the event that was taken last.
    package private(set) var now: Instant

    package init(startingAt now: Instant = .zero) { self.now = now }

    package var isEmpty: Bool { heap.isEmpty }
    package var count: Int { heap.count }
    package var nextInstant: Instant? { heap.first.map { Instant(nanoseconds: $0.at) } }

    /// Schedules an event; one for the past happens now.
    package mutating func schedule(_ event: Event, at instant: Instant) {
        lastNumber += 1
        let new = Scheduled(at: max(instant, now).nanoseconds, number: lastNumber, event: event)
        var position = heap.count
        heap.append(new)
        while position > 0 {
            let parent = (position - 1) / EventQueue.children
            guard new.precedes(heap[parent]) else { break }
            heap[position] = heap[parent]
            position = parent
        }
        heap[position] = new
    }

    package mutating func schedule(_ event: Event, after duration: Duration) { schedule(event, at: now + duration) }

    /// Takes the next event and moves the clock to it; `nil` when none is left until `end`, where the clock then
    /// stands.
    package mutating func next(until end: Instant) -> Event? {
        guard let first = heap.first, first.at <= end.nanoseconds else {
            now = max(now, end)
            return nil
        }
        now = Instant(nanoseconds: first.at)
        let last = heap.removeLast()
        if !heap.isEmpty { sink(last) }
        return first.event
    }

    /// Puts `moved` where the first was, and below all that precede it.
    private mutating func sink(_ moved: Scheduled) {
        var position = 0
        while true {
            let first = position * EventQueue.children + 1
            guard first < heap.count else { break }
            var smallest = first
            for child in first..<min(first + EventQueue.children, heap.count)
            where heap[child].precedes(heap[smallest]) { smallest = child }
            guard heap[smallest].precedes(moved) else { break }
            heap[position] = heap[smallest]
            position = smallest
        }
        heap[position] = moved
    }
}
