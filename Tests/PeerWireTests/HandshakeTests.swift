import Metainfo
import PeerWire
import Primitives
import Testing

@Suite("Handshake")
struct HandshakeTests {
    @Test("is 68 literal bytes with the bits of BEP 5, 6 and 10")
    func literalBytes() {
        var writer = ByteWriter()
        MessageWriter.handshake(Handshake(infoHash: Remote.infoHash, peerID: Remote.peerID), to: &writer)

        #expect(writer.count == 68)
        #expect(Array(writer.bytes[..<20]) == [19] + text("BitTorrent protocol"))
        #expect(Array(writer.bytes[20..<28]) == [0, 0, 0, 0, 0, 0x10, 0, 0x05])
        #expect(Array(writer.bytes[28..<48]) == Remote.infoHash.bytes)
        #expect(Array(writer.bytes[48...]) == Remote.peerID.bytes)
    }

    @Test("is the first event, and tells what the other side can do")
    func firstEvent() {
        var remote = Remote(role: .accepted)
        remote.send(Remote.handshake([.fast]))

        #expect(
            remote.events == [
                .handshake(Handshake(capabilities: [.fast], infoHash: Remote.infoHash, peerID: Remote.peerID))
            ]
        )
        #expect(remote.connection.supportsFast == true)
        #expect(remote.connection.supportsExtensions == false)
        #expect(remote.connection.supportsDHT == false)
        #expect(remote.connection.remotePeerID == Remote.peerID)
        #expect(remote.connection.remoteClientName == "libtorrent 2.1")
    }

    @Test("of another protocol fails at its first wrong byte", arguments: [0, 1, 5, 19])
    func notBitTorrent(wrongByte: Int) {
        var bytes = Array(Remote.handshake()[...wrongByte])
        bytes[wrongByte] ^= 0x20
        var remote = Remote(role: .accepted)
        remote.send(bytes)

        #expect(remote.error == .notBitTorrent)
    }

    @Test("for another torrent is refused by who dialled")
    func wrongInfoHash() {
        var remote = Remote(role: .dialled(InfoHash(.max)))
        remote.send(Remote.handshake())

        #expect(remote.error == .wrongInfoHash)
    }

    @Test("with our own peer id is refused")
    func connectedToSelf() {
        var writer = ByteWriter()
        Handshake(infoHash: Remote.infoHash, peerID: Remote.ownID).write(to: &writer)
        var remote = Remote(role: .accepted)
        remote.send(writer.take())

        #expect(remote.error == .connectedToSelf)
    }

    @Test("asks for its 68 bytes, then for a length prefix")
    func neededBytes() {
        var remote = Remote(role: .accepted)
        #expect(remote.connection.neededByteCount == 68)
        remote.send(Array(Remote.handshake().dropLast()))
        #expect(remote.connection.neededByteCount == 68)
        #expect(remote.events.isEmpty)
        remote.send([Remote.handshake()[67]])
        #expect(remote.connection.neededByteCount == 4)
        #expect(remote.events.count == 1)
    }
}
