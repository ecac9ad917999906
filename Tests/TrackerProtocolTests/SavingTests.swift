import Availability
import Primitives
import Testing

@testable import TrackerProtocol

@Suite("Swarms that are written down")
struct SavingTests {
    /// What all shards have to write.
    private static func changes(of tracker: inout TrackerDialogue) -> ShardChanges {
        var all = ShardChanges()
        for shard in 0..<Registry.shardCount {
            let changes = tracker.registry.takeChanges(ofShard: shard, at: tracker.now)
            all.add(changes)
        }
        return all
    }

    private static func restore(
        _ changes: ShardChanges,
        into tracker: inout TrackerDialogue,
        writtenAgo age: Duration = .zero,
        isForeign: Bool = false
    ) {
        for (infoHash, bytes) in changes.swarms {
            tracker.registry.restore(
                bytes.span.bytes,
                of: infoHash,
                writtenAgo: age,
                isForeign: isForeign,
                at: tracker.now
            )
        }
    }

    @Test("a restarted tracker knows its peers, seeds, keys, pieces and counts as before")
    func restart() throws {
        var first = TrackerDialogue()
        first.now = .zero + .seconds(5000)
        first.announce(.completed, from: "1.1.1.1", peer: 1, left: 0)
        first.announce(from: "2.2.2.2", peer: 2, key: 77)
        first.announce(from: "2001:db8::3", peer: 3)
        let blob = try #require(HaveBlob(Bitfield(filled: 9)))
        let seed = try #require(Endpoint("1.1.1.1:6881"))
        first.registry.hold(blob, of: seed, for: TrackerDialogue.torrent(1))
        let changes = SavingTests.changes(of: &first)

        var second = TrackerDialogue(seed: 2)
        SavingTests.restore(changes, into: &second)
        for (infoHash, count) in changes.downloads { second.registry.restore(downloads: count, of: infoHash) }
        #expect(second.scrape() == [1, 1, 1])
        #expect(second.scrape(1, .v6) == [0, 1, 1])
        #expect(second.announce(from: "9.9.9.9", peer: 9) == ["1.1.1.1:6881", "2.2.2.2:6881"])
        // The same peer at another address proves itself by its key, and completing still counts once.
        #expect(second.announce(from: "4.4.4.4", peer: 2, key: 77) == ["1.1.1.1:6881", "9.9.9.9:6881"])
        second.announce(.completed, from: "1.1.1.1", peer: 1, left: 0)
        #expect(second.scrape() == [1, 1, 2])
        let holders = second.registry.holders(of: TrackerDialogue.torrent(1), for: .v4(0x0909_0909))
        #expect(holders?.pieceCount == 9)
        #expect(holders?.holders.first == [seed])
    }

    @Test("only what changed is written, and what could not be written is written the next time")
    func changes() {
        var tracker = TrackerDialogue()
        tracker.announce(.completed, from: "1.1.1.1", torrent: 1, left: 0)
        tracker.announce(from: "1.1.1.1", torrent: 2)
        let first = SavingTests.changes(of: &tracker)
        #expect(first.swarms.count == 2)
        #expect(first.downloads == [TrackerDialogue.torrent(1): 1])
        #expect(SavingTests.changes(of: &tracker).isEmpty)
        tracker.announce(from: "1.1.1.1", torrent: 2)
        #expect(SavingTests.changes(of: &tracker).swarms.keys.map(\.self) == [TrackerDialogue.torrent(2)])
        tracker.registry.putBack(first)
        #expect(SavingTests.changes(of: &tracker) == first)
        tracker.announce(.stopped, from: "1.1.1.1", torrent: 2)
        #expect(SavingTests.changes(of: &tracker).swarms == [TrackerDialogue.torrent(2): []])
    }

    @Test("peers that were silent too long when they were written down do not come back")
    func age() {
        var first = TrackerDialogue()
        first.announce(from: "1.1.1.1", peer: 1)
        first.now = .zero + .seconds(1600)
        first.announce(from: "2.2.2.2", peer: 2)
        let changes = SavingTests.changes(of: &first)
        var second = TrackerDialogue()
        SavingTests.restore(changes, into: &second, writtenAgo: .seconds(3000))
        #expect(second.registry.peerCount == 1)
        #expect(second.announce(from: "9.9.9.9", peer: 9) == ["2.2.2.2:6881"])
        // Its time went on while nothing ran.
        second.now = .zero + .seconds(700)
        second.sweep()
        #expect(
            second.registry.peers(of: TrackerDialogue.torrent(1), atMost: 9).map(\.endpoint.description) == [
                "9.9.9.9:6881"
            ]
        )
    }

    @Test("peers of another tracker are handed out, not written down as ours, and end after an interval")
    func foreign() {
        var other = TrackerDialogue()
        other.announce(from: "1.1.1.1", peer: 1, left: 0)
        other.announce(from: "2.2.2.2", peer: 2)
        let changes = SavingTests.changes(of: &other)
        var tracker = TrackerDialogue()
        tracker.announce(from: "2.2.2.2", peer: 2)
        _ = SavingTests.changes(of: &tracker)
        SavingTests.restore(changes, into: &tracker, isForeign: true)
        #expect(tracker.announce(from: "9.9.9.9", peer: 9) == ["1.1.1.1:6881", "2.2.2.2:6881"])
        let listed = tracker.registry.peers(of: TrackerDialogue.torrent(1), atMost: 9)
        #expect(listed.filter(\.isForeign).map(\.endpoint.description) == ["1.1.1.1:6881"])
        // What is written down are the two that announced here.
        var third = TrackerDialogue()
        SavingTests.restore(SavingTests.changes(of: &tracker), into: &third)
        #expect(third.registry.peerCount == 2)
        tracker.now = .zero + .seconds(1832)
        tracker.sweep()
        #expect(tracker.announce(from: "9.9.9.9", peer: 9) == ["2.2.2.2:6881"])
        // Whoever announces here too is ours.
        SavingTests.restore(changes, into: &tracker, isForeign: true)
        tracker.announce(from: "1.1.1.1", peer: 1, left: 0)
        #expect(!tracker.registry.peers(of: TrackerDialogue.torrent(1), atMost: 9).contains { $0.isForeign })
    }

    @Test("bytes that are cut off anywhere, or changed anywhere, harm nobody", arguments: [1, 2, 3])
    func damage(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var first = TrackerDialogue()
        for number in 0..<5 { first.announce(from: "1.1.1.\(number)", peer: UInt32(number)) }
        first.announce(from: "2001:db8::3", peer: 3)
        let bytes = try #require(SavingTests.changes(of: &first).swarms.values.first)
        for length in 0..<bytes.count {
            var second = TrackerDialogue()
            SavingTests.restore(ShardChanges(Array(bytes.prefix(length))), into: &second)
            #expect(second.registry.peerCount <= 6)
            var damaged = bytes
            damaged[length] ^= UInt8.random(in: 1...255, using: &random)
            SavingTests.restore(ShardChanges(damaged), into: &second)
            #expect(second.registry.peerCount <= 12)
        }
    }
}

extension ShardChanges {
    fileprivate init(_ swarm: [UInt8]) {
        self.init()
        swarms = [TrackerDialogue.torrent(1): swarm]
    }

    fileprivate mutating func add(_ other: ShardChanges) {
        swarms.merge(other.swarms) { $1 }
        downloads.merge(other.downloads) { $1 }
    }
}
