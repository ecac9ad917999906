import Metainfo
import PeerWire
import Primitives
import Shoal
import TestSupport
import Testing

/// Connections of one peer, and what it says at the wrong moment.
@Suite("Connections", .serialized)
struct ConnectionTests {
    @Test("a peer that is connected already is dialled once, and not again and again")
    func twinIsNotDialledAgain() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let lonely = Lonely()
            let hash = String(repeating: "cd", count: 20)
            let dials = EventLog<Int>()
            // A peer ID of zeros is the smaller one, so the connection that it dialled is kept.
            let listener = try RawListener { wire in
                guard let hash = InfoHash(hex: hash) else { return }
                wire.write { Handshake(infoHash: hash, peerID: PeerID(.zero)).write(to: &$0) }
                dials.record(1)
                _ = wire.isClosedByPeer()
            }
            let (fetcher, address) = try await lonely.node()
            _ = try await fetcher.fetch(.infoHash(hash), FetchOptions(to: folder.root, peers: [listener.address]))
            let (twin, _) = try #require(try RawConnection.greet(address, hash))
            _ = try await dials.next()
            // Its next dial would come after a second.
            await #expect(throws: DeadlineExceeded.self) { try await dials.next(within: .seconds(3)) }
            #expect(twin.send([0, 0, 0, 0]))
            await lonely.stop()
        }
    }

    @Test("whoever dialled itself by another name finds out, and does it once")
    func ourselves() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let lonely = Lonely()
            let (fetcher, address) = try await lonely.node()
            let dials = EventLog<[UInt8]>()
            let mirror = try RawListener { wire in
                guard let upstream = try? RawConnection.dial(address), let question = wire.receive(68) else { return }
                upstream.send(question)
                let answer = upstream.receive(68) ?? []
                wire.send(answer)
                dials.record(answer)
                _ = wire.isClosedByPeer()
            }
            let hash = String(repeating: "cd", count: 20)
            _ = try await fetcher.fetch(.infoHash(hash), FetchOptions(to: folder.root, peers: [mirror.address]))
            #expect(try await dials.next().count == 68)
            // The next dial of a peer that the person named would come after a second.
            await #expect(throws: DeadlineExceeded.self) { try await dials.next(within: .seconds(3)) }
            await lonely.stop()
        }
    }

    @Test("a peer that unchokes before we know the torrent need not say so again")
    func earlyUnchoke() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let data = folder.pattern(100_000)
            try folder.write(data, to: "from/file.bin")
            let lonely = Lonely()
            let maker = try await lonely.node().node
            let file = try await maker.makeTorrent(ShareRequest(paths: [folder.path("from/file.bin")]))
            let torrent = try Torrent(parsing: file.bytes)
            let eager = EagerSharer(torrent: torrent, data: data)
            let listener = try RawListener { eager.play($0) }
            let fetcher = try await lonely.node().node
            try folder.makeFolder("to")
            let options = FetchOptions(to: folder.path("to"), peers: [listener.address])
            _ = try await fetcher.complete(.infoHash(file.info.infoHash), options)
            #expect(try folder.read("to/file.bin") == data)
            await lonely.stop()
        }
    }
}

/// Unchokes at once, gives metadata and blocks, and never unchokes again.
private struct EagerSharer {
    let torrent: Torrent
    let data: [UInt8]

    func play(_ wire: RawConnection) {
        guard wire.receive(Handshake.byteCount) != nil else { return }
        wire.write { Handshake(infoHash: torrent.infoHash, peerID: PeerID(.zero)).write(to: &$0) }
        wire.write { MessageWriter.haveAll(to: &$0) }
        wire.write { MessageWriter.unchoke(to: &$0) }
        let metadata = torrent.info.bytes
        wire.extended("d1:md11:ut_metadatai1ee13:metadata_sizei\(metadata.count)ee")
        while let message = wire.message() {
            if message.id == 20, message.body.first == 1 {
                wire.write { writer in
                    let answer = MetadataMessage.data(piece: 0, totalSize: metadata.count, bytes: metadata)
                    MessageWriter.metadata(answer, as: 2, to: &writer)
                }
            } else if message.id == 6, let asked = message.block {
                let start = Int(torrent.layout.offset(ofPiece: Int(asked.piece))) + Int(asked.begin)
                wire.write { writer in
                    MessageWriter.pieceHeader(asked, to: &writer)
                    writer.append(data[start..<start + Int(asked.length)])
                }
            }
        }
    }
}
