import Glibc
import Primitives
import TestSupport
import Testing
import TrackerProtocol
import TrackerServer
import TrackerStore

/// What a tracker says over HTTP.
private struct Said: Hashable, Sendable {
    var status = 0
    var headers: [String: String] = [:]
    var body = ""

    /// Reads to the end of the connection.
    init(_ bytes: [UInt8]) {
        // An answer may hold any byte, so it is kept as Latin-1.
        let text = String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        let lines = parts[0].split(separator: "\r\n")
        status = lines.first.flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) } ?? 0
        for line in lines.dropFirst() {
            let words = line.split(separator: ":", maxSplits: 1)
            headers[words[0].lowercased()] = words.count > 1 ? String(words[1].dropFirst()) : ""
        }
        body = parts.count > 1 ? String(parts[1]) : ""
    }
}

@Suite("The tracker over HTTP", .timeLimit(.minutes(1)))
struct HTTPServiceTests {
    private static let hash = "info_hash=%01%02%03%04%05%06%07%08%09%0a%0b%0c%0d%0e%0f%10%11%12%13%14"
    private static let hashInHex = "0102030405060708090a0b0c0d0e0f1011121314"

    /// A tracker with nothing but memory, for one test.
    private func withTracker<Result: Sendable>(
        _ change: @Sendable (inout TrackerConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (TrackerNode, String) async throws -> Result
    ) async throws -> Result {
        var configuration = TrackerConfiguration()
        configuration.listening = .at(Endpoint(.loopbackV4, 0))
        change(&configuration)
        let node = TrackerNode(configuration)
        try await node.start()
        let address = try #require(await node.endpoints.first).description
        let result = try await withDeadline { try await body(node, address) }
        await node.stop()
        return result
    }

    private func ask(_ address: String, _ words: String) async throws -> Said {
        let log = EventLog<Result<Said, any Error>>()
        RawListener.start {
            log.record(
                Result {
                    let connection = try RawConnection.dial(address)
                    connection.send(Array(words.utf8))
                    var bytes: [UInt8] = []
                    while let byte = connection.receive(1) { bytes += byte }
                    return Said(bytes)
                }
            )
        }
        return try await log.next().get()
    }

    private func get(_ address: String, _ target: String, _ headers: String = "") async throws -> Said {
        try await ask(address, "GET \(target) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\(headers)\r\n")
    }

    private func announce(_ address: String, peer: Character, port: Int, _ more: String = "&left=0") async throws
        -> Said
    {
        let id = String(repeating: peer, count: 20)
        return try await get(address, "/announce?\(Self.hash)&peer_id=\(id)&port=\(port)\(more)")
    }

    @Test("two peers that announce find each other, and a scrape counts them")
    func announces() async throws {
        try await withTracker { _, address in
            let first = try await announce(address, peer: "a", port: 6881)
            #expect(first.status == 200)
            #expect(first.headers["content-type"] == "text/plain")
            #expect(first.headers["connection"] == "close")
            #expect(first.body.contains("5:peers0:10:tracker id"))
            let second = try await announce(address, peer: "b", port: 6882, "&left=1")
            #expect(
                second.body.hasPrefix("d8:completei1e10:downloadedi0e11:external ip4:\u{7f}\0\0\u{1}10:incompletei1e")
            )
            #expect(second.body.contains("5:peers6:\u{7f}\0\0\u{1}\u{1a}\u{e1}10:tracker id"))
            let scraped = try await get(address, "/scrape?\(Self.hash)")
            #expect(scraped.body.contains("d8:completei1e10:downloadedi0e10:incompletei1ee"))
        }
    }

    @Test(
        "a faulty announce is answered in bencode with status 200, and with nothing of what it said (N48, T11)",
        arguments: [
            ("/announce", "info_hash is missing"),
            (
                "/announce?info_hash=19%20bytes%20%20%20%20%20%20%20&x=%3Cscript%3E",
                "info_hash must be one value of 20 bytes"
            ),
            ("/announce?\(hash)&\(hash)", "info_hash must be one value of 20 bytes"),
            ("/announce?\(hash)&peer_id=aaaaaaaaaaaaaaaaaaaa&port=0", "port must be a number from 1 to 65535"),
            (
                "/announce?\(hash)&peer_id=aaaaaaaaaaaaaaaaaaaa&port=1&event=x",
                "event must be started, completed, stopped or empty"
            ),
            ("/scrape", "info_hash is missing"),
            ("/scrape?info_hash=%3Cscript%3E", "info_hash must be one value of 20 bytes"),
        ]
    )
    func failures(target: String, reason: String) async throws {
        try await withTracker { _, address in
            let said = try await get(address, target)
            #expect(said.status == 200)
            #expect(said.headers["content-type"] == "text/plain")
            #expect(said.body == "d14:failure reason\(reason.utf8.count):\(reason)e")
        }
    }

    @Test("faults of HTTP itself have their statuses, and no HTML (T9, N48)")
    func faults() async throws {
        try await withTracker { _, address in
            let long = String(repeating: "x", count: 100 << 10)
            let cases: [(String, Int)] = [
                ("GET /announce?\(long.prefix(5000)) HTTP/1.1\r\nHost: x\r\n\r\n", 414),
                ("POST /announce HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
                ("PUT /announce HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde", 413),
                ("DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
                ("GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
                ("GET /api/v1/nothing/../stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
            ]
            for (words, status) in cases {
                let said = try await ask(address, words)
                #expect(said.status == status, "\(words.prefix(40))")
                #expect(!said.body.contains("<"))
            }
            #expect(try await ask(address, "GET /announce?\(long) HTTP/1.1\r\n\r\n").status == 414)
        }
    }

    @Test("numwant is capped at 200 (N48)")
    func wanted() async throws {
        try await withTracker { node, address in
            await node.withCore { core in
                var reply = AnnounceReply()
                for number in 0..<300 {
                    let id = PeerID(UInt160(high: 7, middle: UInt64(number), low: 1))
                    guard let hash = InfoHash(hex: Self.hashInHex) else { return }
                    var request = AnnounceRequest(infoHash: hash, peerID: id, port: UInt16(2000 + number))
                    request.left = 1
                    try? core.registry.announce(request, from: .loopbackV4, at: core.now, into: &reply)
                }
            }
            let said = try await announce(address, peer: "a", port: 1, "&left=1&numwant=1000000000")
            #expect(said.body.contains("5:peers1200:"))
        }
    }

    @Test("the page is HTML without a script, and nothing else is HTML")
    func page() async throws {
        try await withTracker { _, address in
            _ = try await announce(address, peer: "a", port: 6881)
            let page = try await get(address, "/")
            #expect(page.status == 200)
            #expect(page.headers["content-type"] == "text/html; charset=utf-8")
            #expect(
                page.headers["content-security-policy"]?.hasPrefix("default-src 'none'; style-src 'sha256-") == true
            )
            #expect(page.body.contains("<dt>complete peers</dt><dd>1</dd>"))
            #expect(page.body.contains("shoal share FILE --tracker http://\(address)"))
            #expect(!page.body.contains("<script"))
            let evil = try await ask(address, "GET / HTTP/1.1\r\nHost: <b>\"x\r\nConnection: close\r\n\r\n")
            #expect(!evil.body.contains("<b>"))
        }
    }

    @Test("metrics count announces, failures and peers, and name nobody")
    func metrics() async throws {
        try await withTracker { _, address in
            _ = try await announce(address, peer: "a", port: 6881, "&left=0&event=started")
            _ = try await get(address, "/announce")
            let metrics = try await get(address, "/metrics").body
            for line in [
                "shoal_tracker_announces_total{proto=\"http\",event=\"started\"} 1",
                "shoal_tracker_failures_total{reason=\"missing_info_hash\"} 1", "shoal_tracker_swarms 1",
                "shoal_tracker_peers{kind=\"seeder\"} 1", "# TYPE shoal_tracker_peers gauge",
            ] {
                #expect(metrics.split(separator: "\n").contains(Substring(line)), "\(line)")
            }
            #expect(!metrics.contains("6881"))
            #expect(try await get(address, "/healthz").body == "ok\n")
        }
    }

    @Test("a database that hangs holds up neither announces nor metrics, and the page for two seconds at most")
    func hangingDatabase() async throws {
        try await withTracker { node, address in
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            let (reading, writing) = (ends[0], ends[1])
            await node.withCore { core in
                core.store?.perform { _ in
                    var byte: UInt8 = 0
                    _ = read(reading, &byte, 1)
                } then: { _ in
                    close(reading)
                }
            }
            #expect(try await announce(address, peer: "a", port: 6881).status == 200)
            #expect(try await get(address, "/metrics").status == 200)
            #expect(try await get(address, "/pieces?\(Self.hash)").status == 404)
            #expect(try await get(address, "/").body.contains("<dt>complete peers</dt><dd>1</dd>"))
            close(writing)
        }
    }

    @Test("peers and counts are told as JSON")
    func json() async throws {
        try await withTracker { _, address in
            _ = try await announce(address, peer: "a", port: 6881)
            let peers = try await get(address, "/api/v1/peers")
            #expect(peers.headers["content-type"] == "application/json")
            let row = """
                [{"address":"127.0.0.1:6881","client":"unknown (aaaaaaaa)","kind":"seeder",\
                "info_hash":"\(Self.hashInHex)","file":null,"silent_s":
                """
            // Silence is counted in steps of 16 s, and one may just have passed.
            #expect(peers.body.hasPrefix(row))
            #expect(try await get(address, "/api/v1/peers?info_hash=\(Self.hashInHex)").body.hasPrefix(row))
            #expect(try await get(address, "/api/v1/peers?info_hash=zz").status == 400)
            let stats = try await get(address, "/api/v1/stats").body
            #expect(stats.hasPrefix("{\"swarms\":1,\"seeders\":1,\"leechers\":0,\"announces\":1,"))
            let lost = try await get(address, "/api/v1/x").body
            #expect(lost == "{\"error\":\"not_found\",\"message\":\"There is nothing at this path.\"}")
        }
    }

    @Test("who holds which piece is told, as far as peers tell it")
    func pieces() async throws {
        try await withTracker { _, address in
            #expect(try await get(address, "/pieces?\(Self.hash)").status == 404)
            #expect(try await get(address, "/pieces").status == 400)
            // A bitfield of three pieces, of which the first is there: 2, 0x80.
            let said = try await announce(address, peer: "a", port: 6881, "&left=5&have=AoA&pieces=3")
            #expect(said.body.contains("11:shoal nodesle"))
            _ = try await announce(address, peer: "b", port: 6882, "&left=0")
            let pieces = try await get(address, "/pieces?\(Self.hash)").body
            let both = "\"127.0.0.1:6881\",\"127.0.0.1:6882\""
            #expect(
                pieces == "{\"pieces\":3,\"holders\":[[\(both)],[\"127.0.0.1:6882\"],[\"127.0.0.1:6882\"]]}"
            )
        }
    }
}
