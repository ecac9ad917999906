import Metainfo
import PeerWire
import Primitives

/// Reading the messages that a transfer consists of, as they follow each other in a buffer.
enum WireParts {
    private static let layout = PieceLayout(totalSize: 1 << 30, pieceLength: 1 << 20)
    private static let count = 1000

    static func measured() throws(BenchError) -> [Measurement] {
        var random = SeededRandom(seed: 4)
        var headers = ByteWriter()
        var haves = ByteWriter()
        var requests = ByteWriter()
        for _ in 0..<count {
            let piece = Int.random(in: 0..<layout.pieceCount, using: &random)
            guard let block = layout.block(Int.random(in: 0..<64, using: &random), ofPiece: piece) else { continue }
            MessageWriter.pieceHeader(block, to: &headers)
            MessageWriter.have(piece, to: &haves)
            MessageWriter.request(block, to: &requests)
        }
        var reader = try StreamReader(layout: layout)
        return [
            try reading("header of a block, and its payload counted", headers.bytes, &reader),
            try reading("have", haves.bytes, &reader),
            try reading("request", requests.bytes, &reader),
        ]
    }

    private static func reading(
        _ name: String,
        _ stream: [UInt8],
        _ reader: inout StreamReader
    ) throws(BenchError) -> Measurement {
        try Measurement.of(name, operations: count, rounds: 200, on: &reader) { reader throws(BenchError) in
            let events = try reader.read(stream)
            guard events == count else { throw .failed("\(events) of \(count) messages were read") }
        }
    }
}

/// A connection whose handshake is done, and the driver's part in reading from it.
private struct StreamReader: ~Copyable {
    private var connection: Connection
    private let now = Instant.zero

    init(layout: PieceLayout) throws(BenchError) {
        let infoHash = InfoHash(.max)
        connection = Connection(role: .dialled(infoHash), peerID: PeerID(.zero), now: now)
        var writer = ByteWriter()
        MessageWriter.handshake(Handshake(infoHash: infoHash, peerID: PeerID(.max)), to: &writer)
        let events = try read(writer.bytes)
        do throws(WireError) {
            _ = try connection.layoutKnown(layout)
        } catch {
            throw .failed("the connection does not open: \(error)")
        }
        guard events == 1 else { throw .failed("the handshake was not understood") }
    }

    /// - Returns: how many messages there were.
    mutating func read(_ stream: [UInt8]) throws(BenchError) -> Int {
        let bytes = stream.span.bytes
        var offset = 0
        var events = 0
        do throws(WireError) {
            while offset < bytes.byteCount {
                let step = try connection.next(in: bytes.extracting(offset..<bytes.byteCount), at: now)
                guard let event = step.event else { break }
                offset += step.consumed
                events += 1
                if case .block(let block) = event { connection.payloadReceived(Int(block.length), at: now) }
            }
        } catch {
            throw .failed("a message was refused: \(error)")
        }
        return events
    }
}
