import EventLoop
import HTTPClient
import Primitives
import TestSupport
import Testing

typealias Outcome = Result<HTTPClientReply, HTTPClientError>

/// A client and the servers it is sent to, on one loop.
final class Visit {
    let stage: Stage
    let client: HTTPClient
    var servers: [ScriptedServer] = []

    /// Addresses but 127.0.0.1 count as public: a test has only loopback.
    init(on stage: isolated Stage) throws {
        self.stage = stage
        client = try HTTPClient(loop: stage.loop, agent: "shoal/test") { $0 != .loopbackV4 }
        stage.keep(self)
    }

    func serve(
        at address: IPAddress = .loopbackV4,
        _ answer: @escaping (String) -> Answer
    ) throws -> ScriptedServer {
        let server = try ScriptedServer(loop: stage.loop, at: address, answer: answer)
        servers.append(server)
        return server
    }

    func close() {
        client.close()
        for server in servers { server.close() }
    }
}

/// What comes of a request that `prepare` makes, told by the servers it made.
func outcome(
    _ prepare: @escaping @Sendable (Visit) throws -> HTTPClientRequest
) async throws -> Outcome {
    try await withStage { stage async throws in
        let log = EventLog<Outcome>()
        try await stage.perform { stage in
            let visit = try Visit(on: stage)
            visit.client.send(try prepare(visit)) { log.record($0) }
        }
        let outcome = try await log.next()
        await stage.perform { stage in
            for case let visit as Visit in stage.kept { visit.close() }
        }
        return outcome
    }
}

@Suite("HTTP client")
struct HTTPClientTests {
    @Test("hands back status, body and type of the reply, and says what is configured of itself")
    func reads() async throws {
        let request = EventLog<String>()
        let result = try await outcome { visit in
            let server = try visit.serve { text in
                request.record(text)
                return reply("d8:intervali9ee", "Content-Type: Text/Plain; charset=x", "Retry-After: 7")
            }
            var get = HTTPClientRequest(url: server.url + "/announce/x%20y?a=%00")
            get.headers = [("X-Test", "yes")]
            return get
        }
        let expected = HTTPClientReply(
            status: 200,
            body: Array("d8:intervali9ee".utf8),
            mediaType: "text/plain",
            retryAfter: .seconds(7),
            remoteAddress: .loopbackV4
        )
        #expect(try result.get() == expected)
        let lines = try await request.next().components("\r\n")
        #expect(lines[0] == "GET /announce/x%20y?a=%00 HTTP/1.1")
        #expect(Set(lines[1...]).isSuperset(of: ["User-Agent: shoal/test", "X-Test: yes"]))
        #expect(!lines.contains { $0.lowercased().hasPrefix("accept-encoding") })
    }

    @Test("sends a body with every method that has one", arguments: [HTTPClientRequest.Method.post, .put, .delete])
    func sendsBody(method: HTTPClientRequest.Method) async throws {
        let request = EventLog<String>()
        let result = try await outcome { visit in
            let server = try visit.serve { text in
                request.record(text)
                return reply("", status: "201 Created")
            }
            var put = HTTPClientRequest(url: server.url + "/api")
            put.method = method
            put.body = Array("{}".utf8)
            put.headers = [("Content-Type", "application/json")]
            return put
        }
        #expect(try result.get().status == 201)
        let lines = try await request.next().components("\r\n")
        #expect(lines[0] == "\(method.rawValue) /api HTTP/1.1")
        #expect(lines.contains("Content-Length: 2"))
        #expect(lines.filter { $0.hasPrefix("Content-Type") } == ["Content-Type: application/json"])
    }

    @Test("reads a reply that ends with its connection, and one in chunks")
    func readsUnmeasured() async throws {
        let ended = try await outcome { visit in
            HTTPClientRequest(url: try visit.serve { _ in .bytes("HTTP/1.0 200 OK\r\n\r\nabc") }.url)
        }
        #expect(try ended.get().body == Array("abc".utf8))
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n"
        let joined = try await outcome { visit in
            HTTPClientRequest(url: try visit.serve { _ in .bytes(chunked) }.url)
        }
        #expect(try joined.get().body == Array("abc".utf8))
    }

    @Test("asks for no compression and hands compressed bytes through as they are (T14)")
    func decompressesNothing() async throws {
        let result = try await outcome { visit in
            HTTPClientRequest(url: try visit.serve { _ in reply("\u{1f}bomb", "Content-Encoding: gzip") }.url)
        }
        #expect(try result.get().body == Array("\u{1f}bomb".utf8))
    }

    @Test("keeps replies and errors of many requests apart, in whatever order they come")
    func many() async throws {
        let count = 100
        let bodies: [String: Int] = try await withStage { stage async throws in
            let log = EventLog<Outcome>()
            try await stage.perform { stage in
                let visit = try Visit(on: stage)
                let server = try visit.serve { text in reply(String(text.components(" ")[1])) }
                for number in 0..<count {
                    visit.client.send(HTTPClientRequest(url: "\(server.url)/\(number)")) { log.record($0) }
                }
            }
            var bodies: [String: Int] = [:]
            for outcome in try await log.next(count) {
                bodies[String(decoding: try outcome.get().body, as: UTF8.self), default: 0] += 1
            }
            return bodies
        }
        #expect(bodies == Dictionary(uniqueKeysWithValues: (0..<count).map { ("/\($0)", 1) }))
    }

    @Test("a host that answers nothing keeps nobody waiting for another")
    func deadHost() async throws {
        let words = try await withStage { stage async throws in
            let log = EventLog<String>()
            try await stage.perform { stage in
                let visit = try Visit(on: stage)
                let dead = try visit.serve { _ in .silence }
                let alive = try visit.serve { _ in reply("alive") }
                for _ in 0..<100 {
                    visit.client.send(HTTPClientRequest(url: dead.url + "/x")) { _ in log.record("dead") }
                }
                visit.client.send(HTTPClientRequest(url: alive.url)) { log.record($0.failure) }
            }
            let first = try await log.next()
            await stage.perform { stage in
                for case let visit as Visit in stage.kept { visit.close() }
            }
            return first
        }
        #expect(words == "status 200")
    }

    @Test("forgets a request that is cancelled, and answers all others when it is closed")
    func cancels() async throws {
        try await withStage { stage async throws in
            let log = EventLog<String>()
            try await stage.perform { stage in
                let visit = try Visit(on: stage)
                let server = try visit.serve { _ in .silence }
                let first = visit.client.send(HTTPClientRequest(url: server.url)) { _ in log.record("first") }
                visit.client.send(HTTPClientRequest(url: server.url)) { log.record("second \($0.failure)") }
                visit.client.send(HTTPClientRequest(url: "gopher://x")) { log.record("third \($0.failure)") }
                visit.client.cancel(first)
                visit.client.close()
                visit.client.send(HTTPClientRequest(url: server.url)) { log.record("fourth \($0.failure)") }
            }
            #expect(try await log.next(3) == ["second closed", "third closed", "fourth closed"])
        }
    }

    @Test("connects from the address it is told")
    func localAddress() async throws {
        let local = IPAddress.v4(0x7f00_0107)
        let from = EventLog<String>()
        let result = try await outcome { visit in
            let server = try visit.serve { _ in reply("ok") }
            server.onAccept = { from.record("\($0.address)") }
            var request = HTTPClientRequest(url: server.url)
            request.localAddress = local
            return request
        }
        #expect(try result.get().body == Array("ok".utf8))
        #expect(try await from.next() == "\(local)")
    }
}

extension Outcome {
    /// What a person reads.
    var failure: String {
        switch self {
        case .success(let reply): "status \(reply.status)"
        case .failure(let error): error.description
        }
    }
}

extension String {
    /// Foundation's `components(separatedBy:)`, which tests do without.
    func components(_ separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
