import Metainfo
import PeerWire
import Primitives
import Testing

/// Every message as literal bytes, read and written.
@Suite("Message")
struct MessageTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let event: PeerEvent
        let write: @Sendable (inout ByteWriter) -> Void

        var testDescription: String { name }

        init(
            _ name: String,
            _ bytes: [UInt8],
            _ event: PeerEvent,
            _ write: @escaping @Sendable (inout ByteWriter) -> Void
        ) {
            self.name = name
            self.bytes = bytes
            self.event = event
            self.write = write
        }
    }

    static let block = Block(piece: 1, begin: 0x4000, length: 0x4000)
    static let blockFields: [UInt8] = [0, 0, 0, 1, 0, 0, 0x40, 0, 0, 0, 0x40, 0]

    static var bits: Bitfield {
        var bits = Bitfield(count: 3)
        bits[0] = true
        bits[2] = true
        return bits
    }

    static let samples: [Sample] = [
        Sample("keep-alive", [0, 0, 0, 0], .keepAlive) { MessageWriter.keepAlive(to: &$0) },
        Sample("choke", [0, 0, 0, 1, 0], .choke) { MessageWriter.choke(to: &$0) },
        Sample("unchoke", [0, 0, 0, 1, 1], .unchoke) { MessageWriter.unchoke(to: &$0) },
        Sample("interested", [0, 0, 0, 1, 2], .interested) { MessageWriter.interested(to: &$0) },
        Sample("not interested", [0, 0, 0, 1, 3], .notInterested) { MessageWriter.notInterested(to: &$0) },
        Sample("have", [0, 0, 0, 5, 4, 0, 0, 0, 2], .have(2)) { MessageWriter.have(2, to: &$0) },
        Sample("bitfield", [0, 0, 0, 2, 5, 0b1010_0000], .bitfield(bits)) { MessageWriter.bitfield(bits, to: &$0) },
        Sample("request", [0, 0, 0, 13, 6] + blockFields, .request(block)) { MessageWriter.request(block, to: &$0) },
        Sample("cancel", [0, 0, 0, 13, 8] + blockFields, .cancel(block)) { MessageWriter.cancel(block, to: &$0) },
        Sample("port", [0, 0, 0, 3, 9, 0x1a, 0xe1], .port(6881)) { MessageWriter.port(6881, to: &$0) },
        Sample("suggest", [0, 0, 0, 5, 13, 0, 0, 0, 1], .suggest(1)) { MessageWriter.suggest(1, to: &$0) },
        Sample("have all", [0, 0, 0, 1, 14], .haveAll) { MessageWriter.haveAll(to: &$0) },
        Sample("have none", [0, 0, 0, 1, 15], .haveNone) { MessageWriter.haveNone(to: &$0) },
        Sample("reject", [0, 0, 0, 13, 16] + blockFields, .reject(block)) { MessageWriter.reject(block, to: &$0) },
        Sample("allowed fast", [0, 0, 0, 5, 17, 0, 0, 0, 0], .allowedFast(0)) {
            MessageWriter.allowedFast(0, to: &$0)
        },
        Sample(
            "metadata request",
            [0, 0, 0, 27, 20, 2] + text("d8:msg_typei0e5:piecei0ee"),
            .metadata(.request(piece: 0))
        ) {
            MessageWriter.metadata(.request(piece: 0), as: 2, to: &$0)
        },
        Sample(
            "metadata reject",
            [0, 0, 0, 27, 20, 2] + text("d8:msg_typei2e5:piecei7ee"),
            .metadata(.reject(piece: 7))
        ) {
            MessageWriter.metadata(.reject(piece: 7), as: 2, to: &$0)
        },
        Sample(
            "metadata data",
            [0, 0, 0, 46, 20, 2] + text("d8:msg_typei1e5:piecei0e10:total_sizei3eeabc"),
            .metadata(.data(piece: 0, totalSize: 3, bytes: text("abc")))
        ) { MessageWriter.metadata(.data(piece: 0, totalSize: 3, bytes: text("abc")), as: 2, to: &$0) },
    ]

    @Test("is read from its literal bytes", arguments: samples)
    func reads(sample: Sample) {
        var remote = Remote.connected()
        remote.send(sample.bytes)

        #expect(remote.error == nil)
        #expect(remote.events == [sample.event])
    }

    @Test("is written as its literal bytes", arguments: samples)
    func writes(sample: Sample) {
        var writer = ByteWriter()
        sample.write(&writer)

        #expect(writer.bytes == sample.bytes)
    }

    @Test("piece gives its header, and leaves the payload to the driver")
    func piece() throws {
        let block = Block(piece: 2, begin: 996, length: 4)
        var writer = ByteWriter()
        MessageWriter.pieceHeader(block, to: &writer)
        let header: [UInt8] = [0, 0, 0, 13, 7, 0, 0, 0, 2, 0, 0, 3, 0xe4]
        #expect(writer.bytes == header)

        var remote = Remote.connected()
        let step = try remote.connection.next(in: (header + [1, 2, 3, 4]).span.bytes, at: Remote.start)
        #expect(step.event == .block(block))
        #expect(step.consumed == 13)
        #expect(remote.connection.payloadByteCount == 4)

        let early = try remote.connection.next(in: [1, 2, 3, 4].span.bytes, at: Remote.start)
        #expect(early.event == nil)
        #expect(early.consumed == 0)

        remote.connection.payloadReceived(3, at: Remote.start)
        #expect(remote.connection.payloadByteCount == 1)
        remote.connection.payloadReceived(1, at: Remote.start)
        remote.send([0, 0, 0, 1, 1])
        #expect(remote.events == [.unchoke])
    }

    @Test("of an unknown kind is read over without being buffered", arguments: [1, 7, 4096, Int.max])
    func unknown(chunk: Int) {
        var remote = Remote.connected()
        remote.send(frame(200, Array(repeating: 9, count: 100_000)) + frame(21) + frame(1), chunk: chunk)

        #expect(remote.events == [.ignored(id: 200), .ignored(id: 21), .unchoke])
        #expect(remote.largestNeed <= 5)
    }

    @Test("of an extension that we did not offer is read over", arguments: [1, 6, Int.max])
    func unknownExtension(chunk: Int) {
        var remote = Remote.connected()
        remote.send(frame(20, [77] + Array(repeating: 0, count: 70_000)) + frame(20, [78]) + frame(0), chunk: chunk)

        #expect(remote.events == [.ignored(id: 20), .ignored(id: 20), .choke])
    }

    @Test("of BEP 10 is an unknown one where the handshake did not announce it")
    func extensionsNotNegotiated() {
        var remote = Remote.connected([])
        remote.send(frame(20, [0] + text("not bencode")))

        #expect(remote.events == [.ignored(id: 20)])
    }

    @Test("metadata of an unknown type is ignored, as BEP 9 asks")
    func unknownMetadata() {
        var remote = Remote.connected()
        remote.send(frame(20, [2] + text("d8:msg_typei9e5:piecei0ee")))

        #expect(remote.events == [.ignored(id: 20)])
    }

    @Test("announces pieces in the shortest way the other side understands")
    func announce() {
        func announced(_ pieces: Bitfield, supportsFast: Bool) -> [UInt8] {
            var writer = ByteWriter()
            MessageWriter.announce(pieces, supportsFast: supportsFast, to: &writer)
            return writer.take()
        }

        #expect(announced(Bitfield(count: 3), supportsFast: true) == [0, 0, 0, 1, 15])
        #expect(announced(Bitfield(filled: 3), supportsFast: true) == [0, 0, 0, 1, 14])
        #expect(announced(MessageTests.bits, supportsFast: true) == [0, 0, 0, 2, 5, 0xa0])
        #expect(announced(Bitfield(count: 3), supportsFast: false) == [])
        #expect(announced(Bitfield(filled: 3), supportsFast: false) == [0, 0, 0, 2, 5, 0xe0])
    }

    @Test("events stay small enough to be passed by value")
    func layout() {
        #expect(MemoryLayout<PeerEvent>.size <= 64)
    }
}
