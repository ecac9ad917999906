import EventLoop
import HTTPServer
import Primitives
import TestSupport
import Testing

@Suite("HTTP server")
struct HTTPServerTests {
    /// The reply to one connection's words.
    private func talk(_ words: String) async throws -> Reply? {
        try await visit { connection in
            connection.say(words)
            return connection.hear()
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

    @Test("answers a request, its target as it came, and ends the connection with it (T9)")
    func answers() async throws {
        let (reply, isClosed) = try await visit { connection in
            connection.say("GET /announce/x%20?a=%00&b=%zz+c HTTP/1.1\r\nHost: x\r\nX-Say: this\r\n\r\n")
            return (connection.hear(), connection.isClosedByPeer())
        }
        #expect(reply == Reply(status: 200, body: "GET /announce/x%20?a=%00&b=%zz+c "))
        #expect(reply?.headers["x-said"] == "this")
        #expect(reply?.headers["content-type"] == "text/plain; charset=utf-8")
        #expect(reply?.headers["connection"] == "close")
        #expect(isClosed)
    }

    @Test("answers a request that comes byte by byte, and of several in one segment the first")
    func framing() async throws {
        let slow = try await visit { connection in
            for byte in "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n".utf8 {
                connection.send([byte])
                _ = connection.waits(milliseconds: 1)
            }
            return connection.hear()?.body
        }
        #expect(slow == "GET /slow ")
        let (first, isClosed) = try await visit { connection in
            connection.say((1...3).map { "GET /\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
            return (connection.hear()?.body, connection.isClosedByPeer())
        }
        #expect(first == "GET /1 ")
        #expect(isClosed)
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

    @Test(
        "believes this machine when it says whose request it hands on, and in a list what the last proxy wrote",
        arguments: [
            ("", "127.0.0.1"), ("X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"),
            ("x-forwarded-for:10.0.0.1,  203.0.113.7 \r\n", "203.0.113.7"),
            ("X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"),
            ("X-Forwarded-For: ' OR 1, 203.0.113.7, 127.0.0.1\r\n", "203.0.113.7"),
            ("X-Forwarded-For: 203.0.113.7:8080\r\n", "203.0.113.7"),
            ("X-Forwarded-For: 2001:db8::7\r\n", "2001:db8::7"),
            ("X-Forwarded-For: [2001:db8::7]\r\n", "2001:db8::7"),
            ("X-Forwarded-For: [2001:db8::7]:443\r\n", "2001:db8::7"),
            ("X-Forwarded-For: 127.0.0.1, ::1\r\n", "127.0.0.1"), ("X-Forwarded-For:\r\n", "127.0.0.1"),
        ]
    )
    func proxies(header: String, client: String) async throws {
        let reply = try await talk("GET / HTTP/1.1\r\nHost: x\r\n\(header)\r\n")
        #expect(reply?.headers["x-client"] == client)
    }

    @Test(
        "refuses what a proxy that is believed hands on for nobody",
        arguments: ["unknown", "203.0.113.7, ", "_x", "[", "1.2.3"]
    )
    func strangeProxies(value: String) async throws {
        #expect(try await talk("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: \(value)\r\n\r\n")?.status == 400)
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
        let taken = try await talk("PUT /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n\(body)")
        #expect(taken == Reply(status: 200, body: "PUT /body \(body)"))
        let empty = try await talk("POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        #expect(empty == Reply(status: 200, body: "POST /other "))
        let refused: [(String, Int)] = [
            ("PUT /body HTTP/1.1\r\nContent-Length: 101\r\n\r\n", 413),
            ("PUT /body HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
            ("POST /other HTTP/1.1\r\nContent-Length: 1\r\n\r\nb", 413),
            ("GET /announce HTTP/1.1\r\nContent-Length: 1\r\n\r\nb", 413),
            ("POST /body HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n", 411),
        ]
        for (words, status) in refused {
            #expect(try await talk(words)?.status == status, "\(words)")
        }
    }

    @Test("refuses methods that it does not know, and targets and headers that are too long (T9)")
    func limits() async throws {
        let long = "/" + String(repeating: "x", count: 4095)
        let scrape = "/scrape?" + String(repeating: "x", count: 8184)
        let line = "X: " + String(repeating: "y", count: 1019) + "\r\n"
        let many = String(repeating: "X: y\r\n", count: 64)
        let pairs = String(repeating: "a&", count: 127)
        let cases: [(String, Int)] = [
            ("GET \(long) HTTP/1.1\r\n\r\n", 200),
            ("GET \(long)x HTTP/1.1\r\n\r\n", 414),
            ("GET \(scrape) HTTP/1.1\r\n\(many)\r\n", 200),
            ("GET \(scrape)x HTTP/1.1\r\n\r\n", 414),
            ("GET /?\(pairs) HTTP/1.1\r\n\r\n", 200),
            ("GET /?\(pairs)& HTTP/1.1\r\n\r\n", 414),
            ("GET \(scrape) HTTP/1.1\r\n" + String(repeating: line, count: 16) + "\r\n", 200),
            ("GET / HTTP/1.1\r\nY: 1\r\n" + String(repeating: line, count: 16) + "\r\n", 431),
            ("GET / HTTP/1.1\r\nY: 1\r\n\(many)\r\n", 431),
            ("TRACE / HTTP/1.1\r\n\r\n", 405),
            ("PATCH / HTTP/1.1\r\n\r\n", 405),
        ]
        for (words, status) in cases {
            let reply = try await talk(words)
            #expect(reply?.status == status, "\(words.prefix(40))")
            guard status != 200 else { continue }
            // Words for people, none of them the client's own, and the end.
            #expect(reply?.headers["content-type"] == "text/plain; charset=utf-8")
            #expect(reply?.headers["connection"] == "close")
            #expect(reply?.body.contains("<") == false)
        }
    }

    @Test(
        "refuses in its own words, never with a page, what is no request of HTTP",
        arguments: [
            "\r\n", "get / HTTP/1.1\r\n\r\n", "\0\0\0\0", "\u{16}\u{3}\u{1}", "GET\r\n\r\n", "GET /\r\n\r\n",
            "GET  / HTTP/1.1\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n", "GET / x HTTP/1.1\r\n\r\n",
            "GET x HTTP/1.1\r\n\r\n", "GET http://x/ HTTP/1.1\r\n\r\n", "GET /\0 HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\n: x\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\nA : b\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\r\n c: d\r\n\r\n", "GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", "PUT /body HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            "PUT /body HTTP/1.1\r\nContent-Length: 1 1\r\n\r\nx", "PUT /body HTTP/1.1\r\nContent-Length:\r\n\r\n",
            "PUT /body HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        ]
    )
    func garbage(words: String) async throws {
        #expect(try await talk(words) == Reply(status: 400, body: "This is no request of HTTP.\n"))
    }

    @Test("answers a target of 100 KiB with 414 (N48), and endless headers with 431, and reads on until they are sent")
    func endless() async throws {
        let target = try await talk("GET /announce?" + String(repeating: "x", count: 100 << 10) + " HTTP/1.1\r\n\r\n")
        #expect(target == Reply(status: 414, body: "The path and query are too long.\n"))
        let headers = try await talk("GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 200_000) + "\r\n")
        #expect(headers == Reply(status: 431, body: "The headers are too long.\n"))
        let body = String(repeating: "x", count: 2 << 20)
        let refused = try await talk("PUT /body HTTP/1.1\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        #expect(refused == Reply(status: 413, body: "The body is too long, or has no place here.\n"))
    }
}
