import Primitives
import Testing

@testable import TrackerProtocol

@Suite("What trackers answer over HTTP")
struct TrackerAnswerTests {
    private func answer(_ text: String) throws(AnnounceFailure) -> TrackerAnswer {
        try answer(Array(text.utf8))
    }

    private func answer(_ bytes: [UInt8]) throws(AnnounceFailure) -> TrackerAnswer {
        try TrackerAnswer(http: bytes.span.bytes)
    }

    private func failure(_ text: String) -> AnnounceFailure? {
        do throws(AnnounceFailure) {
            _ = try answer(text)
            return nil
        } catch {
            return error
        }
    }

    @Test("compact peers of both families (BEP 23, BEP 7), our address (BEP 24), and all the rest")
    func compact() throws {
        var bytes = Array("d8:completei5e11:external ip4:".utf8) + [192, 0, 2, 9]
        bytes += Array("10:incompletei7e8:intervali1800e12:min intervali900e5:peers12:".utf8)
        bytes += [192, 0, 2, 1, 0x1a, 0xe1, 192, 0, 2, 2, 0, 0]
        bytes += Array("6:peers618:".utf8) + [0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 11) + [1, 0x1a, 0xe1]
        bytes += Array("10:tracker id2:ab15:warning message3:olde".utf8)
        let answer = try answer(bytes)
        #expect(answer.seeders == 5 && answer.leechers == 7)
        #expect(answer.interval == 1800 && answer.minInterval == 900)
        #expect(answer.externalAddress == IPAddress("192.0.2.9"))
        #expect(answer.peers.map(\.description) == ["192.0.2.1:6881", "[2001:db8::1]:6881"])
        #expect(answer.trackerID == Array("ab".utf8) && answer.warning == "old")
        #expect(answer.nodes == nil)
    }

    @Test("peers as dictionaries (BEP 3); one that is no address is left")
    func dictionaries() throws {
        let text =
            "d8:intervali60e5:peersld2:ip9:192.0.2.74:porti80eed2:ip4:host4:porti80eed2:ip3:::14:porti99999eei3eee"
        #expect(try answer(text).peers.map(\.description) == ["192.0.2.7:80"])
    }

    @Test("a refusal, and when to come back (BEP 31)")
    func refusals() {
        #expect(failure("d14:failure reason4:nopee") == .refused("nope", retry: nil))
        #expect(failure("d14:failure reason4:nope8:retry ini5ee") == .refused("nope", retry: .after(minutes: 5)))
        #expect(failure("d14:failure reason4:nope8:retry in2:15e") == .refused("nope", retry: .after(minutes: 15)))
        #expect(failure("d14:failure reason4:nope8:retry in5:nevere") == .refused("nope", retry: .never))
        #expect(failure("d14:failure reason4:nope8:retry ini-5ee") == .refused("nope", retry: nil))
        #expect(failure("d14:failure reason6:\u{1b}[31m\u{7}e")?.description.contains("\u{1b}") == false)
    }

    @Test("a refusal counts however broken the rest is, as trackers in the wild send it")
    func brokenRefusal() {
        #expect(failure("d14:failure reason4:nope8:retry in") == .refused("nope", retry: nil))
        #expect(failure("d14:failure reason99:nopee") == .malformed)
    }

    @Test(
        "what is no answer",
        arguments: ["", "<html>", "i1e", "le", "d8:intervali60e", "d5:peers99:e", "d8:interval"]
    )
    func malformed(text: String) {
        #expect(failure(text) == .malformed)
    }

    @Test("no more peers and nodes are taken than anybody uses")
    func limits() throws {
        let peer: [UInt8] = [192, 0, 2, 1, 0x1a, 0xe1]
        let many = Array("d5:peers6000:".utf8) + Array(repeating: peer, count: 1000).flatMap { $0 } + Array("e".utf8)
        #expect(try answer(many).peers.count == TrackerAnswer.mostPeers)
        let nodes = "d11:shoal nodesl" + String(repeating: "8:http://a", count: 100) + "ee"
        #expect(try answer(nodes).nodes?.count == TrackerAnswer.mostNodes)
    }

    @Test("a scrape is read for the one torrent that was asked for (BEP 48)")
    func scrape() throws {
        let name = String(repeating: "a", count: 20)
        let infoHash = try #require(InfoHash(Array(name.utf8)))
        let other = "20:bbbbbbbbbbbbbbbbbbbbd8:completei9ee"
        let text = "d5:filesd20:\(name)d8:completei1e10:downloadedi3e10:incompletei2ee\(other)ee"
        let count = try TrackerCount(http: Array(text.utf8).span.bytes, of: infoHash)
        #expect(count == TrackerCount(seeders: 1, leechers: 2, completed: 3))
        #expect(throws: AnnounceFailure.refused("it does not know this torrent", retry: nil)) {
            try TrackerCount(http: Array("d5:filesdee".utf8).span.bytes, of: infoHash)
        }
    }

    @Test("an announce as a URL says what BEP 3 wants, every byte of a hash escaped")
    func url() throws {
        let bytes = (1...20).map { UInt8($0) }
        let value = try #require(InfoHash(bytes)).value
        var request = AnnounceRequest(infoHash: InfoHash(value), peerID: PeerID(value), port: 6881)
        (request.uploaded, request.downloaded, request.left) = (1, 2, 3)
        (request.event, request.key, request.wanted) = (.started, 0xabc, 50)
        var query = AnnounceURL(request)
        query.trackerID = [0x26]
        query.pieceCount = 8
        query.haveBlob = [0xfb]
        let hash = "%01%02%03%04%05%06%07%08%09%0a%0b%0c%0d%0e%0f%10%11%12%13%14"
        #expect(
            query.text(at: try #require(TrackerURL("http://t.example/announce?k=1")))
                == "http://t.example/announce?k=1&info_hash=\(hash)&peer_id=\(hash)&port=6881&uploaded=1&downloaded=2&left=3"
                + "&compact=1&event=started&key=abc&numwant=50&trackerid=%26&pieces=8&have=-w"
        )
        #expect(
            AnnounceURL.scrapeURL(of: InfoHash(value), at: try #require(TrackerURL("http://t.example")))
                == "http://t.example/scrape?info_hash=\(hash)"
        )
    }
}
