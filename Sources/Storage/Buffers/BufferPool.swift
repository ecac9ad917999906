import Synchronization

/// Piece buffers that are used again and again, within a budget.
///
/// A page touched for the first time costs a fault, which on a virtual machine is dearer than hashing the page: memory
/// that is given back stays with the pool.
package final class BufferPool: Sendable {
    /// Memory that waits for its next user.
    // Safe to send: nobody else knows the pointer while it lies in the pool.
    private struct Idle: @unchecked Sendable {
        let base: UnsafeMutableRawPointer
        let capacity: Int
    }

    private struct State {
        /// The last one returned is the warmest, and leaves first.
        var idle: [Idle] = []
        /// Bytes of all buffers, in use and idle.
        var allocated = 0
        var inUse = 0
        var freshCount = 0
    }

    /// In bytes.
    package let budget: Int
    private let state = Mutex(State())

    /// - Parameter budget: in bytes; what all buffers may hold together.
    package init(budget: Int) { self.budget = budget }

    deinit {
        state.withLock { state in
            for buffer in state.idle { buffer.base.deallocate() }
        }
    }

    /// A buffer of at least this capacity, its bytes undefined; `nil` when the budget is spent: ask again when one came
    /// back.
    ///
    /// One buffer is always granted, or a torrent with pieces above the budget would never move.
    package func buffer(capacity: Int) -> PieceBuffer? {
        let capacity = PieceBuffer.rounded(capacity)
        var surplus: [Idle] = []
        let base = state.withLock { state -> UnsafeMutableRawPointer? in
            if let index = state.idle.lastIndex(where: { $0.capacity == capacity }) {
                state.inUse += capacity
                return state.idle.remove(at: index).base
            }
            // Idle buffers of other sizes make room.
            while state.allocated + capacity > budget, !state.idle.isEmpty {
                let idle = state.idle.removeFirst()
                state.allocated -= idle.capacity
                surplus.append(idle)
            }
            guard state.allocated + capacity <= budget || state.inUse == 0 else { return nil }
            state.allocated += capacity
            state.inUse += capacity
            state.freshCount += 1
            return PieceBuffer.allocate(capacity)
        }
        for idle in surplus { idle.base.deallocate() }
        return base.map { PieceBuffer(base: $0, capacity: capacity, pool: self) }
    }

    /// Bytes that are out with users.
    package var bytesInUse: Int { state.withLock { $0.inUse } }

    /// Bytes of all buffers, in use and idle.
    package var bytesAllocated: Int { state.withLock { $0.allocated } }

    /// How often memory was asked of the system, for tests and counters.
    package var freshCount: Int { state.withLock { $0.freshCount } }

    func reclaim(_ base: UnsafeMutableRawPointer, capacity: Int) {
        let buffer = Idle(base: base, capacity: capacity)
        let surplus = state.withLock { state -> Idle? in
            state.inUse -= capacity
            guard state.allocated <= budget else {
                state.allocated -= capacity
                return buffer
            }
            state.idle.append(buffer)
            return nil
        }
        surplus?.base.deallocate()
    }
}
