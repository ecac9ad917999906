package import Primitives

/// A token bucket over bytes per second; one for everything that is received, one for everything that is sent.
///
/// Spending more than there is makes a debt that is waited off, so a caller may finish the block it is at.
package struct RateLimiter: Sendable {
    /// Less than this is not worth a system call.
    private static let quantum = 16_384.0

    /// `nil`: no limit.
    package private(set) var bytesPerSecond: Int?
    private var tokens: Double
    private var updatedAt: Instant

    package init(bytesPerSecond: Int?, at now: Instant) {
        self.bytesPerSecond = bytesPerSecond.map { max(1, $0) }
        updatedAt = now
        tokens = 0
        tokens = min(burst, quantum)
    }

    /// A quarter of a second, so that the rate holds over any second; one quantum at least, or nothing would ever pass.
    private var burst: Double { max(Double(bytesPerSecond ?? 0) / 4, quantum) }

    /// Small limits move in small steps: a tenth of a second's worth.
    private var quantum: Double { min(RateLimiter.quantum, max(Double(bytesPerSecond ?? 0) / 10, 1)) }

    package mutating func setRate(_ bytesPerSecond: Int?, at now: Instant) {
        refill(at: now)
        self.bytesPerSecond = bytesPerSecond.map { max(1, $0) }
        tokens = min(tokens, burst)
    }

    /// Bytes that may pass now; `Int.max` without a limit. Zero while less than one step has gathered.
    package mutating func allowance(at now: Instant) -> Int {
        guard bytesPerSecond != nil else { return .max }
        refill(at: now)
        // Half a byte of tolerance: a deadline is rounded to whole nanoseconds.
        return tokens + 0.5 >= quantum ? Int(tokens + 0.5) : 0
    }

    package mutating func spend(_ bytes: Int) {
        guard bytesPerSecond != nil else { return }
        tokens -= Double(bytes)
    }

    /// When there is an allowance again; `nil` where there is one already.
    package var nextDeadline: Instant? {
        guard let bytesPerSecond, tokens + 0.5 < quantum else { return nil }
        let seconds = min((quantum - tokens) / Double(bytesPerSecond), 1e6)
        return updatedAt + .nanoseconds(Int64(seconds * 1e9) + 1)
    }

    private mutating func refill(at now: Instant) {
        guard let bytesPerSecond, now > updatedAt else { return }
        tokens = min(tokens + (now - updatedAt).inSeconds * Double(bytesPerSecond), burst)
        updatedAt = now
    }
}
