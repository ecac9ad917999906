import Glibc
import Shoal
import Synchronization
import TestSupport
import Testing

/// Findings of a callback that runs on another thread.
final class Gathered<Finding: Sendable>: Sendable {
    private let findings = Mutex<[Finding]>([])
    var all: [Finding] { findings.withLock { $0 } }
    func add(_ finding: Finding) { findings.withLock { $0.append(finding) } }
}

@Suite("Questions to the DHT")
struct DHTTests {
    static let seconds = 15.0

    @Test("an immutable value is found by its hash, and another hash is nobody's")
    func immutable() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let network = try await Network(folder: folder, nodes: 4)
            let publisher = try await network.node()
            let receipt = try await publisher.put(Array("12:Hello World!".utf8), timeout: DHTTests.seconds)
            // SHA-1 of `12:Hello World!` (BEP 44).
            #expect(receipt.item.target == "e5f96f6f38320f0f33959cb4d3d656452117aadb")
            #expect(receipt.nodes > 0 && receipt.refusals == [])

            let reader = try await network.node()
            let item = try await reader.item(receipt.item.target, timeout: DHTTests.seconds)
            #expect(item == receipt.item)
            #expect(try await reader.item(String(repeating: "ab", count: 20), timeout: DHTTests.seconds) == nil)
            await network.stop()
        }
    }

    @Test("a signed value has versions: the next one wins, an old one and a wrong one to replace are refused")
    func mutable() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let network = try await Network(folder: folder, nodes: 4)
            let publisher = try await network.node()
            var version = DHTVersion(try PublisherKey(file: folder.path("key")) {})
            version.salt = Array("blog".utf8)
            version.sequence = 5
            _ = try await publisher.put(Array("3:one".utf8), as: version, timeout: DHTTests.seconds)

            version.sequence = nil
            let next = try await publisher.put(Array("3:two".utf8), as: version, timeout: DHTTests.seconds)
            #expect(next.item.sequence ?? 0 > 5)
            let same = try await publisher.put(Array("3:two".utf8), as: version, timeout: DHTTests.seconds)
            #expect(same.item == next.item, "what has not changed gets no new number")

            let reader = try await network.node()
            let key = version.key.publicKey
            let found = try await reader.item(key, salt: version.salt, timeout: DHTTests.seconds)
            #expect(found == next.item)
            #expect(try await reader.item(key, timeout: DHTTests.seconds) == nil, "without the salt it is another item")

            version.sequence = 4
            let old = await #expect(throws: ShoalError.self) {
                try await publisher.put(Array("3:old".utf8), as: version, timeout: DHTTests.seconds)
            }
            #expect(old?.code == .network)
            version.sequence = .max
            version.replacing = 1
            let unexpected = await #expect(throws: ShoalError.self) {
                try await publisher.put(Array("3:cas".utf8), as: version, timeout: DHTTests.seconds)
            }
            #expect(unexpected?.code == .network)
            #expect(unexpected?.message.contains("301") == true)
            #expect(try await reader.item(key, salt: version.salt, timeout: DHTTests.seconds) == next.item)
            await network.stop()
        }
    }

    @Test("nobody there is said as such", .timeLimit(.minutes(1)))
    func alone() async throws {
        let node = Node(.loopback)
        _ = try await node.listening()
        let error = await #expect(throws: ShoalError.self) {
            try await node.item(String(repeating: "ab", count: 20), timeout: 2)
        }
        #expect(error?.code == .noPeers)
        let put = await #expect(throws: ShoalError.self) { try await node.put(Array("2:hi".utf8), timeout: 2) }
        #expect(put?.code == .noPeers)
        await node.stop()
    }

    @Test("a count, a survey and samples of a shared torrent")
    func survey() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let network = try await Network(folder: folder, nodes: 4)
            let sharer = try await network.node()
            try folder.write(folder.pattern(3 * 16_384), to: "data")
            var request = ShareRequest(paths: [folder.path("data")])
            request.pieceLength = 16_384
            let torrent = try await sharer.share(request)
            let asker = try await network.node()

            // Every address of this network is the same, so every count is one.
            let scrape = try await asker.scrape(torrent.infoHash, timeout: DHTTests.seconds)
            #expect(scrape.seeds.rounded() == 1 && scrape.peers.rounded() == 0 && scrape.sources > 0)

            let holders = Gathered<DHTHolder>()
            let records = Gathered<DHTRecord>()
            _ = try await asker.holders(of: torrent.infoHash, timeout: DHTTests.seconds) {
                switch $0 {
                case .holder(let holder): holders.add(holder)
                case .record(let record): records.add(record)
                }
            }
            #expect(records.all.map(\.isSeed) == [true] && records.all.map(\.pieces) == [3])
            #expect(records.all.map(\.address) == holders.all.map(\.address))
            #expect(records.all.map(\.isAddressProved) == [true] && records.all.map(\.fault) == [nil])
            #expect(holders.all.map(\.state) == [.answered])
            #expect(holders.all.map(\.pieces) == [3] && holders.all.map(\.total) == [3])
            #expect(holders.all.map(\.isSeed) == [true])
            #expect(holders.all.first?.client == Node.clientName)

            let samples = Gathered<DHTSample>()
            try await asker.sample(around: torrent.infoHash, timeout: DHTTests.seconds) { samples.add($0) }
            #expect(samples.all.contains { $0.infoHashes == [torrent.infoHash] && $0.total == 1 })

            let unknown = await #expect(throws: ShoalError.self) {
                try await asker.scrape(String(repeating: "ab", count: 20), timeout: DHTTests.seconds)
            }
            #expect(unknown?.code == .notFound)
            await network.stop()
        }
    }

    @Test("a node knows its tables and what it did")
    func reports() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let network = try await Network(folder: folder, nodes: 4)
            let node = try await network.node()
            let table = try await node.routingTable(timeout: DHTTests.seconds)
            #expect(table.contacts.count >= 4)
            let good = table.buckets.reduce(0) { $0 + $1.good }
            #expect(good == table.contacts.count)
            let report = try #require(try await node.dhtReports().first)
            #expect(report.family == "ipv4" && report.nodeID.count == 40)
            #expect(report.nodes == good)
            #expect(report.queriesSent > 0 && report.repliesReceived > 0 && report.bytesSent > 0)
            #expect(report.roundTrip.map { $0 > 0 } == true)
            await network.stop()
        }
    }

    @Test("a publisher's link leads to the newest version, and again only to a newer one (BEP 46)")
    func updates() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let network = try await Network(folder: folder, nodes: 4)
            let publisher = try await network.node()
            let reader = try await network.node()
            var version = DHTVersion(try PublisherKey(file: folder.path("key")) {})
            version.isKept = true
            let hashes = [String(repeating: "11", count: 20), String(repeating: "22", count: 20)]

            let first = try await publisher.publish(hashes[0], as: version, timeout: DHTTests.seconds)
            #expect(first.magnet == "magnet:?xs=urn:btpk:\(version.key.publicKey)")
            let found = try #require(try await reader.newestVersion(of: first.magnet, timeout: DHTTests.seconds))
            #expect(found.infoHash == hashes[0] && found.sequence == first.sequence)
            let none = try await reader.newestVersion(
                of: first.magnet,
                newerThan: found.sequence,
                timeout: DHTTests.seconds
            )
            #expect(none == nil)

            let second = try await publisher.publish(hashes[1], as: version, timeout: DHTTests.seconds)
            #expect(second.sequence > first.sequence)
            let newer = try await reader.newestVersion(
                of: first.magnet,
                newerThan: found.sequence,
                timeout: DHTTests.seconds
            )
            #expect(newer?.infoHash == hashes[1] && newer?.previous == found.sequence)
            await network.stop()
        }
    }

    @Test("a key file is made once, for its owner alone, and is read again; one that others can read is refused")
    func keyFile() async throws {
        try await withDeadline {
            let folder = try TemporaryFolder()
            let path = folder.path("key")
            let missing = #expect(throws: ShoalError.self) { try PublisherKey(file: path) }
            #expect(missing?.code == .notFound)
            var made = 0
            let key = try PublisherKey(file: path) { made += 1 }
            #expect(try PublisherKey(file: path, orMake: { made += 1 }).publicKey == key.publicKey)
            #expect(made == 1)
            chmod(path, 0o644)
            let exposed = #expect(throws: ShoalError.self) { try PublisherKey(file: path) }
            #expect(exposed?.code == .files)
        }
    }
}
