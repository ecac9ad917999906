import Metainfo
import PeerWire
import Primitives
import Shoal
import TestSupport
import Testing

/// Peers that lie, break the rules or waste time; the file arrives all the same.
@Suite("Hostile peers", .serialized)
struct HostileTests {
    private static let pieceLength = 65_536

    fileprivate struct Stage {
        let folder: TemporaryFolder
        let lonely = Lonely()
        let data: [UInt8]
        let sharer: Node
        let address: String
        let torrent: TorrentInfo
        var layout: PieceLayout { PieceLayout(totalSize: torrent.size, pieceLength: torrent.pieceLength) }
        var options: FetchOptions { FetchOptions(to: folder.path("to"), peers: [address]) }

        init(size: Int = 1_000_000) async throws {
            folder = try TemporaryFolder()
            data = folder.pattern(size)
            try folder.write(data, to: "from/file.bin")
            try folder.makeFolder("to")
            (sharer, address) = try await lonely.node()
            var request = ShareRequest(paths: [folder.path("from/file.bin")])
            request.pieceLength = HostileTests.pieceLength
            torrent = try await sharer.share(request)
        }
    }

    @Test("the file arrives from the one honest peer beside three that misbehave", arguments: Misdeed.allCases)
    func misdeeds(misdeed: Misdeed) async throws {
        try await withDeadline {
            let stage = try await Stage()
            let hostile = HostilePeer(misdeed: misdeed, layout: stage.layout)
            let others = try (0..<3).map { _ in try RawListener { hostile.play($0) } }
            var options = stage.options
            options.peers = others.map(\.address) + options.peers
            let fetcher = try await stage.lonely.node().node
            _ = try await fetcher.complete(.infoHash(stage.torrent.infoHash), options)
            #expect(try stage.folder.read("to/file.bin") == stage.data)
            await stage.lonely.stop()
        }
    }

    @Test("who sends wrong data is banned, by name")
    func liarIsBanned() async throws {
        try await withDeadline {
            let stage = try await Stage(size: 3_000_000)
            let hostile = HostilePeer(misdeed: .wrongData, layout: stage.layout)
            let liar = try RawListener { hostile.play($0) }
            let fetcher = try await stage.lonely.node { $0.downloadLimit = 3_000_000 }.node
            let file = try #require(try await stage.sharer.torrentFile(stage.torrent.infoHash))
            var options = stage.options
            options.peers.append(liar.address)
            var gifts = Gifts()
            let hash = try await fetcher.fetch(.torrent(file.bytes), options)
            _ = try await fetcher.completion(of: hash) { gifts.note($0) }
            #expect(gifts.banned == [liar.address])
            #expect(try stage.folder.read("to/file.bin") == stage.data)
            await stage.lonely.stop()
        }
    }

    @Test("with liars only a fetch gives up, and names the bans")
    func liarsOnly() async throws {
        try await withDeadline {
            let stage = try await Stage()
            let hostile = HostilePeer(misdeed: .wrongData, layout: stage.layout)
            let liars = try (0..<2).map { _ in try RawListener { hostile.play($0) } }
            let file = try #require(try await stage.sharer.torrentFile(stage.torrent.infoHash))
            var options = stage.options
            options.peers = liars.map(\.address)
            options.timeout = 2
            let fetcher = try await stage.lonely.node().node
            let error = try await #require(throws: ShoalError.self) {
                try await fetcher.complete(.torrent(file.bytes), options)
            }
            #expect(error.code.exitCode == 3)
            #expect(liars.allSatisfy { error.message.contains($0.address) })
            await stage.lonely.stop()
        }
    }

    @Test("metadata comes from those that have it, whatever a liar says")
    func metadataLiar() async throws {
        try await withDeadline {
            let stage = try await Stage()
            let file = try #require(try await stage.sharer.torrentFile(stage.torrent.infoHash))
            let size = file.bytes.count - 30
            let liars = try (0..<2).map { index in
                // One names a wrong size, the other may hit the right one; both send rubbish.
                try RawListener { MetadataLiar(size: size + index * 7).play($0) }
            }
            var options = stage.options
            options.peers = liars.map(\.address) + options.peers
            let fetcher = try await stage.lonely.node().node
            _ = try await fetcher.complete(.infoHash(stage.torrent.infoHash), options)
            #expect(try stage.folder.read("to/file.bin") == stage.data)
            await stage.lonely.stop()
        }
    }

    // MARK: Against a sharer

    @Test("a handshake and messages that come byte by byte are understood")
    func byteByByte() async throws {
        try await withDeadline {
            let stage = try await Stage()
            let wire = try RawConnection.dial(stage.address)
            let hash = try #require(InfoHash(hex: stage.torrent.infoHash))
            var writer = ByteWriter()
            Handshake(infoHash: hash, peerID: PeerID(.zero)).write(to: &writer)
            MessageWriter.haveNone(to: &writer)
            MessageWriter.interested(to: &writer)
            for byte in writer.bytes { wire.send([byte]) }
            _ = wire.receive(Handshake.byteCount)
            var ids: [UInt8] = []
            while !ids.contains(1), let message = wire.message() { ids.append(message.id) }
            #expect(ids.contains(1))
            try await stage.expectServes()
        }
    }

    @Test("who asks and never reads is closed, and holds no memory for long")
    func readsNothing() async throws {
        try await withDeadline {
            let stage = try await Stage()
            let (wire, _) = try #require(try RawConnection.greet(stage.address, stage.torrent.infoHash))
            var writer = ByteWriter()
            for _ in 0..<1000 { MessageWriter.request(Block(piece: .max, begin: 0, length: 1), to: &writer) }
            // Each is answered with a reject of the same length: the answers fill the sockets, then the queue.
            var rounds = 0
            while rounds < 3000, wire.send(writer.bytes) { rounds += 1 }
            #expect(rounds < 3000)
            try await stage.expectServes()
        }
    }

    @Test("a peer that names port after port is listened to once")
    func portFlood() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            try folder.write(folder.pattern(100_000), to: "from/file.bin")
            let sharer = Node(.loopback)
            let address = try await sharer.listening()
            let torrent = try await sharer.share(ShareRequest(paths: [folder.path("from/file.bin")]))
            let (wire, _) = try #require(try RawConnection.greet(address, torrent.infoHash))
            let victims = try (0..<3).map { _ in try RawDatagrams() }
            for victim in victims { wire.write { MessageWriter.port(victim.port, to: &$0) } }
            #expect(victims[0].receive() != nil)
            #expect(victims[1].receive(within: 0.3) == nil)
            #expect(victims[2].receive(within: 0.1) == nil)
            await sharer.stop()
        }
    }

    @Test("hundreds of connections that say nothing keep nobody out")
    func silentCrowd() async throws {
        try await withDeadline {
            let stage = try await Stage()
            let crowd = try (0..<450).map { _ in try RawConnection.dial(stage.address) }
            try await stage.expectServes()
            // The oldest made room.
            #expect(crowd[0].isClosedByPeer())
        }
    }

    @Test("another connection under the same peer ID does not close one that stands")
    func stolenPeerID() async throws {
        try await withDeadline {
            let stage = try await Stage()
            let (first, _) = try #require(try RawConnection.greet(stage.address, stage.torrent.infoHash))
            for _ in 0..<3 {
                let second = try RawConnection.greet(stage.address, stage.torrent.infoHash)
                #expect(second?.0.isClosedByPeer() ?? true)
            }
            first.write { MessageWriter.interested(to: &$0) }
            var ids: [UInt8] = []
            while !ids.contains(1), let message = first.message() { ids.append(message.id) }
            #expect(ids.contains(1))
            await stage.lonely.stop()
        }
    }
}

extension HostileTests.Stage {
    /// An honest fetcher still gets the file.
    fileprivate func expectServes() async throws {
        let fetcher = try await lonely.node().node
        _ = try await fetcher.complete(.infoHash(torrent.infoHash), options)
        #expect(try folder.read("to/file.bin") == data)
        await lonely.stop()
    }
}

/// Offers metadata of some size and answers every request with rubbish of the right length.
private struct MetadataLiar {
    let size: Int

    func play(_ wire: RawConnection) {
        guard let theirs = wire.receive(Handshake.byteCount), let handshake = try? Handshake(theirs.span.bytes) else {
            return
        }
        var system = SystemRandomNumberGenerator()
        let id = PeerID(UInt160.random(using: &system))
        wire.write { Handshake(infoHash: handshake.infoHash, peerID: id).write(to: &$0) }
        wire.extended("d1:md11:ut_metadatai1ee13:metadata_sizei\(size)ee")
        while let message = wire.message() {
            guard message.id == 20, message.body.first == 1 else { continue }
            let rubbish = String(repeating: "x", count: min(size, 16_384))
            wire.extended("d8:msg_typei1e5:piecei0e10:total_sizei\(size)ee" + rubbish, id: 2)
        }
    }
}
