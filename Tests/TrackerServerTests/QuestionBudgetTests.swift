import Primitives
import Testing
import TrackerServer

@Suite("The time that questions may take")
struct QuestionBudgetTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    @Test("questions are answered until they took a fifth of a second, and again when time has paid for it")
    func debt() {
        var budget = QuestionBudget(at: start)
        #expect(budget.admits(at: start))
        budget.spent(.milliseconds(150), at: start)
        #expect(budget.admits(at: start))
        budget.spent(.milliseconds(150), at: start)
        #expect(!budget.admits(at: start))
        #expect(budget.wait(at: start) == 2)
        #expect(!budget.admits(at: start + .milliseconds(990)))
        #expect(budget.admits(at: start + .milliseconds(1010)))
    }

    @Test("what is not used is not saved up")
    func noSavings() {
        var budget = QuestionBudget(at: start)
        budget.spent(.milliseconds(250), at: start + .seconds(3600))
        #expect(!budget.admits(at: start + .seconds(3600)))
    }

    @Test("questions of one in ten parts of the time are answered for ever")
    func steady() {
        var budget = QuestionBudget(at: start)
        for second in 1...1000 {
            let now = start + .seconds(second)
            #expect(budget.admits(at: now))
            budget.spent(.milliseconds(100), at: now)
        }
    }
}
