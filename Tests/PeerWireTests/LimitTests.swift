import Metainfo
import PeerWire
import Primitives
import Testing

/// What closes a connection (hardening B1-B3, B7, N39, N44).
@Suite("Limit")
struct LimitTests {
    static func error(
        _ bytes: [UInt8],
        _ capabilities: Capabilities = .shoal,
        layout: PieceLayout? = Remote.layout
    ) -> WireError? {
        var remote = Remote.connected(capabilities, layout: layout)
        remote.send(bytes)
        return remote.error
    }

    @Test(
        "B1: the length prefix alone closes what is over 1 MiB and a block header",
        arguments: [0x10_000a, 1 << 31, .max]
    )
    func frameLength(length: UInt32) {
        var writer = ByteWriter()
        writer.bigEndian(length)

        #expect(LimitTests.error(writer.bytes) == .messageTooLong(length))
    }

    @Test("B1: the longest frame passes")
    func longestFrame() {
        var writer = ByteWriter()
        writer.bigEndian(UInt32(0x10_0009))
        writer.byte(99)

        #expect(LimitTests.error(writer.bytes) == nil)
    }

    @Test(
        "a length that does not fit the kind of message closes",
        arguments: [0, 1, 2, 3, 4, 6, 8, 9, 13, 14, 15, 16, 17]
    )
    func wrongLength(id: UInt8) {
        #expect(LimitTests.error([0, 0, 0, 7, id]) == .wrongLength(id: id, length: 7))
    }

    @Test("B2, N39: a bitfield one byte longer or shorter closes before it is buffered", arguments: [1, 3])
    func bitfieldLength(length: UInt8) {
        #expect(LimitTests.error([0, 0, 0, length, 5]) == .malformedBitfield)
    }

    @Test("B2: a bitfield with a spare bit set closes")
    func spareBits() {
        #expect(LimitTests.error(frame(5, [0b1011_0000])) == .malformedBitfield)
    }

    @Test(
        "B2: have all and have none come once, and before other words about pieces",
        arguments: [
            frame(5, [0xe0]), frame(14), frame(15), frame(4, [0, 0, 0, 0]),
            frame(6, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0]), frame(7, [0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ],
        [frame(14), frame(15)]
    )
    func lateAnnouncement(first: [UInt8], second: [UInt8]) {
        #expect(LimitTests.error(first) == nil)
        #expect(LimitTests.error(first + second) == .lateBitfield)
    }

    @Test("B2: aria2 sends a bitfield in place of many haves, in the middle of a session")
    func bitfieldInTheMiddle() {
        var remote = Remote.connected()
        remote.send(frame(5, [0x80]) + frame(4, [0, 0, 0, 1]) + frame(5, [0xe0]))

        #expect(remote.error == nil)
        #expect(remote.events.last == .bitfield(Bitfield(filled: 3)))
    }

    @Test(
        "B2: what real clients send before their bitfield does not close",
        arguments: [frame(20, [0] + text("de")), frame(9, [1, 2]), [0, 0, 0, 0], frame(1), frame(2), frame(222)]
    )
    func bitfieldAfterExtension(first: [UInt8]) {
        var remote = Remote.connected()
        remote.send(first + frame(5, [0xe0]))

        #expect(remote.error == nil)
        #expect(remote.events.last == .bitfield(Bitfield(filled: 3)))
    }

    @Test("N39: an index outside the torrent closes", arguments: [4, 13, 17], [3, UInt32.max])
    func pieceOutOfRange(id: UInt8, index: UInt32) {
        var writer = ByteWriter()
        writer.bigEndian(index)

        #expect(LimitTests.error(frame(id, writer.bytes)) == .pieceOutOfRange(index))
    }

    @Test("B3, N39: a request for nothing or for more than 128 KiB closes", arguments: [0, 131_073, 1 << 31, .max])
    func requestLength(length: UInt32) {
        var writer = ByteWriter()
        MessageWriter.request(Block(piece: 0, begin: 0, length: length), to: &writer)

        #expect(LimitTests.error(writer.bytes) == .requestLength(length))
    }

    @Test(
        "B3, N39: a request outside its piece is one to reject with BEP 6, and closes without",
        arguments: [
            Block(piece: 0, begin: .max, length: 16_384), Block(piece: 0, begin: 32_767, length: 2),
            Block(piece: 2, begin: 0, length: 1001), Block(piece: 3, begin: 0, length: 1),
            Block(piece: .max, begin: .max, length: 131_072),
        ]
    )
    func requestOutside(block: Block) {
        var writer = ByteWriter()
        MessageWriter.request(block, to: &writer)
        var remote = Remote.connected()
        remote.send(writer.bytes)

        #expect(remote.error == nil)
        #expect(remote.events == [.requestOutside(block)])
        #expect(LimitTests.error(writer.bytes, [.extensions]) == .requestOutside(block))
    }

    @Test("B3: the longest request passes")
    func longestRequest() {
        let block = Block(piece: 0, begin: 0, length: 131_072)
        var writer = ByteWriter()
        MessageWriter.request(block, to: &writer)
        var remote = Remote.connected(layout: PieceLayout(totalSize: 1 << 20, pieceLength: 1 << 18))
        remote.send(writer.bytes)

        #expect(remote.events == [.request(block)])
    }

    @Test(
        "a block outside its piece or over 128 KiB closes at its header",
        arguments: [
            Block(piece: 0, begin: 32_767, length: 2), Block(piece: 0, begin: .max, length: 16_384),
            Block(piece: 3, begin: 0, length: 1), Block(piece: 0, begin: 0, length: 131_073),
        ]
    )
    func blockOutside(block: Block) {
        var writer = ByteWriter()
        MessageWriter.pieceHeader(block, to: &writer)

        #expect(LimitTests.error(writer.bytes) == .blockOutside(block))
    }

    @Test("an empty block closes")
    func emptyBlock() {
        #expect(LimitTests.error([0, 0, 0, 9, 7]) == .wrongLength(id: 7, length: 9))
    }

    @Test("messages of BEP 6 close where BEP 6 was not announced", arguments: [13, 14, 15, 16, 17])
    func fastNotNegotiated(id: UInt8) {
        #expect(LimitTests.error([0, 0, 0, 1, id], [.extensions]) == .fastNotNegotiated(id: id))
    }

    @Test("B7: an extension message over 64 KiB closes before it is buffered", arguments: [0, 2])
    func extensionLength(id: UInt8) {
        #expect(LimitTests.error([0, 1, 0, 3, 20, id]) == .extensionTooLong(65_537))
        #expect(LimitTests.error([0, 1, 0, 2, 20, id]) == nil)
    }

    @Test("B7: one id under two names closes, zero twice does not")
    func duplicateIDs() {
        #expect(LimitTests.error(frame(20, text("\0d1:md6:ut_pexi3e11:ut_metadatai3eee"))) == .duplicateExtensionID(3))
        #expect(LimitTests.error(frame(20, text("\0d1:md6:ut_pexi0e11:ut_metadatai0eee"))) == nil)
    }

    @Test(
        "an extension message that is not what its BEP asks for closes",
        arguments: [
            "\0", "\0le", "\0d", "\0d1:md1:ai256eee", "\0d1:md1:ai-1eee", "\0dex", "\0d1:m", "\u{2}",
            "\u{2}d5:piecei0ee", "\u{2}d8:msg_typei0ee", "\u{2}d8:msg_typei0e5:piecei-1ee",
            "\u{2}d8:msg_typei1e5:piecei0ee", "\u{2}d8:msg_typei1e5:piecei0e10:total_sizei3eeab",
            "\u{2}d8:msg_typei1e5:piecei1e10:total_sizei3eeabc", "\u{2}d8:msg_typei1e5:piecei9223372036854775807ee",
        ]
    )
    func malformedExtension(body: String) {
        #expect(LimitTests.error(frame(20, text(body))) == .malformedExtension)
    }

    @Test("N44: a metadata size over 8 MiB closes", arguments: [8_388_609, 1 << 31, Int.max, -1])
    func metadataSize(size: Int) {
        #expect(LimitTests.error(frame(20, text("\0d13:metadata_sizei\(size)ee"))) == .metadataSize(size))
        #expect(
            LimitTests.error(frame(20, text("\u{2}d8:msg_typei1e5:piecei0e10:total_sizei\(size)ee")))
                == .metadataSize(size)
        )
    }

    @Test("the driver's buffer never has to hold more than the longest extension message")
    func neededBytes() {
        var remote = Remote.connected()
        remote.send([0, 1, 0, 2, 20, 2])
        #expect(remote.connection.neededByteCount == 65_542)
        remote = Remote.connected()
        remote.send([0, 0, 0x40, 9, 7])
        #expect(remote.connection.neededByteCount == 13)
    }
}
