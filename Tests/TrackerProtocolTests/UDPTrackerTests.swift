import Cryptography
import Primitives
import Testing

@testable import TrackerProtocol

/// A client of BEP 15 byte by byte, and a tracker.
struct UDPDialogue: ~Copyable {
    var tracker = UDPTracker(seed: 7)
    var registry: Registry
    var admission = Admission()
    var now = Instant.zero
    private var answer = ByteWriter()

    init(seed: UInt64 = 1) {
        registry = Registry(seed: seed, now: .zero)
    }

    mutating func ask(_ datagram: [UInt8], from sender: String = "1.1.1.1:6881") -> [UInt8] {
        guard let sender = Endpoint(sender) else { return [] }
        tracker.received(datagram.span.bytes, from: sender, &registry, admission, at: now, into: &answer)
        return answer.bytes
    }

    mutating func connect(from sender: String = "1.1.1.1:6881") -> [UInt8] {
        Array(ask(UDPDialogue.hello, from: sender).dropFirst(8))
    }

    static let hello: [UInt8] = [0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80, 0, 0, 0, 0, 1, 2, 3, 4]
    static let transaction: [UInt8] = [5, 6, 7, 8]

    static func announce(
        _ connection: [UInt8],
        event: UInt32 = 2,
        torrent: UInt32 = 1,
        peer: UInt32 = 1,
        port: UInt16 = 6881,
        left: UInt64 = 1,
        wanted: Int32 = -1,
        key: UInt32 = 0,
        options: [UInt8] = []
    ) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(connection)
        writer.bigEndian(UInt32(1))
        writer.append(transaction)
        writer.append(TrackerDialogue.torrent(torrent).bytes)
        writer.append(TrackerDialogue.peer(peer).bytes)
        writer.bigEndian(UInt64(0))
        writer.bigEndian(left)
        writer.bigEndian(UInt64(0))
        writer.bigEndian(event)
        // An address to be listed at, which is passed over.
        writer.bigEndian(UInt32(0x0102_0304))
        writer.bigEndian(key)
        writer.bigEndian(UInt32(bitPattern: wanted))
        writer.bigEndian(port)
        writer.append(options)
        return writer.bytes
    }

    static func scrape(_ connection: [UInt8], _ torrents: [UInt32]) -> [UInt8] {
        connection + [0, 0, 0, 2] + transaction + torrents.flatMap { TrackerDialogue.torrent($0).bytes }
    }
}

@Suite("Announces over UDP")
struct UDPTrackerTests {
    private static func error(_ text: String) -> [UInt8] { [0, 0, 0, 3] + UDPDialogue.transaction + Array(text.utf8) }

    @Test("connect, announce, scrape: the answers of BEP 15, to the byte")
    func exchange() {
        var dialogue = UDPDialogue()
        let answer = dialogue.ask(UDPDialogue.hello)
        #expect(answer.count == 16)
        #expect(answer.prefix(8) == [0, 0, 0, 0, 1, 2, 3, 4])
        let first = Array(answer.suffix(8))
        #expect(
            dialogue.ask(UDPDialogue.announce(first)) == [0, 0, 0, 1] + UDPDialogue.transaction
                + [0, 0, 0, 225, 0, 0, 0, 1, 0, 0, 0, 0]
        )
        let second = dialogue.connect(from: "2.2.2.2:9")
        #expect(
            dialogue.ask(UDPDialogue.announce(second, peer: 2, port: 0x1234, left: 0), from: "2.2.2.2:9")
                == [0, 0, 0, 1] + UDPDialogue.transaction
                + [0, 0, 0, 225, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 0x1a, 0xe1]
        )
        #expect(
            dialogue.ask(UDPDialogue.scrape(first, [1, 2])) == [0, 0, 0, 2] + UDPDialogue.transaction
                + [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 12)
        )
    }

    @Test("a connection identifier is good for 60 seconds at least and 120 at most (T1)", arguments: [0, 1, 30, 59])
    func lifetime(second: Int64) {
        var dialogue = UDPDialogue()
        dialogue.now = .zero + .seconds(600 + second)
        let connection = dialogue.connect()
        #expect(connection[0] == 0x80 | 10)
        dialogue.now = .zero + .seconds(660 + second)
        #expect(!dialogue.ask(UDPDialogue.announce(connection)).isEmpty)
        dialogue.now = .zero + .seconds(720 + second)
        #expect(dialogue.ask(UDPDialogue.announce(connection)).isEmpty)
        // The same minute of the counter, 128 minutes later.
        dialogue.now = .zero + .seconds(600 + 128 * 60)
        #expect(dialogue.ask(UDPDialogue.announce(connection)).isEmpty)
    }

    @Test("an identifier is a keyed hash of minute and address: another key, another identifier (T1)")
    func keys() throws {
        let address = try #require(IPAddress("1.1.1.1"))
        var identifiers: Set<UInt64> = []
        for seed in 0..<100 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            identifiers.insert(ConnectionIDs(using: &random).identifier(for: address, at: .zero))
        }
        #expect(identifiers.count == 100)
        // Bit by bit, nothing else is accepted.
        var random = SeededRandom(seed: 1)
        let ids = ConnectionIDs(using: &random)
        let own = ids.identifier(for: address, at: .zero)
        #expect(ids.accepts(own, from: address, at: .zero))
        #expect((0..<64).allSatisfy { !ids.accepts(own ^ 1 << $0, from: address, at: .zero) })
    }

    @Test("no identifier looks like a message of the DHT or of uTP (T2)", arguments: [0, 60, 127 * 60, 128 * 60])
    func topBit(second: Int64) {
        var dialogue = UDPDialogue()
        dialogue.now = .zero + .seconds(second)
        #expect(dialogue.connect()[0] >= 0x80)
    }

    @Test("random, old and foreign identifiers have no answer and change nothing (T3, N47)", arguments: [1, 2, 3])
    func foreign(seed: UInt64) {
        var dialogue = UDPDialogue()
        var random = SeededRandom(seed: seed)
        dialogue.now = .zero + .seconds(1000)
        let connection = dialogue.connect()
        #expect(!dialogue.ask(UDPDialogue.announce(connection)).isEmpty)
        for _ in 0..<100 {
            let guess = (0..<8).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(dialogue.ask(UDPDialogue.announce(guess, event: 3)).isEmpty)
        }
        #expect(dialogue.ask(UDPDialogue.announce(connection, event: 3), from: "1.1.1.2:6881").isEmpty)
        #expect(dialogue.ask(UDPDialogue.scrape(connection, [1]), from: "[2001:db8::1]:6881").isEmpty)
        dialogue.now = .zero + .seconds(1180)
        #expect(dialogue.ask(UDPDialogue.announce(connection, event: 3)).isEmpty)
        #expect(dialogue.registry.peerCount == 1)
        #expect(dialogue.registry.counters.ignored == 103)
    }

    @Test("who has proven no address gets no more than he sent (T4)", arguments: 0...120)
    func amplification(length: Int) {
        var dialogue = UDPDialogue()
        let hello = Array((UDPDialogue.hello + [UInt8](repeating: 1, count: 120)).prefix(length))
        #expect(dialogue.ask(hello).count == (length < 16 ? 0 : 16))
        let announce = Array(UDPDialogue.announce([UInt8](repeating: 0x80, count: 8)).prefix(length))
        #expect(dialogue.ask(announce).isEmpty)
    }

    @Test("an announce has 98 bytes at least, an event from 0 to 3 and a port; its address is passed over (T5)")
    func fields() {
        var dialogue = UDPDialogue()
        let connection = dialogue.connect()
        let whole = UDPDialogue.announce(connection)
        for length in 16..<98 {
            #expect(
                dialogue.ask(Array(whole.prefix(length))) == UDPTrackerTests.error("the request cannot be read")
            )
        }
        #expect(
            dialogue.ask(UDPDialogue.announce(connection, event: 4))
                == UDPTrackerTests.error("event must be started, completed, stopped or empty")
        )
        #expect(
            dialogue.ask(UDPDialogue.announce(connection, port: 0))
                == UDPTrackerTests.error("port must be a number from 1 to 65535")
        )
        #expect(dialogue.registry.peerCount == 0)
        #expect(dialogue.ask(whole).count == 20)
        let listed = dialogue.registry.peers(of: TrackerDialogue.torrent(1), atMost: 9)
        #expect(listed.map(\.endpoint.description) == ["1.1.1.1:6881"])
        // Another action than the four of BEP 15.
        #expect(
            dialogue.ask(connection + [0, 0, 0, 9] + UDPDialogue.transaction)
                == UDPTrackerTests.error("the request cannot be read")
        )
        #expect(dialogue.registry.counters.failures(.badRequest) == 83)
    }

    @Test("an answer has at most 200 peers of IPv4 and 67 of IPv6, and 1232 bytes (T6)")
    func lengths() {
        var dialogue = UDPDialogue()
        for number in 0..<250 {
            for sender in ["1.1.2.\(number):1", "[2001:db8:0:\(number)::1]:1"] {
                let connection = dialogue.connect(from: sender)
                let asked = UDPDialogue.announce(connection, peer: UInt32(number), wanted: 0)
                #expect(dialogue.ask(asked, from: sender).count == 20)
            }
        }
        let v4 = UDPDialogue.announce(dialogue.connect(), wanted: .max)
        #expect(dialogue.ask(v4).count == 20 + 200 * 6)
        let v6 = UDPDialogue.announce(dialogue.connect(from: "[2001:db8::1]:1"), wanted: .max)
        #expect(dialogue.ask(v6, from: "[2001:db8::1]:1").count == 20 + 67 * 18)
        let usual = UDPDialogue.announce(dialogue.connect())
        #expect(dialogue.ask(usual).count == 20 + 50 * 6)
    }

    @Test("a scrape has at most 74 torrents (T6)")
    func scrapes() {
        var dialogue = UDPDialogue()
        let connection = dialogue.connect()
        #expect(dialogue.ask(UDPDialogue.scrape(connection, Array(1...74))).count == 8 + 74 * 12)
        #expect(
            dialogue.ask(UDPDialogue.scrape(connection, Array(1...75)))
                == UDPTrackerTests.error("too many torrents at once")
        )
        #expect(dialogue.ask(UDPDialogue.scrape(connection, [])) == UDPTrackerTests.error("info_hash is missing"))
    }

    @Test("with accounts an announce brings its passkey along (BEP 41), in one part or several")
    func passkeys() {
        var dialogue = UDPDialogue()
        var passkeys = Passkeys()
        let passkey = Array("0123456789abcdef0123456789abcdef01234567".utf8)
        let digest = Passkeys.digest(of: passkey.span.bytes)
        if let digest { passkeys.set(Passkeys.Owner(account: "ann", expires: .zero + .seconds(50)), for: digest) }
        dialogue.admission.passkeys = passkeys
        let connection = dialogue.connect()
        func options(_ path: [UInt8]) -> [UInt8] { [2, UInt8(path.count)] + path }
        let missing = UDPTrackerTests.error(
            "this tracker is for accounts: announce to the URL with your passkey (shoal user login)"
        )
        let unknown = UDPTrackerTests.error("unknown passkey: log in again (shoal user login)")
        let path = Array("/announce/".utf8) + passkey
        #expect(dialogue.ask(UDPDialogue.announce(connection)) == missing)
        #expect(dialogue.ask(UDPDialogue.announce(connection, options: options(Array("/announce".utf8)))) == missing)
        #expect(dialogue.ask(UDPDialogue.announce(connection, options: options(path.dropLast() + [48]))) == unknown)
        #expect(dialogue.ask(UDPDialogue.announce(connection, options: options(path))).count == 20)
        let parts = [1, 1] + options(Array(path.prefix(17))) + [1] + options(Array(path.dropFirst(17))) + [0, 9, 9]
        #expect(dialogue.ask(UDPDialogue.announce(connection, options: parts)).count == 20)
        // An option that goes beyond the datagram counts for nothing.
        #expect(dialogue.ask(UDPDialogue.announce(connection, options: [2, 255] + path)) == missing)
        #expect(dialogue.ask(UDPDialogue.scrape(connection, [1])) == missing)
        dialogue.now = .zero + .seconds(51)
        #expect(dialogue.ask(UDPDialogue.announce(connection, options: options(path))) == unknown)
        #expect(dialogue.registry.counters.failures(.missingPasskey) == 4)
    }

    @Test("a list says whom the tracker serves, and is replaced as a whole (T12)")
    func lists() {
        var dialogue = UDPDialogue()
        let connection = dialogue.connect()
        dialogue.admission.torrents = .only([TrackerDialogue.torrent(1)])
        #expect(dialogue.ask(UDPDialogue.announce(connection, torrent: 1)).count == 20)
        let notListed = UDPTrackerTests.error("this tracker does not serve this torrent: it is not on its list")
        #expect(dialogue.ask(UDPDialogue.announce(connection, torrent: 2)) == notListed)
        dialogue.admission.torrents = .allBut([TrackerDialogue.torrent(1)])
        let denied = UDPTrackerTests.error("this tracker does not serve this torrent")
        #expect(dialogue.ask(UDPDialogue.announce(connection, torrent: 1)) == denied)
        #expect(dialogue.ask(UDPDialogue.announce(connection, torrent: 2)).count == 20)
    }

    @Test("any bytes are survived", arguments: [1, 2, 3, 4, 5])
    func noise(seed: UInt64) {
        var dialogue = UDPDialogue()
        var random = SeededRandom(seed: seed)
        let connection = dialogue.connect()
        for _ in 0..<2000 {
            let length = Int.random(in: 0...200, using: &random)
            let tail = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            let head = connection + [0, 0, 0, UInt8.random(in: 0...3, using: &random)]
            #expect(dialogue.ask(head + tail).count <= 1232)
        }
    }
}
