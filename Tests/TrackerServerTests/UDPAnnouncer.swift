import Primitives
import TestSupport
import TrackerProtocol

/// A peer that announces over UDP byte by byte (BEP 15), on 127.0.0.1.
struct UDPAnnouncer: Sendable {
    private let socket: RawDatagrams
    private let tracker: UInt16
    private let connection: [UInt8]

    struct Answer: Hashable, Sendable {
        var interval: UInt32 = 0
        var leechers: UInt32 = 0
        var seeds: UInt32 = 0
        /// Ports of the peers, ascending.
        var ports: [UInt16] = []
        var error: String?
    }

    struct NoAnswer: Error {}

    init(to tracker: Endpoint) throws {
        socket = try RawDatagrams()
        self.tracker = tracker.port
        socket.send([0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80, 0, 0, 0, 0, 1, 2, 3, 4], toPort: tracker.port)
        guard let answer = socket.receive(), answer.count == 16 else { throw NoAnswer() }
        connection = Array(answer.suffix(8))
    }

    /// Announces the peer on `port`, whose number is its name too.
    func announce(_ torrent: UInt8, port: UInt16, left: UInt64 = 1, event: UInt32 = 0) throws -> Answer {
        var writer = ByteWriter()
        writer.append(connection)
        writer.bigEndian(UInt32(1))
        writer.bigEndian(UInt32(7))
        writer.append([UInt8](repeating: torrent, count: 20))
        writer.append([UInt8](repeating: 0, count: 18))
        writer.bigEndian(port)
        writer.append([UInt8](repeating: 0, count: 8))
        writer.bigEndian(left)
        writer.append([UInt8](repeating: 0, count: 8))
        writer.bigEndian(event)
        writer.append([UInt8](repeating: 0, count: 8))
        writer.bigEndian(UInt32.max)
        writer.bigEndian(port)
        return try ask(writer.bytes)
    }

    /// Seeds, completions, leechers.
    func scrape(_ torrent: UInt8) throws -> [UInt32] {
        let question = connection + [0, 0, 0, 2, 0, 0, 0, 7] + [UInt8](repeating: torrent, count: 20)
        socket.send(question, toPort: tracker)
        guard let bytes = socket.receive(), bytes.count == 20 else { throw NoAnswer() }
        return [8, 12, 16].compactMap { bytes.span.bytes.bigEndian(UInt32.self, at: $0) }
    }

    /// Whether a datagram has no answer, by asking something behind it that has one.
    func isIgnored(_ datagram: [UInt8]) throws -> Bool {
        socket.send(datagram, toPort: tracker)
        return try scrape(255).count == 3
    }

    private func ask(_ question: [UInt8]) throws -> Answer {
        socket.send(question, toPort: tracker)
        guard let bytes = socket.receive(), bytes.count >= 8 else { throw NoAnswer() }
        let span = bytes.span.bytes
        var answer = Answer()
        if span.bigEndian(UInt32.self, at: 0) == 3 {
            answer.error = String(decoding: bytes.dropFirst(8), as: UTF8.self)
            return answer
        }
        answer.interval = span.bigEndian(UInt32.self, at: 8) ?? 0
        answer.leechers = span.bigEndian(UInt32.self, at: 12) ?? 0
        answer.seeds = span.bigEndian(UInt32.self, at: 16) ?? 0
        answer.ports = stride(from: 20, to: bytes.count, by: 6).compactMap { span.bigEndian(UInt16.self, at: $0 + 4) }
        answer.ports.sort()
        return answer
    }
}
