import CBench
import Primitives

/// What one operation costs.
struct Measurement {
    let name: String
    /// The least of all rounds: noise only adds.
    let nanoseconds: Double
    /// Of the last round, when whatever grows has grown.
    let allocations: Double

    /// The one of two measurements of the same thing that was disturbed less.
    func better(_ other: Measurement) -> Measurement { nanoseconds <= other.nanoseconds ? self : other }

    /// Runs `body` again and again, each time for so many operations.
    ///
    /// - Parameters:
    ///   - operations: how many one call of `body` does; enough that reading the clock is nothing beside them.
    ///   - rounds: calls that are timed, after two that are not.
    static func of<State: ~Copyable>(
        _ name: String,
        operations: Int,
        rounds: Int = 40,
        on state: inout State,
        _ body: (inout State) throws(BenchError) -> Void
    ) throws(BenchError) -> Measurement {
        let clock = ContinuousClock()
        var best = Duration.seconds(1000)
        var allocations: UInt64 = 0
        for round in 0..<rounds + 2 {
            let before = cbench_allocations()
            let start = clock.now
            try body(&state)
            let elapsed = clock.now - start
            allocations = cbench_allocations() - before
            if round >= 2 { best = min(best, elapsed) }
        }
        return Measurement(
            name: name,
            nanoseconds: best.inSeconds * 1e9 / Double(operations),
            allocations: Double(allocations) / Double(operations)
        )
    }

    /// The same without state.
    static func of(
        _ name: String,
        operations: Int,
        rounds: Int = 40,
        _ body: () throws(BenchError) -> Void
    ) throws(BenchError) -> Measurement {
        var nothing = 0
        return try of(name, operations: operations, rounds: rounds, on: &nothing) { _ throws(BenchError) in
            try body()
        }
    }

    /// Whether allocations are counted at all: an array of its own is one.
    static var countsAllocations: Bool {
        let before = cbench_allocations()
        keep([UInt8](repeating: 1, count: 1000))
        return cbench_allocations() > before
    }

    /// Takes a result, so that the compiler does not leave its computation out.
    @inline(never)
    static func keep<Value>(_ value: Value) {}
}
