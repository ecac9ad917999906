import EventLoop
import HTTPServer
import Primitives
import TestSupport
import Testing

@Suite("HTTP server")
struct HTTPServerTests {
    /// The replies to one connection's words, each waited for before the next is said.
    private func talk(_ words: [String]) async throws -> [Reply?] {
        try await visit { connection in
            words.map { word in
                connection.say(word)
                return connection.hear()
            }
        }
    }

    /// What comes of one connection.
    private func visit<Result: Sendable>(
        _ body: @escaping @Sendable (RawConnection) -> Result
    ) async throws -> Result {
        try await withHouse { _, house async throws in
            let address = house.value.address
            return try await play { body(try RawConnection.dial(address)) }
        }
    }

    @Test("answers one request after the other on a connection, targets as they came")
    func answers() async throws {
        let replies = try await talk([
            "GET /announce/x%20?a=%00&b=%zz+c HTTP/1.1\r\nHost: x\r\nX-Say: this\r\n\r\n",
            "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n",
        ])
        #expect(
            replies == [
                Reply(status: 200, body: "GET /announce/x%20?a=%00&b=%zz+c "), Reply(status: 200, body: "DELETE / "),
            ]
        )
        #expect(replies[0]?.headers["x-said"] == "this")
        #expect(replies[0]?.headers["content-type"] == "text/plain; charset=utf-8")
        #expect(replies[0]?.headers["connection"]?.lowercased() != "close")
    }

    @Test("answers requests that came in one segment, and one that came byte by byte")
    func framing() async throws {
        let bodies = try await visit { connection in
            connection.say((1...3).map { "GET /\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
            let together = (1...3).map { _ in connection.hear()?.body }
            for byte in "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n".utf8 { connection.send([byte]) }
            return together + [connection.hear()?.body]
        }
        #expect(bodies == ["GET /1 ", "GET /2 ", "GET /3 ", "GET /slow "])
    }

    @Test(
        "serves HTTP/1.0 and clients without a Host header, and closes as they expect",
        arguments: ["GET /old HTTP/1.0\r\n\r\n", "GET /old HTTP/1.1\r\nConnection: close\r\n\r\n"]
    )
    func old(words: String) async throws {
        let (body, isClosed) = try await visit { connection in
            connection.say(words)
            return (connection.hear()?.body, connection.isClosedByPeer())
        }
        #expect(body == "GET /old ")
        #expect(isClosed)
    }

    @Test("answers HEAD without a body")
    func head() async throws {
        let words = try await visit { connection in
            connection.say("HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            var text: [UInt8] = []
            while let byte = connection.receive(1) { text += byte }
            return String(decoding: text, as: UTF8.self)
        }
        #expect(words.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(words.hasSuffix("\r\n\r\n"))
    }

    @Test("takes a body where the handler lets one in, as long as it lets it be")
    func bodies() async throws {
        let body = String(repeating: "b", count: 100)
        let taken = try await talk(["PUT /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n\(body)"])
        #expect(taken == [Reply(status: 200, body: "PUT /body \(body)")])
        let refused: [(String, Int)] = [
            ("PUT /body HTTP/1.1\r\nContent-Length: 101\r\n\r\n", 413),
            ("PUT /body HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
            ("POST /other HTTP/1.1\r\nContent-Length: 1\r\n\r\nb", 413),
            ("GET /announce HTTP/1.1\r\nContent-Length: 1\r\n\r\nb", 413),
            ("POST /body HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n", 411),
        ]
        for (words, status) in refused {
            let replies = try await talk([words])
            #expect(replies.first??.status == status, "\(words)")
        }
    }

    @Test("refuses methods that it does not know, and targets and headers that are too long (T9)")
    func limits() async throws {
        let long = "/" + String(repeating: "x", count: 4095)
        let scrape = "/scrape?" + String(repeating: "x", count: 8184)
        let line = "X: " + String(repeating: "x", count: 995) + "\r\n"
        let cases: [(String, Int)] = [
            ("GET \(long) HTTP/1.1\r\n\r\n", 200),
            ("GET \(long)x HTTP/1.1\r\n\r\n", 414),
            ("GET \(scrape) HTTP/1.1\r\n\r\n", 200),
            ("GET \(scrape)x HTTP/1.1\r\n\r\n", 414),
            ("GET / HTTP/1.1\r\n" + String(repeating: line, count: 16) + "\r\n", 200),
            ("GET / HTTP/1.1\r\n" + String(repeating: line, count: 17) + "\r\n", 431),
            ("TRACE / HTTP/1.1\r\n\r\n", 405),
            ("PATCH / HTTP/1.1\r\n\r\n", 405),
            ("get / HTTP/1.1\r\n\r\n", 405),
            ("GET x HTTP/1.1\r\n\r\n", 400),
            ("GET http://x/ HTTP/1.1\r\n\r\n", 400),
        ]
        for (words, status) in cases {
            let replies = try await talk([words])
            #expect(replies.first??.status == status, "\(words.prefix(40))")
            guard status != 200 else { continue }
            // Words for people, none of them the client's own, and the end.
            #expect(replies.first??.headers["content-type"] == "text/plain; charset=utf-8")
            #expect(replies.first??.headers["connection"] == "close")
            #expect(replies.first??.body.contains("x") != true || status != 414)
        }
    }

    @Test("answers a target of 100 KiB with 414 (N48), endless headers with 431, and lives on after worse")
    func endless() async throws {
        let statuses = try await withHouse { _, house async throws in
            let address = house.value.address
            return try await play {
                let long = try RawConnection.dial(address)
                long.say("GET /announce?" + String(repeating: "x", count: 100 << 10) + " HTTP/1.1\r\n\r\n")
                let wide = try RawConnection.dial(address)
                wide.say("GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 20_000) + "\r\n")
                for words in ["\r\n\r\n\r\n", "\0\0\0\0", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{16}\u{3}\u{1}"] {
                    try RawConnection.dial(address).say(words)
                }
                return [long.hear()?.status, wide.hear()?.status, try RawConnection.dial(address).get("/")?.status]
            }
        }
        #expect(statuses == [414, 431, 200])
    }

    @Test("closes after the hundredth request of a connection (T9)")
    func keepAlive() async throws {
        let (bodies, isClosed) = try await visit { connection in
            let bodies = (1...100).map { connection.get("/\($0)")?.body }
            return (bodies, connection.isClosedByPeer())
        }
        #expect(bodies == (1...100).map { "GET /\($0) " })
        #expect(isClosed)
    }
}
