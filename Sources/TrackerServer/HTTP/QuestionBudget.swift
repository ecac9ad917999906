package import Primitives

/// How much of the loop's time questions may take, so that announces always have the rest: a table of a thousand peers
/// takes milliseconds to write, and anybody may ask for it again and again.
package struct QuestionBudget: Sendable {
    /// Questions may take one part in so many.
    private static let share = 10
    /// What may be taken ahead: a page, a table and a look at the metrics in one go.
    private static let most: Duration = .milliseconds(200)

    private var debt: Duration = .zero
    private var paidAt: Instant

    package init(at now: Instant) {
        paidAt = now
    }

    /// Whether another question is answered.
    package func admits(at now: Instant) -> Bool { debt(at: now) < QuestionBudget.most }

    /// An answer took so long.
    package mutating func spent(_ time: Duration, at now: Instant) {
        debt = debt(at: now) + time
        paidAt = now
    }

    /// Seconds until the next question is answered, rounded up.
    package func wait(at now: Instant) -> Int64 {
        max(1, ((debt(at: now) - QuestionBudget.most) * QuestionBudget.share).components.seconds + 1)
    }

    private func debt(at now: Instant) -> Duration {
        max(.zero, debt - (now - paidAt) / QuestionBudget.share)
    }
}
