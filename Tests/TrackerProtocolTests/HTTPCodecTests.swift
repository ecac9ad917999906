import Availability
import Primitives
import Testing

@testable import TrackerProtocol

@Suite("Announces and scrapes over HTTP")
struct HTTPCodecTests {
    private static let hash = "%07" + String(repeating: "a", count: 18) + "%fF"
    private static let usual = "info_hash=\(hash)&peer_id=-SH0100-abcdefghijkl&port=6881"

    private static let peer = "&peer_id=-SH0100-abcdefghijkl&port=1"

    private static let wrong: [(String, TrackerFailure)] = {
        var all: [(String, TrackerFailure)] = [("", .missingInfoHash), (peer, .missingInfoHash)]
        all.append(("info_hash=\(hash)&port=1", .missingPeerID))
        all.append(("info_hash=\(hash)&peer_id=-SH0100-abcdefghijkl", .badPort))
        let cut: [Substring] = [hash.dropFirst(3), "a\(hash)", "", hash.dropLast(1), "\(hash.dropLast(3))%zz"]
        for hash in cut { all.append(("info_hash=\(hash)" + peer, .badInfoHash)) }
        all.append((usual + "&info_hash=\(hash)", .badInfoHash))
        all.append((usual + peer, .badPeerID))
        all.append((usual.replacing("abcdefghijkl", with: "abc"), .badPeerID))
        for port in ["0", "65536", "-1", "", "1e3"] {
            all.append((usual.replacing("6881", with: port), .badPort))
        }
        for number in ["left=-1", "uploaded=1x", "downloaded=", "numwant=many", "numwant=--1", "numwant=-"] {
            all.append((usual + "&" + number, .badNumber))
        }
        for event in ["paused", "Started", "%00"] { all.append((usual + "&event=" + event, .unknownEvent)) }
        let long = String(repeating: "A", count: 900)
        for have in ["AQ", "AQ&pieces=0", "AQ&pieces=2097153", "A&pieces=5", "CQ&pieces=5", long + "&pieces=5"] {
            all.append((usual + "&have=" + have, .badHave))
        }
        return all
    }()

    private static func read(_ query: String) throws(TrackerFailure) -> AnnounceQuery {
        let bytes = Array(query.utf8)
        return try AnnounceQuery(bytes.span.bytes)
    }

    /// Why a query is refused.
    private static func failure(_ query: String) -> TrackerFailure? {
        do throws(TrackerFailure) {
            _ = try read(query)
            return nil
        } catch {
            return error
        }
    }

    @Test("a query is read as BEP 3 has it, whatever order and whatever else it has")
    func query() throws {
        let query = try HTTPCodecTests.read(
            "x=1&&=&port=1&ip=9.9.9.9&ipv6=%5B::1%5D&\(HTTPCodecTests.usual.dropLast(10))&left=7&uploaded=8&downloaded=9"
                + "&event=completed&numwant=10&key=1f&compact=0&no_peer_id=1&trackerid=abc&port=65535"
        )
        #expect(query.request.infoHash.bytes == [7] + [UInt8](repeating: UInt8(ascii: "a"), count: 18) + [255])
        #expect(query.request.peerID.bytes == Array("-SH0100-abcdefghijkl".utf8))
        #expect(query.request.port == 65535)
        #expect(query.request.left == 7)
        #expect(query.request.uploaded == 8)
        #expect(query.request.downloaded == 9)
        #expect(query.request.event == .completed)
        #expect(query.request.wanted == 10)
        #expect(query.request.key == 0x1f)
        #expect(!query.isCompact)
        #expect(query.omitsPeerIDs)
    }

    @Test("what a query does not say is left open")
    func defaults() throws {
        let query = try HTTPCodecTests.read(HTTPCodecTests.usual)
        #expect(query.request.left == nil)
        #expect(query.request.event == .interval)
        #expect(query.request.wanted == nil)
        #expect(query.request.key == nil)
        #expect(query.isCompact)
        #expect(query.holding == nil)
        #expect(try HTTPCodecTests.read(HTTPCodecTests.usual + "&numwant=-1").request.wanted == nil)
        #expect(try HTTPCodecTests.read(HTTPCodecTests.usual + "&event=").request.event == .interval)
        // Any text is a key, and none is the one that stands for none.
        #expect(try HTTPCodecTests.read(HTTPCodecTests.usual + "&key=0").request.key == 1)
        #expect(try HTTPCodecTests.read(HTTPCodecTests.usual + "&key=xyzzy").request.key != nil)
    }

    @Test(
        "what is missing, twice or wrong has a reason of its own (T10, N48)",
        arguments: wrong
    )
    func faults(query: String, failure: TrackerFailure) {
        #expect(HTTPCodecTests.failure(query) == failure)
    }

    @Test("numbers that are too large are as large as can be, and 10^9 wanted peers are 200 (N48, T6)")
    func largeNumbers() throws {
        let huge = String(repeating: "9", count: 1000)
        let query = try HTTPCodecTests.read(HTTPCodecTests.usual + "&left=\(huge)&uploaded=\(huge)&numwant=1000000000")
        #expect(query.request.left == .max)
        #expect(query.request.uploaded == .max)
        var tracker = TrackerDialogue()
        for number in 0..<250 {
            tracker.announce(
                TrackerDialogue.request(peer: UInt32(number)).with(query.request.infoHash),
                from: "1.1.2.\(number)"
            )
        }
        #expect(tracker.announce(query.request, from: "9.9.9.9")?.count == 200)
        #expect(try HTTPCodecTests.read(HTTPCodecTests.usual + "&numwant=\(huge)").request.wanted == .max)
    }

    @Test("a peer of our kind tells of its pieces")
    func holding() throws {
        let query = try HTTPCodecTests.read(HTTPCodecTests.usual + "&have=AQ&pieces=5")
        #expect(query.holding?.claims == .all(pieceCount: 5))
        #expect(query.details == .downloaded)
    }

    @Test("an answer is canonical bencode, compact or not")
    func answers() throws {
        var tracker = TrackerDialogue()
        tracker.announce(.completed, from: "1.1.1.1", peer: 1, left: 0)
        tracker.announce(from: "2.2.2.2", peer: 2)
        var additions = HTTPAnswer.Additions(externalAddress: try #require(IPAddress("65.66.67.68")))
        let peerID = [UInt8](repeating: 0, count: 7) + [9] + [UInt8](repeating: 0, count: 7) + [9, 0, 0, 0, 1]
        let head =
            "d8:completei1e10:downloadedi1e11:external ip4:ABCD10:incompletei1e8:intervali225e12:min intervali225e5:peers"
        #expect(
            HTTPCodecTests.written(tracker.reply, isCompact: true, additions)
                == Array((head + "6:").utf8) + [1, 1, 1, 1, 0x1a, 0xe1] + Array("e".utf8)
        )
        #expect(
            HTTPCodecTests.written(tracker.reply, isCompact: false, additions)
                == Array((head + "ld2:ip7:1.1.1.17:peer id20:").utf8) + peerID + Array("4:porti6881eeee".utf8)
        )
        tracker.announce(from: "2001:db8::1", peer: 3)
        tracker.announce(from: "2001:db8:1::1", peer: 4)
        additions.trackerID = "0123"
        additions.nodes = ["http://a/announce"]
        additions.externalAddress = try #require(IPAddress("4142:4344:4546:4748:494a:4b4c:4d4e:4f50"))
        #expect(
            HTTPCodecTests.written(tracker.reply, isCompact: true, additions)
                == Array(
                    """
                    d8:completei0e10:downloadedi1e11:external ip16:ABCDEFGHIJKLMNOP10:incompletei2e8:intervali225e\
                    12:min intervali225e5:peers0:6:peers618:
                    """.utf8
                ) + [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x1a, 0xe1]
                + Array("11:shoal nodesl17:http://a/announcee10:tracker id4:0123e".utf8)
        )
    }

    private static func written(
        _ reply: AnnounceReply,
        isCompact: Bool,
        _ additions: HTTPAnswer.Additions
    ) -> [UInt8] {
        var writer = ByteWriter()
        HTTPAnswer.announce(reply, isCompact: isCompact, additions, to: &writer)
        return writer.bytes
    }

    @Test("our own client reads what we answer", arguments: [true, false])
    func roundTrip(isCompact: Bool) throws {
        var tracker = TrackerDialogue()
        for number in 1...60 { tracker.announce(from: "1.1.1.\(number)", peer: UInt32(number), left: 0) }
        tracker.announce(from: "9.9.9.9", peer: 99, wanted: 60)
        var additions = HTTPAnswer.Additions(externalAddress: try #require(IPAddress("9.9.9.9")))
        additions.nodes = []
        let bytes = HTTPCodecTests.written(tracker.reply, isCompact: isCompact, additions)
        let answer = try TrackerAnswer(http: bytes.span.bytes)
        #expect(answer.peers.map(\.description).sorted() == tracker.peers)
        #expect(answer.peers.count == 60)
        #expect(answer.seeders == 60)
        #expect(answer.leechers == 1)
        #expect(answer.externalAddress == IPAddress("9.9.9.9"))
        #expect(answer.nodes == [])
    }

    @Test("a failure is a failure reason in words of ours, with a time to come back where there is one (T11)")
    func failures() {
        func written(_ failure: TrackerFailure) -> String {
            var writer = ByteWriter()
            HTTPAnswer.failure(failure, to: &writer)
            return String(decoding: writer.bytes, as: UTF8.self)
        }
        #expect(written(.missingPeerID) == "d14:failure reason18:peer_id is missinge")
        #expect(written(.tooManyPeers).hasSuffix("8:retry ini30ee"))
        #expect(written(.denied).hasSuffix("8:retry in5:nevere"))
        for failure in TrackerFailure.allCases {
            let bytes = Array(written(failure).utf8)
            let reason = #expect(throws: AnnounceFailure.self) { _ = try TrackerAnswer(http: bytes.span.bytes) }
            guard case .refused(let text, _) = reason else {
                Issue.record("\(failure) is not read as a refusal")
                continue
            }
            #expect(text == "\(failure.text)")
        }
    }

    @Test("a scrape names its torrents once, ascending, and only those that were asked for (T6, T10)")
    func scrapes() throws {
        func read(_ query: String) throws(TrackerFailure) -> ScrapeQuery {
            let bytes = Array(query.utf8)
            return try ScrapeQuery(bytes.span.bytes)
        }
        var tracker = TrackerDialogue()
        let low = String(repeating: "%00", count: 20)
        let high = String(repeating: "a", count: 20)
        let infoHash = try #require(InfoHash(Array(high.utf8)))
        tracker.announce(TrackerDialogue.request(.completed, left: 0).with(infoHash), from: "1.1.1.1")
        let query = try read("info_hash=\(high)&x=y&info_hash=\(low)&info_hash=\(high)")
        var writer = ByteWriter()
        HTTPAnswer.scrape(query, .v4, tracker.registry, to: &writer)
        #expect(
            writer.bytes
                == Array("d5:filesd20:".utf8) + [UInt8](repeating: 0, count: 20)
                + Array("d8:completei0e10:downloadedi0e10:incompletei0ee20:\(high)".utf8)
                + Array("d8:completei1e10:downloadedi1e10:incompletei0eee5:flagsd20:min_request_intervali900eee".utf8)
        )
        #expect(throws: TrackerFailure.missingInfoHash) { try read("") }
        #expect(throws: TrackerFailure.badInfoHash) { try read("info_hash=\(high)a") }
        let many = (0..<129).map { "info_hash=\(high.dropLast(2))%\($0 < 16 ? "0" : "")\(String($0, radix: 16))b" }
        #expect(throws: TrackerFailure.tooManyTorrents) { try read(many.joined(separator: "&")) }
        #expect(try read(many.dropLast().joined(separator: "&")).infoHashes.count == 128)
    }

    @Test("any bytes are survived", arguments: [1, 2, 3])
    func noise(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let words = [
            "info_hash", "peer_id", "=", "&", "%", "%4", "%41", "port", "left", "-", "9", "\u{0}", "have", "é",
        ]
        for _ in 0..<3000 {
            let query = (0..<12).map { _ in words[random.below(words.count)] }.joined()
            _ = HTTPCodecTests.failure(query)
            let bytes = Array(query.utf8)
            _ = try? ScrapeQuery(bytes.span.bytes)
        }
    }
}

extension AnnounceRequest {
    fileprivate func with(_ infoHash: InfoHash) -> AnnounceRequest {
        var request = self
        request.infoHash = infoHash
        return request
    }
}
