import Availability
import Testing

@Suite("Record sequence")
struct RecordSequenceTests {
    @Test("it is the time, and rises even where the clock stands still or goes back a little")
    func rises() {
        var sequence = RecordSequence()
        #expect(sequence.next(at: 1_700_000_000_000) == 1_700_000_000_000)
        #expect(sequence.next(at: 1_700_000_000_000) == 1_700_000_000_001)
        #expect(sequence.next(at: 1_699_999_500_000) == 1_700_000_000_002)
        #expect(sequence.next(at: 1_700_000_060_000) == 1_700_000_060_000)
    }

    @Test("it goes on where a former run ended")
    func goesOn() {
        var sequence = RecordSequence(last: 1_700_000_000_500)
        #expect(sequence.next(at: 1_700_000_000_000) == 1_700_000_000_501)
    }

    @Test("a time that cannot have been is forgotten", arguments: [Int64.max, 1_700_000_600_001])
    func future(last: Int64) {
        var sequence = RecordSequence(last: last)
        #expect(sequence.next(at: 1_700_000_000_000) == 1_700_000_000_000)
    }

    @Test("a clock before 1970 still gives numbers")
    func early() {
        var sequence = RecordSequence(last: -5)
        #expect(sequence.next(at: -7) == 1)
        #expect(sequence.next(at: .min) == 2)
    }
}
