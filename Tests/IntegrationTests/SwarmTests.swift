import Glibc
import Shoal
import TestSupport
import Testing

/// Several nodes at once: who gives what to whom.
@Suite("Swarms", .serialized)
struct SwarmTests {
    @Test("two nodes with different halves complete each other, and a third completes from both")
    func halves() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let data = folder.pattern(2_000_000)
            try folder.write(data, to: "made/file.bin")
            let lonely = Lonely()
            var request = ShareRequest(paths: [folder.path("made/file.bin")])
            request.pieceLength = 65_536
            let torrent = try await lonely.node().node.makeTorrent(request)
            let middle = 15 * 65_536
            try folder.write(data[..<middle], at: 0, of: "a/file.bin")
            try folder.write(data[middle...], at: middle, of: "b/file.bin")
            let (first, a) = try await lonely.node()
            let (second, b) = try await lonely.node()
            let (third, _) = try await lonely.node()
            try folder.makeFolder("c")
            async let one = first.complete(.torrent(torrent.bytes), FetchOptions(to: folder.path("a"), peers: [b]))
            async let two = second.complete(.torrent(torrent.bytes), FetchOptions(to: folder.path("b"), peers: [a]))
            let options = FetchOptions(to: folder.path("c"), peers: [a, b])
            _ = try await third.complete(.torrent(torrent.bytes), options)
            let gained = try await (one.downloaded, two.downloaded)
            #expect(gained.0 < 1_300_000 && gained.1 < 1_300_000)
            for name in ["a", "b", "c"] { #expect(try folder.read(name + "/file.bin") == data) }
            await lonely.stop()
        }
    }

    @Test("four complete sharers each carry a tenth at least")
    func fourSharers() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let data = folder.pattern(24 << 20)
            try folder.write(data, to: "from/file.bin")
            let lonely = Lonely()
            var request = ShareRequest(paths: [folder.path("from/file.bin")])
            request.pieceLength = 65_536
            var addresses: [String] = []
            var hash = ""
            for _ in 0..<4 {
                let (node, address) = try await lonely.node()
                hash = try await node.share(request).infoHash
                addresses.append(address)
            }
            let fetcher = try await lonely.node().node
            try folder.makeFolder("to")
            var gifts = Gifts()
            let options = FetchOptions(to: folder.path("to"), peers: addresses)
            _ = try await fetcher.completion(of: fetcher.fetch(.infoHash(hash), options)) { gifts.note($0) }
            for address in addresses { #expect(gifts.bytes[address] ?? 0 >= Int64(data.count / 10)) }
            #expect(try folder.read("to/file.bin") == data)
            await lonely.stop()
        }
    }

    @Test("whoever has fetched serves others after the first sharer is gone")
    func seedsAfterFetch() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let data = folder.pattern(700_000)
            try folder.write(data, to: "from/file.bin")
            let lonely = Lonely()
            let (sharer, a) = try await lonely.node()
            let (second, b) = try await lonely.node()
            let (third, _) = try await lonely.node()
            let hash = try await sharer.share(ShareRequest(paths: [folder.path("from/file.bin")])).infoHash
            for name in ["b", "c"] { try folder.makeFolder(name) }
            _ = try await second.complete(.infoHash(hash), FetchOptions(to: folder.path("b"), peers: [a]))
            await sharer.stop()
            _ = try await third.complete(.infoHash(hash), FetchOptions(to: folder.path("c"), peers: [b]))
            #expect(try folder.read("c/file.bin") == data)
            await lonely.stop()
        }
    }

    @Test("who came for the metadata before we had any gets it from us once we have")
    func passesMetadataOn() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let data = folder.pattern(300_000)
            try folder.write(data, to: "from/file.bin")
            let lonely = Lonely()
            let (sharer, a) = try await lonely.node()
            let (second, b) = try await lonely.node()
            let (third, _) = try await lonely.node()
            for name in ["b", "c"] { try folder.makeFolder(name) }
            let share = ShareRequest(paths: [folder.path("from/file.bin")])
            let hash = try await lonely.node().node.makeTorrent(share).info.infoHash
            _ = try await second.fetch(.infoHash(hash), FetchOptions(to: folder.path("b"), peers: [a]))
            _ = try await third.fetch(.infoHash(hash), FetchOptions(to: folder.path("c"), peers: [b]))
            _ = try await third.first { event in
                if case .peer(let peer) = event, peer.state == .connected { peer.address } else { nil }
            }
            // Only now is there anybody who knows what the torrent holds.
            try await sharer.share(share)
            _ = try await third.completion(of: hash)
            #expect(try folder.read("c/file.bin") == data)
            await lonely.stop()
        }
    }

    @Test("two hundred small files arrive, each as it was")
    func smallFiles() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            for index in 0..<200 { try folder.write(folder.pattern(index * 37), to: "from/tree/\(index % 7)/\(index)") }
            let lonely = Lonely()
            let (sharer, address) = try await lonely.node()
            let (fetcher, _) = try await lonely.node()
            try folder.makeFolder("to")
            let torrent = try await sharer.share(ShareRequest(paths: [folder.path("from/tree")]))
            #expect(torrent.files == 200)
            let options = FetchOptions(to: folder.path("to"), peers: [address])
            _ = try await fetcher.complete(.infoHash(torrent.infoHash), options)
            for index in 0..<200 {
                #expect(try folder.read("to/tree/\(index % 7)/\(index)") == folder.pattern(index * 37))
            }
            await lonely.stop()
        }
    }

    @Test("one node shares one torrent and fetches another at the same time, in both directions")
    func twoTorrents() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let (one, two) = (folder.pattern(900_000), folder.pattern(1_100_000))
            try folder.write(one, to: "one/one.bin")
            try folder.write(two, to: "two/two.bin")
            let lonely = Lonely()
            let (first, a) = try await lonely.node()
            let (second, b) = try await lonely.node()
            let oneHash = try await first.share(ShareRequest(paths: [folder.path("one/one.bin")])).infoHash
            let twoHash = try await second.share(ShareRequest(paths: [folder.path("two/two.bin")])).infoHash
            let fetchOne = FetchOptions(to: folder.path("two"), peers: [a])
            let fetchTwo = FetchOptions(to: folder.path("one"), peers: [b])
            async let left = first.complete(.infoHash(twoHash), fetchTwo)
            async let right = second.complete(.infoHash(oneHash), fetchOne)
            _ = try await (left, right)
            #expect(try folder.read("one/two.bin") == two)
            #expect(try folder.read("two/one.bin") == one)
            await lonely.stop()
        }
    }

    @Test("a file is read in order while it arrives")
    func readInOrder() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let data = folder.pattern(3_000_000)
            try folder.write(data, to: "from/file.bin")
            let lonely = Lonely()
            let (sharer, address) = try await lonely.node()
            let (fetcher, _) = try await lonely.node()
            try folder.makeFolder("to")
            let hash = try await sharer.share(ShareRequest(paths: [folder.path("from/file.bin")])).infoHash
            var options = FetchOptions(to: folder.path("to"), peers: [address])
            options.standardOutput = true
            _ = try await fetcher.fetch(.infoHash(hash), options)
            var read: [UInt8] = []
            while let bytes = try await fetcher.readVerified(hash, at: Int64(read.count)) { read += bytes }
            #expect(read == data)
            await lonely.stop()
        }
    }

    @Test("only what was asked for arrives whole, and its neighbours are not finished")
    func onlyOne() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            for name in ["a", "b", "c"] { try folder.write(folder.pattern(100_000), to: "from/tree/" + name) }
            let lonely = Lonely()
            let (sharer, address) = try await lonely.node()
            let (fetcher, _) = try await lonely.node()
            try folder.makeFolder("to")
            let hash = try await sharer.share(ShareRequest(paths: [folder.path("from/tree")])).infoHash
            var options = FetchOptions(to: folder.path("to"), peers: [address])
            options.only = ["b"]
            let done = try await fetcher.complete(.infoHash(hash), options)
            #expect(try folder.read("to/tree/b") == folder.pattern(100_000))
            #expect(done.size < 200_000)
            #expect(try folder.read("to/tree/a") != folder.pattern(100_000))
            // The rest comes with a second fetch, to which the first one's neighbours are no strangers.
            await fetcher.stop()
            let (again, _) = try await lonely.node()
            _ = try await again.complete(.infoHash(hash), FetchOptions(to: folder.path("to"), peers: [address]))
            for name in ["a", "b", "c"] { #expect(try folder.read("to/tree/" + name) == folder.pattern(100_000)) }
            await lonely.stop()
        }
    }

    @Test("fetching what is there already ends at once and moves nothing")
    func alreadyThere() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            try folder.write(folder.pattern(500_000), to: "from/file.bin")
            let lonely = Lonely()
            let node = try await lonely.node().node
            let torrent = try await node.makeTorrent(ShareRequest(paths: [folder.path("from/file.bin")]))
            let done = try await node.complete(.torrent(torrent.bytes), FetchOptions(to: folder.path("from")))
            #expect(done.downloaded == 0)
            await lonely.stop()
        }
    }

    @Test("after a restart verified pieces are trusted and not fetched again")
    func resumes() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let data = folder.pattern(4_000_000)
            try folder.write(data, to: "from/file.bin")
            let lonely = Lonely()
            let (sharer, address) = try await lonely.node()
            let limited = try await lonely.node {
                $0.stateFolder = folder.path("state")
                $0.downloadLimit = 1_500_000
            }.node
            try folder.makeFolder("to")
            let hash = try await sharer.share(ShareRequest(paths: [folder.path("from/file.bin")])).infoHash
            let options = FetchOptions(to: folder.path("to"), peers: [address])
            _ = try await limited.fetch(.infoHash(hash), options)
            let before = try await limited.first { event -> Int64? in
                if case .progress(let progress) = event, progress.done > 1_000_000 { progress.done } else { nil }
            }
            await limited.stop()
            let again = try await lonely.node { $0.stateFolder = folder.path("state") }.node
            let done = try await again.complete(.infoHash(hash), options)
            #expect(done.downloaded <= Int64(data.count) - before + 65_536)
            #expect(try folder.read("to/file.bin") == data)
            await lonely.stop()
        }
    }
}
