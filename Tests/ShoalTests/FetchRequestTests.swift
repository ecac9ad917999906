import Primitives
import Testing

@testable import Shoal

@Suite("Fetch request")
struct FetchRequestTests {
    private static let hex = "0123456789abcdef0123456789abcdef01234567"

    @Test("an info-hash comes in hexadecimal in either case or in base32")
    func infoHash() throws {
        let expected = try FetchRequest(.infoHash(FetchRequestTests.hex)).infoHash
        #expect(expected.hex == FetchRequestTests.hex)
        #expect(try FetchRequest(.infoHash(FetchRequestTests.hex.uppercased())).infoHash == expected)
        #expect(try FetchRequest(.infoHash("AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH")).infoHash == expected)
    }

    @Test("a magnet link brings peers and file numbers with it")
    func magnet() throws {
        let link = "magnet:?xt=urn:btih:\(FetchRequestTests.hex)&x.pe=127.0.0.1:99&x.pe=example.org:7&so=0,2-4"
        let request = try FetchRequest(.magnet(link))
        #expect(request.infoHash.hex == FetchRequestTests.hex)
        #expect(request.peers == ["127.0.0.1:99", "example.org:7"])
        #expect(request.selectedFiles == [0...0, 2...4])
        #expect(request.torrent == nil)
    }

    @Test(
        "what is neither is a wrong usage",
        arguments: [
            .infoHash(""), .infoHash("0123"), .infoHash(String(repeating: "g", count: 40)), .magnet("magnet:?dn=x"),
            .magnet("http://x"), .magnet(""),
        ] as [FetchSource]
    )
    func wrong(source: FetchSource) throws {
        let error = try #require(throws: ShoalError.self) { try FetchRequest(source) }
        #expect(error.code == .usage)
    }

    @Test("a corrupt .torrent is wrong data", arguments: [[], Array("d4:infod".utf8), Array("le".utf8)] as [[UInt8]])
    func corrupt(bytes: [UInt8]) throws {
        let error = try #require(throws: ShoalError.self) { try FetchRequest(.torrent(bytes)) }
        #expect(error.code == .badData)
    }
}
