import Primitives
import TrackerProtocol

/// What a tracker does for an announce or a scrape, without a socket: 1000 swarms of 200 peers each.
enum TrackerParts {
    private static let torrents: UInt32 = 1000
    private static let peers: UInt32 = 200
    /// Questions of one measured round.
    private static let questions = 2000

    /// A tracker and what its answers go into.
    private struct Desk: ~Copyable {
        var tracker = UDPTracker(seed: 1)
        var registry = Registry(seed: 1, now: .zero)
        let admission = Admission()
        var reply = AnnounceReply()
        var answer = ByteWriter(capacity: 2048)

        init() throws(BenchError) {
            for number in 0..<torrents * peers {
                let request = TrackerParts.request(number, wanted: 0)
                do throws(TrackerFailure) {
                    try registry.announce(request, from: TrackerParts.address(number), at: .zero, into: &reply)
                } catch {
                    throw .failed("a peer was refused: \(error)")
                }
            }
        }
    }

    static func measured() throws(BenchError) -> [Measurement] {
        var desk = try Desk()
        return [
            try udp("UDP announce, 50 peers back", wanted: 50, &desk),
            try udp("UDP announce, none back", wanted: 0, &desk),
            try scrape(&desk),
            try http("HTTP announce, 50 peers back", wanted: 50, &desk),
            try coming(&desk),
        ]
    }

    // MARK: Peers

    /// Peers of a public network, a few of each host; torrents one after the other, as nearest in time they hardly are.
    private static func request(_ number: UInt32, wanted: Int) -> AnnounceRequest {
        let torrent = number % torrents
        let infoHash = InfoHash(UInt160(high: UInt64(torrent) &* 0x9e37_79b9_7f4a_7c15, middle: 1, low: torrent))
        let id = PeerID(UInt160(high: 2, middle: 3, low: number))
        var request = AnnounceRequest(infoHash: infoHash, peerID: id, port: 6881)
        request.left = UInt64(number / torrents % 2)
        request.wanted = wanted
        request.key = number | 1
        return request
    }

    private static func address(_ number: UInt32) -> IPAddress { .v4(0x0200_0000 + number) }

    /// Peers that are listed already, of different swarms.
    private static var askers: [UInt32] {
        (0..<UInt32(questions)).map { ($0 &* 7919) % (torrents * peers) }
    }

    // MARK: Lines

    private static func udp(_ name: String, wanted: Int, _ desk: inout Desk) throws(BenchError) -> Measurement {
        let datagrams = askers.map { number in
            let sender = Endpoint(address(number), 6881)
            return (datagram(number, wanted: wanted, connection(of: sender, &desk)), sender)
        }
        return try Measurement.of(name, operations: datagrams.count, on: &desk) { desk throws(BenchError) in
            for (datagram, sender) in datagrams {
                desk.tracker.received(
                    datagram.span.bytes,
                    from: sender,
                    &desk.registry,
                    desk.admission,
                    at: .zero,
                    into: &desk.answer
                )
                guard desk.answer.count == 20 + wanted * 6 else { throw .failed("an announce had no answer") }
            }
        }
    }

    private static func connection(of sender: Endpoint, _ desk: inout Desk) -> [UInt8] {
        let hello: [UInt8] = [0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80, 0, 0, 0, 0, 1, 2, 3, 4]
        desk.tracker.received(
            hello.span.bytes,
            from: sender,
            &desk.registry,
            desk.admission,
            at: .zero,
            into: &desk.answer
        )
        return Array(desk.answer.bytes.suffix(8))
    }

    private static func datagram(_ number: UInt32, wanted: Int, _ connection: [UInt8]) -> [UInt8] {
        let request = request(number, wanted: wanted)
        var writer = ByteWriter(capacity: 98)
        writer.append(connection)
        writer.bigEndian(UInt32(1))
        writer.bigEndian(number)
        request.infoHash.value.write(to: &writer)
        request.peerID.value.write(to: &writer)
        writer.bigEndian(request.downloaded)
        writer.bigEndian(request.left ?? 0)
        writer.bigEndian(request.uploaded)
        writer.bigEndian(UInt32(0))
        writer.bigEndian(UInt32(0))
        writer.bigEndian(request.key ?? 0)
        writer.bigEndian(UInt32(truncatingIfNeeded: wanted))
        writer.bigEndian(request.port)
        return writer.bytes
    }

    private static func scrape(_ desk: inout Desk) throws(BenchError) -> Measurement {
        let sender = Endpoint(address(0), 6881)
        var writer = ByteWriter()
        writer.append(connection(of: sender, &desk))
        writer.bigEndian(UInt32(2))
        writer.bigEndian(UInt32(7))
        for number in 0..<UInt32(74) { request(number, wanted: 0).infoHash.value.write(to: &writer) }
        let datagram = writer.bytes
        return try Measurement.of("UDP scrape of 74 torrents", operations: 200, on: &desk) { desk in
            for _ in 0..<200 {
                desk.tracker.received(
                    datagram.span.bytes,
                    from: sender,
                    &desk.registry,
                    desk.admission,
                    at: .zero,
                    into: &desk.answer
                )
            }
        }
    }

    private static func http(_ name: String, wanted: Int, _ desk: inout Desk) throws(BenchError) -> Measurement {
        let queries = askers.map { number -> ([UInt8], IPAddress) in
            guard let tracker = TrackerURL("http://t.example/announce") else { return ([], address(number)) }
            let text = AnnounceURL(request(number, wanted: wanted)).text(at: tracker)
            return (Array(text.utf8.drop { $0 != UInt8(ascii: "?") }.dropFirst()), address(number))
        }
        return try Measurement.of(name, operations: queries.count, on: &desk) { desk throws(BenchError) in
            for (bytes, sender) in queries {
                desk.answer.removeAll()
                do throws(TrackerFailure) {
                    let query = try AnnounceQuery(bytes.span.bytes)
                    try desk.registry.announce(query.request, from: sender, query.details, at: .zero, into: &desk.reply)
                    let additions = HTTPAnswer.Additions(externalAddress: sender)
                    HTTPAnswer.announce(desk.reply, isCompact: query.isCompact, additions, to: &desk.answer)
                } catch {
                    throw .failed("an announce was refused: \(error)")
                }
            }
        }
    }

    /// A peer that comes and one that goes: the index of its swarm changes twice.
    private static func coming(_ desk: inout Desk) throws(BenchError) -> Measurement {
        let newcomers = (0..<UInt32(questions)).map { number -> AnnounceRequest in
            var request = request(torrents * peers + number, wanted: 50)
            request.event = .started
            return request
        }
        return try Measurement.of(
            "a peer that comes and goes again",
            operations: newcomers.count,
            on: &desk
        ) { desk throws(BenchError) in
            for newcomer in newcomers {
                var leaving = newcomer
                leaving.event = .stopped
                do throws(TrackerFailure) {
                    try desk.registry.announce(newcomer, from: .v4(0x0300_0000), at: .zero, into: &desk.reply)
                    try desk.registry.announce(leaving, from: .v4(0x0300_0000), at: .zero, into: &desk.reply)
                } catch {
                    throw .failed("a newcomer was refused: \(error)")
                }
            }
        }
    }
}
