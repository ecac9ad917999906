import Primitives
import Testing

@testable import TrackerProtocol

private let start = Instant.zero + .seconds(1000)
private let tracker = Endpoint(.v4(0xc000_0201), 6969)
private let other = Endpoint(.v4(0xc000_0202), 6969)

@Suite("Questions to UDP trackers (BEP 15)")
struct UDPQuestionsTests {
    private let request: AnnounceRequest = {
        let value = UInt160(high: 0, middle: 0, low: 1)
        var request = AnnounceRequest(infoHash: InfoHash(value), peerID: PeerID(value), port: 6881)
        (request.uploaded, request.downloaded, request.left) = (1, 2, 3)
        (request.event, request.key) = (.started, 0xabc)
        return request
    }()

    private func ask(
        _ questions: inout UDPQuestions,
        _ question: UDPQuestions.Question? = nil,
        path: String = "/announce",
        at now: Instant = start
    ) -> (UDPQuestions.Ticket, [UInt8]) {
        var actions: [UDPQuestions.Action] = []
        let question = question ?? .announce(request, address: nil)
        let ticket = questions.ask(question, of: tracker, path: path, at: now, into: &actions)
        return (ticket, datagram(actions))
    }

    private func hear(
        _ questions: inout UDPQuestions,
        _ bytes: [UInt8],
        from sender: Endpoint = tracker,
        at now: Instant = start
    ) -> [UDPQuestions.Action] {
        var actions: [UDPQuestions.Action] = []
        questions.received(bytes.span.bytes, from: sender, at: now, into: &actions)
        return actions
    }

    private func datagram(_ actions: [UDPQuestions.Action]) -> [UInt8] {
        guard case .send(let bytes, tracker)? = actions.first, actions.count == 1 else { return [] }
        return bytes
    }

    /// What follows the number of the question that is answered.
    private func reply(_ action: UInt8, to question: [UInt8], _ rest: [UInt8]) -> [UInt8] {
        [0, 0, 0, action] + question[12..<16] + rest
    }

    private let connection: [UInt8] = [9, 8, 7, 6, 5, 4, 3, 2]

    @Test("connects, announces, and hands on the answer")
    func announce() {
        var questions = UDPQuestions(seed: 1)
        let (ticket, connect) = ask(&questions)
        #expect(
            connect.count == 16 && Array(connect.prefix(12)) == [0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80, 0, 0, 0, 0]
        )
        let question = datagram(hear(&questions, reply(0, to: connect, connection)))
        #expect(question.count == 98)
        #expect(Array(question.prefix(12)) == connection + [0, 0, 0, 1])
        #expect(Array(question[12..<16]) != Array(connect[12..<16]))
        let body: [UInt8] =
            [UInt8](repeating: 0, count: 19) + [1] + [UInt8](repeating: 0, count: 19) + [1]
            + [0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1]
            + [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0xa, 0xbc, 0xff, 0xff, 0xff, 0xff, 0x1a, 0xe1]
        #expect(Array(question.dropFirst(16)) == body)
        let counts: [UInt8] = [0, 0, 7, 8, 0, 0, 0, 5, 0, 0, 0, 4]
        var answer = TrackerAnswer()
        (answer.interval, answer.leechers, answer.seeders) = (1800, 5, 4)
        answer.peers = [Endpoint(.v4(0xc000_0209), 6881)]
        let said = hear(&questions, reply(1, to: question, counts + [192, 0, 2, 9, 0x1a, 0xe1, 1, 2]))
        #expect(said == [.finish(ticket, .success(.announced(answer)))])
        #expect(questions.nextDeadline == nil)
    }

    @Test("a connection ID serves for a minute")
    func connectionReused() {
        var questions = UDPQuestions(seed: 1)
        let (_, connect) = ask(&questions)
        _ = hear(&questions, reply(0, to: connect, connection))
        #expect(ask(&questions, at: start + .seconds(59)).1.count == 98)
        #expect(ask(&questions, at: start + .seconds(60)).1.count == 16)
    }

    @Test("answers from elsewhere, to nothing, of another kind or cut short are passed over")
    func forged() {
        var questions = UDPQuestions(seed: 1)
        let (_, connect) = ask(&questions)
        let right = reply(0, to: connect, connection)
        #expect(hear(&questions, right, from: other) == [])
        #expect(hear(&questions, [0, 0, 0, 0, 1, 2, 3, 4] + connection) == [])
        #expect(hear(&questions, reply(1, to: connect, [UInt8](repeating: 0, count: 12))) == [])
        #expect(hear(&questions, reply(0, to: connect, [1, 2, 3])) == [])
        for length in 0..<16 { #expect(hear(&questions, Array(right.prefix(length))) == []) }
        let question = datagram(hear(&questions, right))
        #expect(hear(&questions, reply(1, to: question, [UInt8](repeating: 0, count: 11))) == [])
        #expect(hear(&questions, reply(2, to: question, [UInt8](repeating: 0, count: 12))) == [])
    }

    @Test("an error is handed on, fit for display, and the connection is forgotten")
    func error() {
        var questions = UDPQuestions(seed: 1)
        let (ticket, connect) = ask(&questions)
        let question = datagram(hear(&questions, reply(0, to: connect, connection)))
        let said = hear(&questions, reply(3, to: question, Array("no\u{1b}".utf8)))
        guard case .finish(ticket, .failure(.refused(let reason, retry: nil)))? = said.first else {
            Issue.record("\(said)")
            return
        }
        #expect(reason.hasPrefix("no") && !reason.contains("\u{1b}"))
        #expect(ask(&questions).1.count == 16)
    }

    @Test("silence: asked again after 3 and 6 seconds, from the beginning, given up after 21")
    func silence() {
        var questions = UDPQuestions(seed: 1)
        let (ticket, connect) = ask(&questions)
        let question = datagram(hear(&questions, reply(0, to: connect, connection)))
        #expect(question.count == 98)
        var actions: [UDPQuestions.Action] = []
        for seconds in [3, 9] {
            #expect(questions.nextDeadline == start + .seconds(seconds))
            questions.advanced(to: start + .seconds(seconds), into: &actions)
            #expect(datagram(actions).count == 16)
            actions = []
        }
        questions.advanced(to: start + .seconds(21), into: &actions)
        #expect(actions == [.finish(ticket, .failure(.unreachable("it does not answer")))])
        #expect(questions.nextDeadline == nil)
    }

    @Test("the path goes along in parts of 255 bytes where it is not the usual one (BEP 41)")
    func path() {
        var questions = UDPQuestions(seed: 1)
        let path = "/" + String(repeating: "x", count: 299)
        let (_, connect) = ask(&questions, path: path)
        let question = datagram(hear(&questions, reply(0, to: connect, connection)))
        let text = Array(path.utf8)
        #expect(Array(question.dropFirst(98)) == [2, 255] + text.prefix(255) + [2, 45] + text.dropFirst(255))
    }

    @Test("a scrape")
    func scrape() {
        var questions = UDPQuestions(seed: 1)
        let (ticket, connect) = ask(&questions, .scrape(request.infoHash))
        let question = datagram(hear(&questions, reply(0, to: connect, connection)))
        #expect(question.count == 36 && question[11] == 2)
        let said = hear(&questions, reply(2, to: question, [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]))
        #expect(said == [.finish(ticket, .success(.scraped(TrackerCount(seeders: 1, leechers: 3, completed: 2))))])
    }

    @Test("what is cancelled is not answered, and too much at a time is refused at once")
    func bounded() {
        var limits = UDPQuestions.Limits()
        limits.questions = 1
        var questions = UDPQuestions(limits: limits, seed: 1)
        let (first, connect) = ask(&questions)
        var actions: [UDPQuestions.Action] = []
        let second = questions.ask(.scrape(request.infoHash), of: other, path: "/", at: start, into: &actions)
        #expect(actions == [.finish(second, .failure(.unreachable("too many questions are under way")))])
        questions.cancel(first)
        #expect(hear(&questions, reply(0, to: connect, connection)) == [])
        #expect(questions.nextDeadline == nil)
    }
}
