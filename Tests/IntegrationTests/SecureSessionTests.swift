import Cryptography
import Primitives
import Shoal
import TestSupport
import Testing

/// Whole nodes that talk to each other securely, or refuse to (secure-peer.md, §3).
@Suite("Secure sessions", .serialized)
struct SecureSessionTests {
    /// One node shares a file; others know it by its address alone.
    private struct Stage {
        let lonely = Lonely()
        let folder: TemporaryFolder
        let data: [UInt8]
        let sharer: Node
        let key: String
        let address: String
        let torrent: TorrentInfo

        init(size: Int = 300_000, _ configure: (inout Configuration) -> Void = { _ in }) async throws {
            folder = try TemporaryFolder()
            data = folder.pattern(size)
            try folder.write(data, to: "from/file.bin")
            let listening: Listening
            (sharer, listening) = try await lonely.known(configure)
            (key, address) = (listening.key, listening.address)
            torrent = try await sharer.share(ShareRequest(paths: [folder.path("from/file.bin")]))
        }

        /// What became of a fetch, and of the peers on the way.
        struct Outcome {
            var peers: [PeerStatus] = []
            var isDone = false
            var error: ShoalError?
            var givers: [PeerStatus] { peers.filter { $0.downloaded > 0 } }
        }

        /// Fetches; to find nobody is an outcome too.
        func fetch(
            from peer: String? = nil,
            into target: String = "to",
            timeout: Double = 20,
            _ configure: (inout Configuration) -> Void = { _ in }
        ) async throws -> Outcome {
            let fetcher = try await lonely.known(configure).node
            try folder.makeFolder(target)
            var options = FetchOptions(to: folder.path(target), peers: [peer ?? address])
            options.timeout = timeout
            var outcome = Outcome()
            let hash = try await fetcher.fetch(.infoHash(torrent.infoHash), options)
            do {
                _ = try await fetcher.completion(of: hash) {
                    if case .peer(let peer) = $0 { outcome.peers.append(peer) }
                }
                outcome.isDone = true
                #expect(try folder.read(target + "/file.bin") == data)
            } catch let error as ShoalError {
                outcome.error = error
            }
            return outcome
        }
    }

    @Test("two nodes that meet through the DHT prove their keys to each other")
    func meeting() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let data = folder.pattern(2_000_000)
            try folder.write(data, to: "from/file.bin")
            try folder.makeFolder("to")
            let network = try await Network(folder: folder, nodes: 3)
            let sharer = try await network.node()
            let torrent = try await sharer.share(ShareRequest(paths: [folder.path("from/file.bin")]))
            let fetcher = try await network.node()
            let hash = try await fetcher.fetch(.infoHash(torrent.infoHash), FetchOptions(to: folder.path("to")))
            var givers: [PeerStatus] = []
            _ = try await fetcher.completion(of: hash) {
                if case .peer(let peer) = $0, peer.downloaded > 0 { givers.append(peer) }
            }
            #expect(!givers.isEmpty)
            #expect(givers.allSatisfy { $0.isSecure && $0.key != nil })
            #expect(try folder.read("to/file.bin") == data)
            await network.stop()
        }
    }

    @Test(
        "what two policies come to",
        arguments: [
            (Configuration.SecurePolicy.prefer, Configuration.SecurePolicy.prefer, true),
            (.require, .require, true), (.require, .prefer, true), (.prefer, .require, true),
            (.off, .off, false), (.off, .prefer, false), (.prefer, .off, false),
        ]
    )
    func policies(sharer: Configuration.SecurePolicy, fetcher: Configuration.SecurePolicy, isSecure: Bool) async throws
    {
        try await withDeadline {
            let stage = try await Stage { $0.sessions.secure = sharer }
            let outcome = try await stage.fetch { $0.sessions.secure = fetcher }
            #expect(!outcome.givers.isEmpty)
            #expect(outcome.givers.allSatisfy { $0.isSecure == isSecure && $0.key == (isSecure ? stage.key : nil) })
            await stage.lonely.stop()
        }
    }

    @Test(
        "who requires secure sessions and who has none do not talk (N20)",
        arguments: [(Configuration.SecurePolicy.require, Configuration.SecurePolicy.off), (.off, .require)]
    )
    func incompatible(sharer: Configuration.SecurePolicy, fetcher: Configuration.SecurePolicy) async throws {
        try await withDeadline {
            let stage = try await Stage { $0.sessions.secure = sharer }
            let outcome = try await stage.fetch(timeout: 2) { $0.sessions.secure = fetcher }
            #expect(!outcome.isDone && outcome.givers.isEmpty)
            #expect(outcome.error?.code == .noPeers)
            await stage.lonely.stop()
        }
    }

    @Test("a peer named with its key has to prove it (N27)", arguments: [true, false])
    func pinned(isRight: Bool) async throws {
        try await withDeadline {
            let stage = try await Stage()
            let other = try await stage.lonely.known().listening.key
            let peer = "\(isRight ? stage.key : other)@\(stage.address)"
            let outcome = try await stage.fetch(from: peer, timeout: isRight ? 20 : 2)
            #expect(outcome.isDone == isRight)
            if isRight {
                #expect(outcome.peers.allSatisfy { $0.isSecure && $0.key == stage.key })
            } else {
                #expect(outcome.peers.first?.state == .refused)
                #expect(outcome.peers.first?.reason == "peer_identity_mismatch")
                // The sentence names who is there and who should be.
                #expect(outcome.error?.code == .network)
                for name in [stage.address, stage.key, other] {
                    #expect(outcome.error?.message.contains(name) == true)
                }
            }
            await stage.lonely.stop()
        }
    }

    @Test("an address that is named twice, once with a key, has to prove it", arguments: [true, false])
    func pinnedBeside(isPlain: Bool) async throws {
        try await withDeadline {
            let stage = try await Stage { $0.sessions.secure = isPlain ? .off : .prefer }
            let fetcher = try await stage.lonely.known().node
            let other = try await stage.lonely.known().listening.key
            var options = FetchOptions(to: stage.folder.path("to"), peers: ["\(other)@\(stage.address)"])
            options.timeout = 2
            let link = "magnet:?xt=urn:btih:\(stage.torrent.infoHash)&x.pe=\(stage.address)"
            let hash = try await fetcher.fetch(.magnet(link), options)
            do {
                _ = try await fetcher.completion(of: hash)
                Issue.record("fetched from a peer that never proved the key")
            } catch let error as ShoalError {
                #expect(error.code == (isPlain ? .noPeers : .network))
            }
            await stage.lonely.stop()
        }
    }

    @Test("who was secure once and hangs up on a secure dial is not talked to in plain (N32)")
    func downgrade() async throws {
        try await withDeadline {
            let stage = try await Stage()
            let state = stage.folder.path("state")
            let first = try await stage.fetch { $0.stateFolder = state }
            #expect(first.isDone)
            await stage.lonely.stop()
            // The same address, where now only plain is spoken; what the fetcher remembers is in its folder.
            let address = stage.address
            let plain = try await stage.lonely.known {
                $0.listen = .endpoint(address)
                $0.sessions.secure = .off
            }
            _ = try await plain.node.share(ShareRequest(paths: [stage.folder.path("from/file.bin")]))
            let outcome = try await stage.fetch(into: "again", timeout: 2) { $0.stateFolder = state }
            #expect(!outcome.isDone && outcome.givers.isEmpty)
            #expect(outcome.peers.contains { $0.state == .refused && $0.reason == "secure_downgrade_refused" })
            await stage.lonely.stop()
        }
    }

    @Test("with a trusted list records are plain items of the DHT too, and lead those who know the key")
    func mirror() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            try folder.write(folder.pattern(100_000), to: "from/file.bin")
            let network = try await Network(folder: folder, nodes: 3)
            let member = try await network.node()
            let key = try NodeIdentity(stateFolder: folder.path("state-3")).key
            var request = ShareRequest(paths: [folder.path("from/file.bin")])
            request.sessions = SessionRules()
            request.sessions?.trustedKeys = [key]
            let sharer = try await network.node()
            let torrent = try await sharer.share(request)
            let sharerKey = try NodeIdentity(stateFolder: folder.path("state-4")).key
            let publicKey = try Ed25519.PublicKey(text: sharerKey).hex
            let hash = Hex.decode(torrent.infoHash) ?? []
            var item: DHTItem?
            while item == nil {
                item = try await member.item(publicKey, salt: Array("sp1h".utf8) + hash, timeout: 10)
            }
            #expect(item?.sequence ?? 0 > 1_700_000_000_000)
            await network.stop()
        }
    }

    @Test("only keys of the trusted list are let in, and only they are dialled (N30)", arguments: [true, false])
    func trusted(isSharers: Bool) async throws {
        try await withDeadline {
            let stranger = try await Lonely().known().listening.key
            let stage = try await Stage { if isSharers { $0.sessions.trustedKeys = [stranger] } }
            let outcome = try await stage.fetch(timeout: 2) { if !isSharers { $0.sessions.trustedKeys = [stranger] } }
            #expect(!outcome.isDone && outcome.givers.isEmpty)
            #expect(outcome.peers.contains { $0.reason == (isSharers ? "not_trusted_by_peer" : "not_trusted") })
            // The sentence at the end says so too, and of whom.
            #expect(outcome.error?.message.contains("\(stage.address): not trusted") == true)
            await stage.lonely.stop()
        }
    }

    @Test("whose key is taken off the list is shut out in the middle of a transfer, and let in again")
    func withdrawn() async throws {
        try await withDeadline {
            let stage = try await Stage(size: 3_000_000) { $0.uploadLimit = 1_000_000 }
            let (fetcher, listening) = try await stage.lonely.known()
            var options = FetchOptions(to: stage.folder.path("to"), peers: [stage.address])
            options.sessions = SessionRules()
            options.sessions?.secure = .require
            let hash = try await fetcher.fetch(.infoHash(stage.torrent.infoHash), options)
            var closings: [String?] = []
            var isWithdrawn = false
            for await event in fetcher.events {
                switch event {
                case .progress(let progress) where progress.done > 200_000 && !isWithdrawn:
                    isWithdrawn = true
                    try await stage.sharer.trust([stage.key], for: hash)
                case .peer(let peer) where peer.state == .closed && closings.isEmpty:
                    closings.append(peer.reason)
                    try await stage.sharer.trust([listening.key], for: hash)
                default: break
                }
                if case .done = event { break }
            }
            #expect(closings == ["not_trusted_by_peer"])
            #expect(try stage.folder.read("to/file.bin") == stage.data)
            await stage.lonely.stop()
        }
    }

    @Test("who trusts the other's key talks to it securely, without being told to")
    func trustedEachOther() async throws {
        try await withDeadline {
            let stage = try await Stage()
            let outcome = try await stage.fetch { $0.sessions.trustedKeys = [stage.key] }
            #expect(outcome.isDone && outcome.peers.allSatisfy { $0.isSecure && $0.key == stage.key })
            await stage.lonely.stop()
        }
    }

    @Test("a private swarm is for those who have its key (N29)", arguments: ["same", "another", "none"])
    func privateSwarm(fetchers: String) async throws {
        try await withDeadline {
            let keys = try TemporaryFolder()
            for name in ["same", "another"] { try SwarmKeyFile.make(at: keys.path(name)) }
            let stage = try await Stage { $0.sessions.swarmKeyFile = keys.path("same") }
            let isMember = fetchers == "same"
            let outcome = try await stage.fetch(timeout: isMember ? 20 : 2) {
                $0.sessions.swarmKeyFile = fetchers == "none" ? nil : keys.path(fetchers)
            }
            #expect(outcome.isDone == isMember)
            #expect(outcome.givers.allSatisfy { isMember && $0.isSecure && $0.key == stage.key })
            await stage.lonely.stop()
        }
    }

    @Test("over IPv6 all is the same")
    func overIPv6() async throws {
        try await withDeadline {
            let stage = try await Stage { $0.listen = .endpoint("[::1]:0") }
            let outcome = try await stage.fetch(from: "\(stage.key)@\(stage.address)") {
                $0.listen = .endpoint("[::1]:0")
            }
            #expect(outcome.isDone && outcome.peers.allSatisfy { $0.isSecure && $0.key == stage.key })
            #expect(stage.address.hasPrefix("[::1]:"))
            await stage.lonely.stop()
        }
    }

    @Test("a node takes part in sixteen private swarms and no more, however many torrents each has")
    func mostSwarms() async throws {
        let folder = try TemporaryFolder()
        let node = try await Lonely().node().node
        for number in 0..<17 {
            try SwarmKeyFile.make(at: folder.path("key-\(number)"))
            for half in ["a", "b"] {
                var options = FetchOptions(to: folder.path("to"))
                options.sessions = SessionRules()
                options.sessions?.swarmKeyFile = folder.path("key-\(number)")
                let hash = String(repeating: half, count: 38) + String(10 + number)
                do {
                    _ = try await node.fetch(.infoHash(hash), options)
                    #expect(number < 16)
                } catch {
                    #expect(number == 16 && error.code == .usage)
                }
            }
        }
        await node.stop()
    }

    @Test("a large file arrives whole through many records, and through slow ones", arguments: [nil, 6_000_000])
    func large(limit: Int?) async throws {
        try await withDeadline {
            let stage = try await Stage(size: 12_000_001) { $0.uploadLimit = limit }
            let outcome = try await stage.fetch { $0.sessions.secure = .require }
            #expect(outcome.isDone && outcome.peers.allSatisfy(\.isSecure))
            await stage.lonely.stop()
        }
    }
}
