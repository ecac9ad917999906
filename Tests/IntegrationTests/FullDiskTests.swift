import Glibc
import Shoal
import TestSupport
import Testing

/// A file system of a few megabytes of memory, where the process may mount one.
private final class SmallDisk: Sendable {
    let path: String

    /// `nil` without the right to mount.
    init?(at path: String, megabytes: Int) {
        self.path = path
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else { return nil }
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    /// Makes room.
    func grow(megabytes: Int) -> Bool { mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT), "size=\(megabytes)m") == 0 }
}

@Suite("Full disk", .serialized)
struct FullDiskTests {
    @Test("a download pauses when the disk is full, says so, and goes on once there is room")
    func pausesAndGoesOn() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            try folder.makeFolder("to")
            guard let disk = SmallDisk(at: folder.path("to"), megabytes: 2) else {
                return print("not tried: this process may not mount a file system")
            }
            let data = folder.pattern(5 << 20)
            try folder.write(data, to: "from/file.bin")
            let lonely = Lonely()
            let (sharer, address) = try await lonely.node()
            let (fetcher, _) = try await lonely.node()
            var request = ShareRequest(paths: [folder.path("from/file.bin")])
            request.pieceLength = 65_536
            let hash = try await sharer.share(request).infoHash
            _ = try await fetcher.fetch(.infoHash(hash), FetchOptions(to: disk.path, peers: [address]))
            let error = try await #require(throws: ShoalError.self) { try await fetcher.completion(of: hash) }
            #expect(error.code == .files)
            #expect(error.message.contains("space"))
            let waiting = try await fetcher.first { event -> String? in
                if case .progress(let progress) = event, progress.state == .paused { progress.waitingFor } else { nil }
            }
            #expect(waiting == error.message)
            #expect(disk.grow(megabytes: 20))
            _ = try await fetcher.completion(of: hash)
            #expect(try folder.read("to/file.bin") == data)
            await lonely.stop()
        }
    }

    @Test("a node stops while it is paused")
    func stopsWhilePaused() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            try folder.makeFolder("to")
            guard let disk = SmallDisk(at: folder.path("to"), megabytes: 1) else {
                return print("not tried: this process may not mount a file system")
            }
            try folder.write(folder.pattern(3 << 20), to: "from/file.bin")
            let lonely = Lonely()
            let (sharer, address) = try await lonely.node()
            let fetcher = try await lonely.node { $0.stateFolder = folder.path("state") }.node
            let hash = try await sharer.share(ShareRequest(paths: [folder.path("from/file.bin")])).infoHash
            _ = try await fetcher.fetch(.infoHash(hash), FetchOptions(to: disk.path, peers: [address]))
            await #expect(throws: ShoalError.self) { try await fetcher.completion(of: hash) }
            await lonely.stop()
        }
    }
}
