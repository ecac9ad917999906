import Cryptography
import PeerWire
import Primitives
import Testing

@Suite("Extension handshake")
struct ExtensionHandshakeTests {
    @Test("is written with its keys ascending")
    func literalBytes() {
        var writer = ByteWriter()
        MessageWriter.extensionHandshake(
            .shoal(metadataSize: 31_235, listenPort: 6881, yourAddress: .v4(0x0102_0304)),
            to: &writer
        )
        let body = text(
            "d1:md11:ut_metadatai2ee13:metadata_sizei31235e1:pi6881e4:reqqi250e1:v11:shoal 0.1.06:yourip4:\u{1}\u{2}\u{3}\u{4}e"
        )

        #expect(writer.bytes == frame(20, [0] + body))
    }

    @Test("comes back as it was written", arguments: [IPAddress.v4(0x7f00_0001), .v6(high: 1 << 60, low: 9)])
    func roundTrip(address: IPAddress) {
        let handshake = ExtensionHandshake.shoal(metadataSize: 5, listenPort: 7, yourAddress: address)
        var writer = ByteWriter()
        MessageWriter.extensionHandshake(handshake, to: &writer)
        var remote = Remote.connected()
        remote.send(writer.take())

        #expect(remote.events == [.extensionHandshake(handshake)])
        #expect(remote.connection.remoteExtensions.offeredMetadata?.id == 2)
        #expect(remote.connection.remoteExtensions.offeredMetadata?.size == 5)
        #expect(remote.connection.remoteClientName == "shoal 0.1.0")
    }

    private static let key = Ed25519.PublicKey([UInt8](repeating: 0x6b, count: 32).span.bytes)

    @Test("names the key of secure sessions")
    func secureKey() throws {
        let key = try #require(ExtensionHandshakeTests.key)
        let handshake = ExtensionHandshake.shoal(metadataSize: nil, listenPort: nil, secureKey: key, yourAddress: nil)
        var writer = ByteWriter()
        MessageWriter.extensionHandshake(handshake, to: &writer)
        let name = String(repeating: "k", count: 32)
        let body = text("d1:md11:ut_metadatai2ee4:reqqi250e2:spd1:k32:\(name)1:vi1ee1:v11:shoal 0.1.0e")
        #expect(writer.bytes == frame(20, [0] + body))

        var remote = Remote.connected()
        remote.send(writer.take())
        #expect(remote.events == [.extensionHandshake(handshake)])
        remote.send(frame(20, text("\0d4:reqqi7ee")))
        #expect(remote.connection.remoteExtensions.secureKey == key)
    }

    @Test(
        "names no key in another version or another shape",
        arguments: [
            "d1:k32:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk1:vi2ee", "d1:k32:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkke",
            "d1:k31:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk1:vi1ee", "d1:k33:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk1:vi1ee",
            "d1:ki5e1:vi1ee", "i1e", "0:", "le",
        ]
    )
    func noSecureKey(value: String) {
        var remote = Remote.connected()
        remote.send(frame(20, text("\0d2:sp\(value)e")))

        #expect(remote.events == [.extensionHandshake(ExtensionHandshake())])
    }

    @Test("of BEP 10's own example is read")
    func example() {
        var remote = Remote.connected()
        remote.send(frame(20, [0] + text("d1:md11:LT_metadatai1e6:ut_pexi2ee1:pi6881e1:v13:µTorrent 1.2e")))

        #expect(remote.connection.remoteExtensions.listenPort == 6881)
        #expect(remote.connection.remoteExtensions.metadataID == nil)
        #expect(remote.connection.remoteClientName == "µTorrent 1.2")
    }

    @Test("adds to the one before it, and turns an extension off with zero")
    func additive() {
        var remote = Remote.connected()
        remote.send(frame(20, text("\0d1:md11:ut_metadatai3ee13:metadata_sizei9ee")))
        remote.send(frame(20, text("\0d4:reqqi7ee")))
        #expect(remote.connection.remoteExtensions.offeredMetadata?.id == 3)
        #expect(remote.connection.remoteExtensions.requestQueueLength == 7)
        remote.send(frame(20, text("\0d1:md11:ut_metadatai0eee")))
        #expect(remote.connection.remoteExtensions.offeredMetadata == nil)
    }

    @Test("passes over values of another type, unknown keys, and a size of zero")
    func lenient() {
        var remote = Remote.connected()
        remote.send(frame(20, text("\0d1:mi1e13:metadata_sizei0e1:p3:abc4:reqqd1:ai1ee1:vi3e6:yourip3:abc1:zlee")))

        #expect(remote.events == [.extensionHandshake(ExtensionHandshake())])
    }

    @Test("keeps a queue length to what is sensible", arguments: [(-5, 1), (0, 1), (250, 250), (1 << 40, 65_536)])
    func queueLength(sent: Int, kept: Int) {
        var remote = Remote.connected()
        remote.send(frame(20, text("\0d4:reqqi\(sent)ee")))

        #expect(remote.connection.remoteExtensions.requestQueueLength == kept)
    }

    @Test("drops a port outside 16 bits", arguments: [-1, 65_536])
    func port(sent: Int) {
        var remote = Remote.connected()
        remote.send(frame(20, text("\0d1:pi\(sent)ee")))

        #expect(remote.connection.remoteExtensions.listenPort == nil)
    }

    @Test("cannot bring control characters to a terminal")
    func printable() {
        var remote = Remote.connected()
        remote.send(frame(20, text("\0d1:v12:\u{1b}[2Jbad\u{202e}\r\ne")))

        #expect(remote.connection.remoteClientName == "[2Jbad")
    }
}
