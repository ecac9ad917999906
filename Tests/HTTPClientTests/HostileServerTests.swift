import EventLoop
import HTTPClient
import Primitives
import TestSupport
import Testing

@Suite("HTTP client and servers that mean ill")
struct HostileServerTests {
    /// What a person is told of a server that answers every request the same way.
    private func failure(_ answer: Answer, timeout: Duration = .seconds(20)) async throws -> String {
        let answer = Shared(answer)
        return try await outcome { visit in
            var request = HTTPClientRequest(url: try visit.serve { _ in answer.value }.url)
            request.timeout = timeout
            return request
        }.failure
    }

    @Test(
        "ends a reply whose chunk sizes overflow or are none (T14)",
        arguments: ["FFFFFFFFFFFFFFFFF", "10000000000000000", "-1", "xyz", ""]
    )
    func chunkOverflow(size: String) async throws {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        let words = try await failure(.bytesWithoutEnd(head + "\(size)\r\nabc\r\n0\r\n\r\n"))
        #expect(words == "the reply breaks the rules of HTTP: a length is wrong")
    }

    @Test("ends a reply longer than a MiB, announced or not, and one that never ends (T14)")
    func tooLong() async throws {
        let sentence = "the reply is longer than 1048576 bytes"
        let announced = "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n"
        let part = String(repeating: "x", count: 1 << 16)
        #expect(try await failure(.endless(announced, again: part)) == sentence)
        #expect(try await failure(.endless("HTTP/1.1 200 OK\r\n\r\n", again: part)) == sentence)
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(try await failure(.endless(chunked, again: "10000\r\n\(part)\r\n")) == sentence)
    }

    @Test("takes a reply of exactly a MiB")
    func justFits() async throws {
        let result = try await outcome { visit in
            HTTPClientRequest(url: try visit.serve { _ in reply(String(repeating: "x", count: 1 << 20)) }.url)
        }
        #expect(try result.get().body.count == 1 << 20)
    }

    @Test("ends a reply whose headers never end")
    func endlessHeaders() async throws {
        let line = "X-Filler: \(String(repeating: "x", count: 1000))\r\n"
        let words = try await failure(.endless("HTTP/1.1 200 OK\r\n", again: line))
        #expect(words == "the reply is longer than 65536 bytes")
    }

    @Test("gives up on a server that takes too long")
    func slow() async throws {
        #expect(try await failure(.silence, timeout: .milliseconds(100)) == "no answer in time")
        let dribble = Answer.bytesWithoutEnd("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
        #expect(try await failure(dribble, timeout: .milliseconds(100)) == "no answer in time")
    }

    @Test("says that a reply was cut short, is none, or is of another protocol")
    func broken() async throws {
        let short = Answer.bytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
        #expect(try await failure(short) == "the connection ended before the reply did")
        #expect(try await failure(.bytes("")) == "the connection ended before the reply did")
        #expect(try await failure(.bytes("d14:failure reason1:xe")).hasPrefix("the reply is no HTTP"))
    }

    @Test("follows five redirects and not a sixth, nor a circle (T14)", arguments: [5, 6, 1000])
    func redirects(count: Int) async throws {
        let result = try await outcome { visit in
            let server = try visit.serve { text in
                let number = Int(text.components(" ")[1].dropFirst()) ?? 0
                return number < count ? redirect(to: "/\(number + 1)") : reply("there")
            }
            return HTTPClientRequest(url: server.url + "/0")
        }
        #expect(result.failure == (count == 5 ? "status 200" : "redirected more than 5 times"))
    }

    @Test("is not sent from the internet into a private network (T14)")
    func redirectToPrivate() async throws {
        // In these tests 127.0.0.2 stands for the internet.
        let reached = EventLog<String>()
        let words = try await outcome { visit in
            let secret = try visit.serve { text in
                reached.record(text)
                return reply("secret")
            }
            let middle = try visit.serve(at: .v4(0x7f00_0003)) { _ in redirect(to: secret.url) }
            let server = try visit.serve(at: .v4(0x7f00_0002)) { _ in redirect(to: middle.url) }
            return HTTPClientRequest(url: server.url)
        }.failure
        #expect(words == "redirected from the internet to 127.0.0.1, which is not an address of the internet")
        reached.record("nobody")
        #expect(try await reached.next() == "nobody")
    }

    @Test("is sent from a private network anywhere, and from the internet to the internet")
    func redirectsAllowed() async throws {
        let out = try await outcome { visit in
            let far = try visit.serve(at: .v4(0x7f00_0002)) { _ in reply("far") }
            let farther = try visit.serve(at: .v4(0x7f00_0003)) { _ in redirect(to: far.url) }
            return HTTPClientRequest(url: try visit.serve { _ in redirect(to: farther.url) }.url)
        }
        #expect(try out.get().body == Array("far".utf8))
    }

    @Test("is sent to no other scheme, and loses no body to a redirect")
    func otherScheme() async throws {
        let refused = "redirected to a URL that is not http or https, or from https to http"
        for scheme in ["ftp", "file", "gopher", "dict"] {
            #expect(try await failure(redirect(to: "\(scheme)://127.0.0.1/etc/passwd")) == refused)
        }
        let posted = try await outcome { visit in
            var request = HTTPClientRequest(url: try visit.serve { _ in redirect(to: "/elsewhere") }.url)
            request.method = .put
            request.body = [1]
            return request
        }
        #expect(posted.failure == "status 302")
    }

    @Test("keeps its passkey to itself when it is sent to another host")
    func authorization() async throws {
        let second = EventLog<String>()
        let result = try await outcome { visit in
            let other = try visit.serve { text in
                second.record(text)
                return reply("")
            }
            let server = try visit.serve { _ in redirect(to: "http://localhost:\(other.endpoint.port)/") }
            var request = HTTPClientRequest(url: server.url)
            request.headers = [("Authorization", "Bearer hidden")]
            request.family = .v4
            return request
        }
        #expect(result.failure == "status 200")
        #expect(!(try await second.next().contains("hidden")))
    }

    @Test(
        "refuses what is no URL of the web",
        arguments: [
            "", "x", "udp://127.0.0.1:1/", "file:///etc/passwd", "http://", "http://a b/", "http://a/\u{0}b",
            "http://ä/",
        ]
    )
    func badURL(url: String) async throws {
        let words = try await outcome { _ in HTTPClientRequest(url: url) }.failure
        #expect(words == "the address is not an http or https URL")
    }

    @Test("refuses a header that would be two")
    func badHeader() async throws {
        let words = try await outcome { visit in
            var request = HTTPClientRequest(url: try visit.serve { _ in reply("") }.url)
            request.headers = [("X", "a\r\nY: b")]
            return request
        }.failure
        #expect(words == "a header has characters that it may not have")
    }

    @Test("says that nobody listens, that a name is unknown, or that a host has no such address")
    func unreachable() async throws {
        let gone = try await outcome { visit in
            let server = try visit.serve { _ in .silence }
            server.close()
            return HTTPClientRequest(url: server.url)
        }
        #expect(gone.failure == "connection refused: nothing listens there")
        // RFC 6761: no name ends with `.invalid`, and no resolver asks anybody for one.
        let unknown = try await outcome { _ in HTTPClientRequest(url: "http://tracker.invalid/") }
        #expect(unknown.failure == "the name of the host is not known")
        let wrongFamily = try await outcome { _ in
            var request = HTTPClientRequest(url: "http://127.0.0.1:1/")
            request.family = .v6
            return request
        }
        #expect(wrongFamily.failure == "the host has no IPv6 address")
    }

    @Test("connects by the family it is told", arguments: [AddressFamily.v4, .v6])
    func family(family: AddressFamily) async throws {
        let result = try await outcome { visit in
            let address = family == .v4 ? IPAddress.loopbackV4 : .v6(high: 0, low: 1)
            let server = try visit.serve(at: address) { _ in reply("\(family)") }
            var request = HTTPClientRequest(url: "http://localhost:\(server.endpoint.port)/")
            request.family = family
            return request
        }
        #expect(try result.get().body == Array("\(family)".utf8))
    }
}
