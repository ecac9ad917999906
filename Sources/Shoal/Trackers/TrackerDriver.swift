import EventLoop
import HTTPClient
import Metainfo
import Primitives
import TrackerProtocol

/// Asks trackers for all torrents of a node: over HTTP with a client of its own, over UDP through the node's sockets.
///
/// Confined to the loop thread.
final class TrackerDriver {
    /// A question that is under way.
    final class Question {
        fileprivate var http: HTTPClient.Ticket?
        fileprivate var udp: UDPQuestions.Ticket?
        /// Who was asked over UDP.
        fileprivate var sender: IPAddress?
        fileprivate var isCancelled = false
        fileprivate let number: UInt64
        fileprivate let done: (Result<UDPQuestions.Answer, AnnounceFailure>) -> Void

        fileprivate init(
            _ number: UInt64,
            _ done: @escaping (Result<UDPQuestions.Answer, AnnounceFailure>) -> Void
        ) {
            self.number = number
            self.done = done
        }
    }

    /// BEP 3 names none; whoever waits goes on to the next tracker then (BEP 12).
    private static let timeLimit: Duration = .seconds(15)

    private unowned let core: NodeCore
    private let sockets: DatagramSockets
    /// Made for the first HTTP tracker: libcurl is not started for who has none.
    private var http: HTTPClient?
    private var questions: UDPQuestions
    private var actions: [UDPQuestions.Action] = []
    private var count: UInt64 = 0
    private var waiting: [UDPQuestions.Ticket: Question] = [:]
    /// What failed before anybody was asked.
    private var unasked: [(question: Question, result: Result<UDPQuestions.Answer, AnnounceFailure>)] = []
    private lazy var unaskedAlarm = Alarm(core) { [unowned self] in
        let failed = unasked
        unasked = []
        for (question, result) in failed where !question.isCancelled { question.done(result) }
    }
    private lazy var alarm = Alarm(core) { [unowned self] in
        questions.advanced(to: core.now, into: &actions)
        perform()
    }

    init(sockets: DatagramSockets, core: NodeCore) {
        self.core = core
        self.sockets = sockets
        questions = UDPQuestions(seed: core.random.next())
    }

    // MARK: Asking

    func announce(
        _ announce: AnnounceURL,
        at tracker: TrackerURL,
        in family: AddressFamily,
        then done: @escaping (Result<TrackerAnswer, AnnounceFailure>) -> Void
    ) -> Question {
        let question = newQuestion { result in
            done(result.map { if case .announced(let answer) = $0 { answer } else { TrackerAnswer() } })
        }
        let tracker = tracker.with(passkeys: core.trackerPasskeys)
        guard tracker.scheme == .udp else {
            get(announce.text(at: tracker), in: family, for: question) { body, sender throws(AnnounceFailure) in
                .announced(TrackerDriver.believable(try TrackerAnswer(http: body), from: sender))
            }
            return question
        }
        ask(.announce(announce.request, address: announce.announcedAddress), of: tracker, in: family, for: question)
        return question
    }

    func scrape(
        _ infoHash: InfoHash,
        at tracker: TrackerURL,
        in family: AddressFamily,
        then done: @escaping (Result<TrackerCount, AnnounceFailure>) -> Void
    ) -> Question {
        let question = newQuestion { result in
            done(
                result.map {
                    if case .scraped(let count) = $0 {
                        count
                    } else {
                        TrackerCount(seeders: 0, leechers: 0, completed: 0)
                    }
                }
            )
        }
        let tracker = tracker.with(passkeys: core.trackerPasskeys)
        guard tracker.scheme != .udp else {
            ask(.scrape(infoHash), of: tracker, in: family, for: question)
            return question
        }
        guard let url = AnnounceURL.scrapeURL(of: infoHash, at: tracker) else {
            finish(question, .failure(.unreachable("it cannot be scraped (BEP 48)")))
            return question
        }
        get(url, in: family, for: question) { body, _ throws(AnnounceFailure) in
            .scraped(try TrackerCount(http: body, of: infoHash))
        }
        return question
    }

    private func newQuestion(
        _ done: @escaping (Result<UDPQuestions.Answer, AnnounceFailure>) -> Void
    ) -> Question {
        count &+= 1
        return Question(count, done)
    }

    /// The answer is not waited for any more.
    func cancel(_ question: Question) {
        question.isCancelled = true
        if let ticket = question.http { http?.cancel(ticket) }
        if let ticket = question.udp {
            questions.cancel(ticket)
            waiting[ticket] = nil
        }
    }

    /// Whoever still waits for an answer hears that there will be none.
    func close() {
        alarm.set(nil)
        unaskedAlarm.set(nil)
        let (left, failed) = (waiting.values.sorted { $0.number < $1.number }, unasked.map(\.question))
        (waiting, unasked) = ([:], [])
        http?.close()
        http = nil
        for question in left + failed where !question.isCancelled {
            question.done(.failure(.unreachable("the node was stopped")))
        }
    }

    /// A tracker of the internet must not make us knock at hosts of our own network, as a node must not (hardening D2).
    private static func believable(_ answer: TrackerAnswer, from sender: IPAddress?) -> TrackerAnswer {
        guard let sender else { return answer }
        var answer = answer
        answer.peers.removeAll { !sender.mayName($0.address) }
        answer.nodes?.removeAll { TrackerURL($0)?.mayBeNamed(by: sender) != true }
        return answer
    }

    private func finish(_ question: Question, _ result: Result<UDPQuestions.Answer, AnnounceFailure>) {
        // Never from inside the call that asked.
        unasked.append((question, result))
        unaskedAlarm.set(core.now)
    }

    // MARK: HTTP

    private func get(
        _ url: String,
        in family: AddressFamily,
        for question: Question,
        _ read: @escaping (RawSpan, IPAddress?) throws(AnnounceFailure) -> UDPQuestions.Answer
    ) {
        var request = HTTPClientRequest(url: url)
        request.family = family
        request.timeout = TrackerDriver.timeLimit
        request.localAddress = core.dialAddress(for: family)?.address
        do throws(HTTPClientError) {
            question.http = try client().send(request) { [weak core] result in
                core?.turn { question.done(TrackerDriver.meaning(of: result, read)) }
            }
        } catch {
            finish(question, .failure(.unreachable("\(error)")))
        }
    }

    private func client() throws(HTTPClientError) -> HTTPClient {
        if let http { return http }
        let client = try HTTPClient(loop: core.loop, agent: Node.clientName)
        http = client
        return client
    }

    private static func meaning(
        of result: Result<HTTPClientReply, HTTPClientError>,
        _ read: (RawSpan, IPAddress?) throws(AnnounceFailure) -> UDPQuestions.Answer
    ) -> Result<UDPQuestions.Answer, AnnounceFailure> {
        switch result {
        case .failure(.noAddress): return .failure(.noAddress)
        case .failure(let error): return .failure(.unreachable("\(error)"))
        case .success(let reply):
            do throws(AnnounceFailure) {
                return .success(try read(reply.body.span.bytes, reply.remoteAddress))
            } catch {
                // What it wants to say may stand in the body of any status; a page of HTML says nothing.
                guard error == .malformed, reply.status != 200 else { return .failure(error) }
                return .failure(.unreachable("it answers with HTTP status \(reply.status)"))
            }
        }
    }

    // MARK: UDP

    private func ask(
        _ content: UDPQuestions.Question,
        of tracker: TrackerURL,
        in family: AddressFamily,
        for question: Question
    ) {
        core.resolve(tracker.place.description) { [weak self] endpoints in
            guard let self, !question.isCancelled else { return }
            guard let endpoint = endpoints.first(where: { $0.address.family == family }) else {
                return question.done(.failure(endpoints.isEmpty ? .unreachable("its name is not known") : .noAddress))
            }
            question.sender = endpoint.address
            question.udp = questions.ask(content, of: endpoint, path: tracker.path, at: core.now, into: &actions)
            question.udp.map { waiting[$0] = question }
            perform()
        }
    }

    /// A datagram that begins like an answer of BEP 15.
    func received(_ bytes: RawSpan, from sender: Endpoint) {
        questions.received(bytes, from: sender, at: core.now, into: &actions)
        guard !actions.isEmpty else { return }
        core.turn { perform() }
    }

    private func perform() {
        while !actions.isEmpty {
            let batch = actions
            actions = []
            for action in batch {
                switch action {
                case .send(let bytes, let endpoint):
                    sockets[endpoint.address.family]?.send(bytes.span.bytes, to: endpoint)
                case .finish(let ticket, let result):
                    guard let question = waiting.removeValue(forKey: ticket) else { continue }
                    question.done(
                        result.map { answer in
                            guard case .announced(let announced) = answer else { return answer }
                            return .announced(TrackerDriver.believable(announced, from: question.sender))
                        }
                    )
                }
            }
        }
        alarm.set(questions.nextDeadline)
    }
}
