import Cryptography
import Metainfo
import Primitives
import Testing

@Suite("MagnetLink")
struct MagnetLinkTests {
    static let hex = "0123456789abcdef0123456789abcdef01234567"
    let hash = "xt=urn:btih:\(hex)"
    /// The key of BEP 46's vectors.
    static let key = "8543d3e6115f0f98c944077a4493dcd543e49c739fd998550a1f614ab36ed63e"

    func failure(_ text: String) -> MagnetError? {
        do throws(MagnetError) {
            _ = try MagnetLink(parsing: text)
            return nil
        } catch {
            return error
        }
    }

    @Test("reads every parameter it knows and passes over the others")
    func reads() throws {
        let link = try MagnetLink(
            parsing: "magnet:?\(hash)&dn=a+b%20c%2B&xl=1234&tr=udp%3A%2F%2Ft%3A1%2Fannounce&tr=http://u&as=x&flag"
                + "&x.pe=1.2.3.4:5&x.pe=%5B::1%5D:6&x.pe=host.example:7&so=0,2,4-6&=&"
        )
        #expect(link.infoHash?.hex == MagnetLinkTests.hex)
        #expect(link.displayName == "a b c+")
        #expect(link.totalSize == 1234)
        #expect(link.trackers == ["udp://t:1/announce", "http://u"])
        #expect(link.peers.map(\.description) == ["1.2.3.4:5", "[::1]:6", "host.example:7"])
        #expect(link.peers.map { $0.endpoint == nil } == [false, false, true])
        #expect(link.selectedFiles == [0...0, 2...2, 4...6])
    }

    @Test(
        "reads the info-hash in any spelling",
        arguments: [
            "magnet:?xt=urn:btih:0123456789ABCDEF0123456789ABCDEF01234567",
            "MAGNET:?XT=URN:BTIH:0123456789abcdef0123456789abcdef01234567",
            "magnet:?xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH",
            "magnet:?xt=urn:btih:aerukz4jvpg66ajdivtytk6n54asgrlh",
            "magnet:?dn=x&xt=urn%3Abtih%3A0123456789abcdef0123456789abcdef01234567",
            "magnet:?xt.1=urn:btih:0123456789abcdef0123456789abcdef01234567",
            "magnet:?xt=urn:btmh:1220&xt=urn:btih:0123456789abcdef0123456789abcdef01234567",
            "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&xt=urn:btih:ffffffffffffffffffffffffffffffffffffffff",
        ]
    )
    func readsHash(text: String) throws {
        #expect(try MagnetLink(parsing: text).infoHash?.hex == MagnetLinkTests.hex)
    }

    @Test(
        "says what is wrong with a link",
        arguments: [
            ("", .notAMagnetLink), ("http://x", .notAMagnetLink), ("magnet:", .notAMagnetLink), ("magnet:?", .noTopic),
            ("magnet:?dn=x", .noTopic), ("magnet:?xt", .noTopic), ("magnet:?xt=", .unknownTopic("")),
            ("magnet:?xt=urn:sha1:abc", .unknownTopic("urn:sha1:abc")), ("magnet:?xt=urn:btmh:1220aa", .versionTwoOnly),
            ("magnet:?xt=urn:btih:abc", .malformedInfoHash("abc")),
            (
                "magnet:?xt=urn:btih:zzz3456789abcdef0123456789abcdef01234567",
                .malformedInfoHash("zzz3456789abcdef0123456789abcdef01234567")
            ),
            (
                "magnet:?xt=urn:btih:1ERUKZ4JVPG66AJDIVTYTK6N54ASGRLH",
                .malformedInfoHash("1ERUKZ4JVPG66AJDIVTYTK6N54ASGRLH")
            ),
            ("magnet:?xt=%00%1b", .unknownTopic("\u{fffd}\u{fffd}")),
            ("magnet:?xs=http://x", .noTopic), ("magnet:?s=6e", .noTopic),
            ("magnet:?xs=urn:btpk:8543", .malformedKey("8543")),
            ("magnet:?xs=urn:btpk:\(key)00", .malformedKey("\(key)00")),
            ("magnet:?xs=urn:btpk:\(key)&s=6", .malformedSalt), ("magnet:?xs=urn:btpk:\(key)&s=xx", .malformedSalt),
            ("magnet:?xs=urn:btpk:\(key)&s=\(String(repeating: "6e", count: 65))", .malformedSalt),
            ("magnet:?xt=urn:btih:\(hex)&xs=urn:btpk:", .malformedKey("")),
        ] as [(String, MagnetError)]
    )
    func refuses(text: String, error: MagnetError) {
        #expect(failure(text) == error)
        #expect(!error.description.isEmpty)
    }

    @Test(
        "passes over hints that make no sense",
        arguments: [
            "dn=", "xl=-1", "xl=x", "xl=1152921504606846976", "tr=", "tr=a%20b", "tr=%FF", "x.pe=a", "x.pe=a:0",
            "x.pe=a:65536", "x.pe=a:+1", "x.pe=%2F:1", "x.pe=::1:1", "x.pe=[a]:1", "so=", "so=a", "so=3-1", "so=-1",
            "so=1-2-3", "so=4294967296", "%", "%zz=%zz", "=x",
        ]
    )
    func passesOver(parameter: String) throws {
        let plain = MagnetLink(try #require(InfoHash(hex: MagnetLinkTests.hex)))
        #expect(try MagnetLink(parsing: "magnet:?\(parameter)&\(hash)") == plain)
    }

    @Test(
        "reads and prints who publishes updates (BEP 46)",
        arguments: [
            ("magnet:?xs=urn:btpk:\(key)", nil, ""),
            ("magnet:?xs=urn:btpk:\(key)&s=6e", nil, "6e"),
            ("magnet:?xt=urn:btih:\(hex)&xs=urn:btpk:\(key)&s=6e6f&dn=x", hex, "6e6f"),
        ]
    )
    func updates(text: String, infoHash: String?, salt: String) throws {
        let link = try MagnetLink(parsing: text)
        #expect(link.infoHash?.hex == infoHash)
        #expect(link.updates?.key.hex == MagnetLinkTests.key)
        #expect(link.updates.map { Hex.encode($0.salt) } == salt)
        #expect(link.description == text)
    }

    @Test(
        "reads a publisher in any spelling",
        arguments: [
            "MAGNET:?XS=URN:BTPK:\(key.uppercased())&S=6E", "magnet:?s=6e&dn=x&xs=urn%3Abtpk%3A\(key)",
            "magnet:?xs.1=urn:btpk:\(key)&s.1=6e", "magnet:?xs=http://x/y.torrent&xs=urn:btpk:\(key)&s=6e",
            "magnet:?xt=urn:btmh:1220aa&xs=urn:btpk:\(key)&s=6e",
            "magnet:?xs=urn:btpk:\(key)&xs=urn:btpk:\(String(repeating: "0", count: 64))&s=6e",
        ]
    )
    func readsUpdates(text: String) throws {
        let link = try MagnetLink(parsing: text)
        #expect(link.infoHash == nil)
        #expect(link.updates?.key.hex == MagnetLinkTests.key)
        #expect(link.updates?.salt == Array("n".utf8))
    }

    @Test("keeps 100 trackers, 100 peers and 1000 selections, and refuses links above 64 KiB")
    func limits() throws {
        let hints = String(repeating: "&tr=a", count: 101) + String(repeating: "&x.pe=a:1", count: 101)
        let link = try MagnetLink(parsing: "magnet:?\(hash)\(hints)&so=\(String(repeating: "1,", count: 1001))")
        #expect(link.trackers.count == 100 && link.peers.count == 100 && link.selectedFiles.count == 1000)
        let long = "magnet:?\(hash)&dn=" + String(repeating: "x", count: 64 << 10)
        #expect(failure(long) == .longerThan(65536))
    }

    @Test("makes the name fit for a terminal")
    func cleansName() throws {
        #expect(
            try MagnetLink(parsing: "magnet:?\(hash)&dn=%1b[31m%E2%80%AE%FF").displayName
                == "\u{fffd}[31m\u{fffd}\u{fffd}"
        )
    }

    @Test("prints a link that reads back as the same value")
    func prints() throws {
        var link = MagnetLink(try #require(InfoHash(hex: MagnetLinkTests.hex)))
        #expect(link.description == "magnet:?\(hash)")
        link.displayName = "a b&c=d+é"
        link.totalSize = 5
        link.trackers = ["http://t/announce?key=1&x"]
        link.peers = [try #require(HostAndPort("[::1]:6")), try #require(HostAndPort("h:7"))]
        link.selectedFiles = [1...1, 3...5]
        #expect(
            link.description == "magnet:?\(hash)&dn=a%20b%26c%3Dd%2B%C3%A9&xl=5"
                + "&tr=http%3A%2F%2Ft%2Fannounce%3Fkey%3D1%26x&x.pe=[::1]:6&x.pe=h:7&so=1,3-5"
        )
        #expect(try MagnetLink(parsing: link.description) == link)
    }

    @Test("survives any mutation of a link", arguments: 0..<64 as Range<UInt64>)
    func survivesMutation(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let hints = "dn=a+b%20c&xl=1&tr=a&x.pe=1.2.3.4:5&so=0,2-3"
        var bytes = Array("magnet:?\(hash)&\(hints)&xs=urn:btpk:\(MagnetLinkTests.key)&s=6e".utf8)
        for _ in 0..<3 { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(random.next() % 256) }
        let link = try? MagnetLink(parsing: String(decoding: bytes, as: UTF8.self))
        if let link { #expect((try? MagnetLink(parsing: link.description)) == link) }
    }
}

@Suite("InfoHash as text")
struct InfoHashTextTests {
    @Test("reads 40 hexadecimal digits or 32 in base 32, and nothing else")
    func reads() {
        let expected = InfoHash(hex: MagnetLinkTests.hex)
        #expect(InfoHash(text: MagnetLinkTests.hex.uppercased()) == expected)
        #expect(InfoHash(text: "AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH") == expected)
        #expect(InfoHash(text: "") == nil)
        #expect(InfoHash(text: String(repeating: "g", count: 40)) == nil)
        #expect(InfoHash(text: String(repeating: "0", count: 32)) == nil)
        #expect(InfoHash(text: String(repeating: "0", count: 39)) == nil)
    }
}
