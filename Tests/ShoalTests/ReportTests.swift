import Primitives
import Testing

@testable import Shoal

private let start = Instant(nanoseconds: 1_000_000_000)

@Suite("Rate meter")
struct RateMeterTests {
    @Test("the first two readings give the rate at once")
    func firstSample() {
        var meter = RateMeter()
        meter.update(total: 500, at: start)
        #expect(meter.bytesPerSecond == 0)
        meter.update(total: 1500, at: start + .seconds(2))
        #expect(meter.bytesPerSecond == 500)
    }

    @Test("readings that lie too close together are put off")
    func tooClose() {
        var meter = RateMeter()
        meter.update(total: 0, at: start)
        meter.update(total: 1_000_000, at: start + .milliseconds(10))
        meter.update(total: 1_000_000, at: start)
        #expect(meter.bytesPerSecond == 0)
        meter.update(total: 1_000_000, at: start + .milliseconds(100))
        #expect(meter.bytesPerSecond == 10_000_000)
    }

    @Test("the rate goes down while nothing comes")
    func fades() {
        var meter = RateMeter()
        meter.update(total: 0, at: start)
        meter.update(total: 1000, at: start + .seconds(1))
        for second in 2...20 { meter.update(total: 1000, at: start + .seconds(second)) }
        #expect(meter.bytesPerSecond < 1)
    }
}

@Suite("Report")
struct ReportTests {
    @Test("bytes count as movement once, however often they are refused and sent again")
    func refusedIsNoMovement() {
        var report = Report(at: start)
        report.held(16_384, at: start + .seconds(1))
        #expect(report.lastMovement == start + .seconds(1))
        report.held(0, at: start + .seconds(2))
        report.held(16_384, at: start + .seconds(3))
        #expect(report.lastMovement == start + .seconds(1))
        report.held(16_385, at: start + .seconds(4))
        #expect(report.lastMovement == start + .seconds(4))
    }

    @Test("the first few banned peers are named, the rest is not")
    func banned() {
        var report = Report(at: start)
        for port in UInt16(1)...100 { report.banned(Endpoint(.loopbackV4, port)) }
        #expect(report.banned.count == 8)
        #expect(report.banned.first == "127.0.0.1:1")
    }
}
