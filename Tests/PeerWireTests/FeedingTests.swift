import Metainfo
import PeerWire
import Primitives
import Testing

/// Properties over whole conversations, each replayed from its seed.
@Suite("Feeding")
struct FeedingTests {
    /// A valid conversation: handshake, opening, and then random messages.
    static func conversation(seed: UInt64) -> [UInt8] {
        var random = SeededRandom(seed: seed)
        var writer = ByteWriter()
        writer.append(Remote.handshake())
        MessageWriter.extensionHandshake(.shoal(metadataSize: 40_000, listenPort: 1, yourAddress: nil), to: &writer)
        MessageWriter.announce(MessageTests.bits, supportsFast: true, to: &writer)
        for _ in 0..<60 { message(using: &random, to: &writer) }
        return writer.take()
    }

    private static func message(using random: inout SeededRandom, to writer: inout ByteWriter) {
        let piece = Int.random(in: 0..<3, using: &random)
        let begin = UInt32.random(in: 0..<900, using: &random)
        let block = Block(piece: UInt32(piece), begin: begin, length: UInt32.random(in: 1...100, using: &random))
        switch Int.random(in: 0..<14, using: &random) {
        case 0: MessageWriter.keepAlive(to: &writer)
        case 1: MessageWriter.choke(to: &writer)
        case 2: MessageWriter.unchoke(to: &writer)
        case 3: MessageWriter.interested(to: &writer)
        case 4: MessageWriter.have(piece, to: &writer)
        case 5: MessageWriter.request(block, to: &writer)
        case 6: MessageWriter.cancel(block, to: &writer)
        case 7: MessageWriter.reject(block, to: &writer)
        case 8: MessageWriter.allowedFast(piece, to: &writer)
        case 9: MessageWriter.port(UInt16(begin), to: &writer)
        case 10: writer.append(frame(250, Array(repeating: 1, count: Int(begin))))
        case 11: writer.append(frame(20, Array(repeating: 99, count: Int(begin) + 1)))
        case 12: MessageWriter.metadata(.reject(piece: piece), as: 2, to: &writer)
        default:
            MessageWriter.pieceHeader(block, to: &writer)
            for _ in 0..<block.length { writer.byte(UInt8.random(in: 0...255, using: &random)) }
        }
    }

    @Test(
        "in chunks of any size gives what feeding all at once gives",
        arguments: 1...8 as ClosedRange<UInt64>,
        [1, 2, 3, 13, 100]
    )
    func chunks(seed: UInt64, chunk: Int) {
        let bytes = FeedingTests.conversation(seed: seed)
        var whole = Remote()
        whole.layoutKnown(Remote.layout)
        whole.send(bytes)
        var pieces = Remote()
        pieces.layoutKnown(Remote.layout)
        pieces.send(bytes, chunk: chunk)

        #expect(whole.error == nil)
        #expect(whole.events.count == 63)
        #expect(pieces.error == nil)
        #expect(pieces.events == whole.events)
        #expect(pieces.payload == whole.payload)
    }

    @Test(
        "one flipped bit never traps, and what is read stays inside the torrent",
        arguments: 1...400 as ClosedRange<UInt64>
    )
    func flippedBits(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var bytes = FeedingTests.conversation(seed: seed % 8)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        }
        var remote = Remote()
        if seed.isMultiple(of: 2) { remote.layoutKnown(Remote.layout) }
        remote.send(bytes, chunk: Int.random(in: 1...2000, using: &random))

        #expect(remote.events.allSatisfy(FeedingTests.isInside))
        #expect(remote.largestNeed <= (1 << 18) + 5)
    }

    @Test("random garbage after the handshake never traps", arguments: 1...200 as ClosedRange<UInt64>)
    func garbage(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var bytes = Remote.handshake()
        for _ in 0..<40 {
            // Short frames with a plausible id reach further than random length prefixes do.
            let id = UInt8.random(in: 0...21, using: &random)
            let length = Int.random(in: 0...20, using: &random)
            bytes += frame(id, (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
        var remote = Remote()
        if seed.isMultiple(of: 2) { remote.layoutKnown(Remote.layout) }
        remote.send(bytes)
        remote.layoutKnown(Remote.layout)

        #expect(remote.events.allSatisfy(FeedingTests.isInside))
    }

    private static func isInside(_ event: PeerEvent) -> Bool {
        switch event {
        case .have(let piece), .suggest(let piece), .allowedFast(let piece): (0..<3).contains(piece)
        case .request(let block), .block(let block): Remote.layout.contains(block)
        case .bitfield(let bitfield): bitfield.count == 3
        default: true
        }
    }
}
