import Glibc
import Metainfo
import PeerWire
import Primitives
import SecurePeer
import Storage
import Swarming
import TestSupport
import Testing

@testable import Shoal

@Suite("Node core", .serialized)
struct CoreTests {
    @Test("a stop does not wait for a disk that hangs, nor does the end of the core")
    func hangingDisk() async throws {
        try await withCore { stage in
            let isReleased = EventLog<Bool>()
            let threads = try await stage.perform { _, core in
                for _ in 0..<core.disk.threadCount + 1 {
                    core.disk.submit {
                        _ = poll(nil, 0, 8000)
                        isReleased.record(true)
                    } then: {
                    }
                }
                return core.disk.threadCount
            }
            #expect(threads > 0)
            await stage.stop()
            // Eight seconds are not over: nobody waited for them.
            await #expect(throws: DeadlineExceeded.self) { try await isReleased.next(within: .milliseconds(1)) }
        }
    }

    @Test("what runs on a worker has ended when a stop ends")
    func busyDisk() async throws {
        try await withCore { stage in
            let done = EventLog<Int>()
            try await stage.perform { _, core in
                for index in 0..<20 {
                    core.disk.submit {
                        index
                    } then: {
                        done.record($0)
                    }
                }
            }
            await stage.stop()
            #expect(try await Set(done.next(20, within: .milliseconds(100))) == Set(0..<20))
        }
    }

    @Test("with all places of a torrent taken nothing is dialled, and no timer rings for it")
    func fullTorrent() async throws {
        try await withCore { stage in
            try await stage.perform { _, core in
                let hash = try #require(InfoHash(hex: String(repeating: "ef", count: 20)))
                let torrent = TorrentSession(infoHash: hash, purpose: .share, core: core)
                for port in UInt16(1)...300 {
                    torrent.directory.add(Endpoint(.loopbackV4, 10_000 + port), source: .user, at: core.now)
                }
                // Room for 16 dials at a time, and none for the rest until one of them ends.
                core.turn { torrent.dial() }
                #expect(torrent.directory.diallingCount == 16)
                #expect(torrent.directory.nextDeadline == nil)
                #expect(torrent.dialAlarm.isSet == false)
                torrent.phase = .running
                let sessions = (0..<TorrentSession.maximumPeers).map { _ in
                    PeerSession(
                        dialling: Endpoint(.loopbackV4, 1),
                        source: .dht,
                        by: .plain,
                        for: torrent,
                        core: core
                    )
                }
                for session in sessions { torrent.sessions[session.handle] = session }
                for session in core.sessions(of: torrent).prefix(4) { core.turn { session.close(.unreachable) } }
                #expect(torrent.directory.diallingCount == 12)
                #expect(!torrent.dialAlarm.isSet)
            }
            await stage.stop()
        }
    }

    @Test("a dial that finds a peer that is here already ends as connected, and frees its place")
    func twinEndsDial() async throws {
        try await withCore { stage in
            try await stage.perform { _, core in
                let hash = try #require(InfoHash(hex: String(repeating: "ef", count: 20)))
                let torrent = TorrentSession(infoHash: hash, purpose: .share, core: core)
                let place = Endpoint(.loopbackV4, 9000)
                torrent.directory.add(place, source: .dht, at: core.now)
                #expect(torrent.directory.next(at: core.now) == place)
                let remote = Handshake(infoHash: hash, peerID: PeerID(.zero))
                let twin = try torrent.introduce(remote, from: Endpoint(.loopbackV4, 1))
                twin.candidate = nil
                torrent.opened(twin)
                // The smaller peer ID is the other's, so that what we dialled goes.
                let dialled = try torrent.introduce(remote, from: place)
                #expect(!torrent.admits(dialled))
                dialled.close(.duplicate)
                #expect(torrent.directory.diallingCount == 0)
                #expect(torrent.directory.connectedCount == 1)
                twin.close(.remote)
                #expect(torrent.directory.connectedCount == 0)
                #expect(torrent.directory.nextDeadline != nil)
            }
            await stage.stop()
        }
    }

    @Test("a fetch or share after the stop has begun is refused")
    func afterStop() async throws {
        try await withCore { stage in
            try await stage.perform { _, core in
                core.turn { core.stop {} }
                let hash = String(repeating: "ef", count: 20)
                #expect(throws: ShoalError.self) { try core.fetch(.infoHash(hash), FetchOptions()) }
            }
            await stage.stop()
        }
    }
}

extension TorrentSession {
    /// A connection without a socket whose other end has sent its handshake.
    fileprivate func introduce(_ handshake: Handshake, from endpoint: Endpoint) throws -> PeerSession {
        let session = PeerSession(dialling: endpoint, source: .dht, by: .plain, for: self, core: core)
        var writer = ByteWriter()
        handshake.write(to: &writer)
        _ = try session.connection.next(in: writer.bytes.span.bytes, at: core.now)
        return session
    }
}
