import Primitives
import Testing
import TrackerProtocol

@testable import Shoal
@testable import shoal

private let hash = InfoHash(hex: someHash) ?? InfoHash(.zero)

@Suite("What trackers say, as it is shown")
struct TrackerLineTests {
    private func status(_ outcome: TrackerReport.Outcome) throws -> TrackerStatus {
        let url = try #require(TrackerURL("http://t.example:6969/announce/secret"))
        return TrackerStatus(TrackerReport(tracker: url, outcome: outcome), of: hash)
    }

    private func answered(warning: String? = nil) throws -> TrackerStatus {
        var answer = TrackerAnswer()
        (answer.seeders, answer.leechers, answer.warning) = (1, 2, warning)
        answer.peers = [Endpoint(.loopbackV4, 1)]
        answer.externalAddress = .loopbackV4
        return try status(.announced(answer, interval: .seconds(1800)))
    }

    private func failed(_ reason: String, retryIn pause: Duration? = .seconds(5)) throws -> TrackerStatus {
        try status(.failed(.refused(reason, retry: nil), retryIn: pause))
    }

    @Test("as JSON, without the path, which may hold a passkey")
    func json() throws {
        #expect(
            JSONLines.line(for: .tracker(try answered()))
                == #"{"event":"tracker","info_hash":"\#(someHash)","tracker":"http://t.example:6969","state":"announced","#
                + #""seeders":1,"leechers":2,"peers":1,"next_s":1800,"external_ip":"127.0.0.1"}"#
        )
        #expect(
            JSONLines.line(for: .tracker(try failed("no")))
                == #"{"event":"tracker","info_hash":"\#(someHash)","tracker":"http://t.example:6969","state":"failed","#
                + #""next_s":5,"message":"no"}"#
        )
    }

    @Test("a failure is a line, the same one again is none, and that it answers again is one")
    func display() throws {
        var display = Display(purpose: .share, style: .init())
        var lines: [String] = []
        for status in [
            try answered(), try failed("no"), try failed("no"), try failed("never", retryIn: nil), try answered(),
        ] {
            lines.append(display.received(.tracker(status), width: 80, at: .zero))
        }
        #expect(
            lines == [
                "", "tracker http://t.example:6969 failed: no; trying again in 5 s\n", "",
                "tracker http://t.example:6969 failed: never; it is not asked again\n",
                "tracker http://t.example:6969 answers: 1 seeder, 2 leechers\n",
            ]
        )
    }

    @Test("a curious person reads every answer, and how the tracker sees us")
    func verbose() throws {
        var display = Display(purpose: .share, style: .init(isVerbose: true))
        let line = display.received(.tracker(try answered(warning: "old")), width: 80, at: .zero)
        #expect(
            line == "tracker http://t.example:6969 answers: 1 seeder, 2 leechers, sees us at 127.0.0.1; it warns: old\n"
        )
    }
}
