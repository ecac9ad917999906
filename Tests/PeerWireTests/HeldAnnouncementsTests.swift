import Metainfo
import PeerWire
import Primitives
import Testing

/// What arrives about pieces while a magnet link is still being resolved.
@Suite("Announcements before the layout")
struct HeldAnnouncementsTests {
    /// The events that the layout releases, or the error.
    static func released(_ bytes: [UInt8], layout: PieceLayout = Remote.layout) -> (
        events: [PeerEvent], error: WireError?
    ) {
        var remote = Remote.connected(layout: nil)
        remote.send(bytes)
        let held = remote.events.count
        if remote.error == nil { remote.layoutKnown(layout) }
        return (Array(remote.events.dropFirst(held)), remote.error)
    }

    @Test(
        "are held, whatever they are",
        arguments: [frame(5, [0xa0]), frame(4, [0, 0, 0, 1]), frame(14), frame(15), frame(13, [0, 0, 0, 9])]
    )
    func held(bytes: [UInt8]) {
        var remote = Remote.connected(layout: nil)
        remote.send(bytes)

        #expect(remote.error == nil)
        #expect(remote.events == [.held])
    }

    @Test("come back as one bitfield with the haves in it")
    func merged() {
        let released = HeldAnnouncementsTests.released(
            frame(5, [0xa0]) + frame(4, [0, 0, 0, 1]) + frame(17, [0, 0, 0, 2])
        )

        #expect(released.events == [.bitfield(Bitfield(filled: 3)), .allowedFast(2)])
    }

    @Test("come back as have all, also with haves behind it")
    func all() {
        #expect(HeldAnnouncementsTests.released(frame(14) + frame(4, [0, 0, 0, 1])).events == [.haveAll])
        #expect(HeldAnnouncementsTests.released(frame(15)).events == [])
        #expect(HeldAnnouncementsTests.released([]).events == [])
    }

    @Test("of haves alone come back as a bitfield of the right size")
    func haves() {
        var expected = Bitfield(count: 100)
        expected[9] = true
        let layout = PieceLayout(totalSize: 100 << 14, pieceLength: 1 << 14)

        #expect(
            HeldAnnouncementsTests.released(frame(4, [0, 0, 0, 9]), layout: layout).events == [.bitfield(expected)]
        )
    }

    @Test("that do not fit the torrent close when it is known")
    func unfitting() {
        #expect(HeldAnnouncementsTests.released(frame(5, [0xa0, 0])).error == .malformedBitfield)
        #expect(HeldAnnouncementsTests.released(frame(5, [0xb0])).error == .malformedBitfield)
        #expect(HeldAnnouncementsTests.released(frame(4, [0, 0, 0, 3])).error == .pieceOutOfRange(3))
        #expect(
            HeldAnnouncementsTests.released(frame(5, [0xa0]) + frame(4, [0, 0, 0, 7])).error == .pieceOutOfRange(7)
        )
        #expect(HeldAnnouncementsTests.released(frame(17, [0, 0, 0, 3])).error == .pieceOutOfRange(3))
    }

    @Test("over the limits of any torrent close at once")
    func unbounded() {
        #expect(HeldAnnouncementsTests.released(frame(4, [0, 0x20, 0, 0])).error == .pieceOutOfRange(0x20_0000))
        #expect(HeldAnnouncementsTests.released(frame(4, [0, 0x1f, 0xff, 0xff])).error == .pieceOutOfRange(0x1f_ffff))
        #expect(HeldAnnouncementsTests.released([0, 4, 0, 2, 5]).error == .malformedBitfield)
        #expect(HeldAnnouncementsTests.released([0, 4, 0, 1, 5]).error == nil)
        #expect(
            HeldAnnouncementsTests.released(frame(5, [0xa0]) + frame(4, [0, 0, 0, 8])).error == .pieceOutOfRange(8)
        )
    }

    @Test("of allowed fast pieces are kept up to a limit")
    func allowedFast() {
        let flood = Array(repeating: frame(17, [0, 0, 0, 2]), count: 500).flatMap { $0 }

        #expect(HeldAnnouncementsTests.released(flood).events == Array(repeating: .allowedFast(2), count: 64))
    }

    @Test("do not make room for blocks or requests")
    func blocks() {
        let block = Block(piece: 0, begin: 0, length: 1)
        #expect(HeldAnnouncementsTests.released(frame(7, [0, 0, 0, 0, 0, 0, 0, 0, 1])).error == .blockOutside(block))

        var remote = Remote.connected(layout: nil)
        remote.send(frame(6, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]))
        #expect(remote.events == [.requestOutside(block)])
    }
}
