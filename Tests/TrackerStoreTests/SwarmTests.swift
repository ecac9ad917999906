import Primitives
import TestSupport
import Testing
import TrackerStore

@Suite("Swarms, nodes, lists and counts in the database")
struct SwarmTests {
    private func swarm(_ value: UInt32, _ peers: [UInt8], saved: Int64 = 100) -> SavedSwarm {
        SavedSwarm(infoHash: infoHash(value), peers: peers, saved: saved)
    }

    @Test("a node finds its swarms again, page by page", arguments: Database.all)
    func loading(_ kind: Database) throws {
        let database = try TestDatabase(kind)
        // More than one batch, and out of order.
        let swarms = (0..<300).map { swarm(UInt32(299 - $0), [1, UInt8(truncatingIfNeeded: $0)]) }
        try database.open().saveSwarms(swarms, of: "one")

        let store = try database.open()
        let first = try store.swarms(of: "one", after: nil, limit: 200)
        let second = try store.swarms(of: "one", after: first.last?.infoHash, limit: 200)
        #expect(first + second == swarms.reversed())
        #expect(try store.swarms(of: "two", after: nil, limit: 200) == [])
    }

    @Test("other nodes read what was saved since their last look", arguments: Database.all)
    func others(_ kind: Database) throws {
        let database = try TestDatabase(kind)
        let (one, two) = (try database.open(), try database.open())
        try one.saveSwarms([swarm(1, [1]), swarm(2, [2], saved: 50)], of: "one")
        try two.saveSwarms([swarm(1, [9])], of: "two")

        let first = try two.swarmsOfOthers(than: "two", after: -1, since: 90, limit: 10)
        #expect(first.swarms == [swarm(1, [1])])
        try one.saveSwarms([swarm(3, [3]), swarm(1, [])], of: "one")
        let second = try two.swarmsOfOthers(than: "two", after: first.change, since: 90, limit: 10)
        #expect(second.swarms == [swarm(3, [3])])
        #expect(try one.swarms(of: "one", after: nil, limit: 10).map(\.infoHash) == [infoHash(2), infoHash(3)])
        #expect(try two.swarmsOfOthers(than: "two", after: second.change, since: 90, limit: 10).swarms == [])
    }

    @Test("a batch fails as a whole, and the connection goes on", arguments: Database.all)
    func failingBatch(_ kind: Database) throws {
        let store = try TestDatabase(kind).open()
        try store.saveSwarms([swarm(1, [1])], of: "one")
        // PostgreSQL takes no NUL in a text; SQLite does.
        try? store.saveSwarms([swarm(2, [2]), swarm(3, [])], of: "a\0b")
        #expect(try store.swarms(of: "one", after: nil, limit: 9) == [swarm(1, [1])])
        try store.saveSwarms([swarm(2, [2])], of: "one")
        #expect(try store.swarms(of: "one", after: nil, limit: 9).count == 2)
    }

    @Test("nodes know of each other, until nothing is heard of one", arguments: Database.all)
    func nodes(_ kind: Database) throws {
        let store = try TestDatabase(kind).open()
        let one = TrackerPeerNode(id: "one", url: "http://a/announce", seen: 100)
        let two = TrackerPeerNode(id: "two", url: "http://b/announce", seen: 200)
        try store.publishNode(one, forgetting: 0)
        try store.saveSwarms([swarm(1, [1], saved: 100)], of: "one")
        try store.publishNode(two, forgetting: 0)
        #expect(try store.nodes(since: 0) == [two, one])
        #expect(try store.nodes(since: 101) == [two])

        try store.publishNode(two, forgetting: 150)
        #expect(try store.nodes(since: 0) == [two])
        #expect(try store.swarms(of: "one", after: nil, limit: 9) == [])
        try store.withdrawNode("two")
        #expect(try store.nodes(since: 0) == [])
    }

    @Test("a list is replaced as a whole, and its change is seen", arguments: Database.all)
    func lists(_ kind: Database) throws {
        let store = try TestDatabase(kind).open()
        let start = try store.listChange()
        try store.setList(.deny, to: [infoHash(1), infoHash(2)])
        let changed = try store.listChange()
        #expect(changed > start)
        #expect(try store.list(.deny) == [infoHash(1), infoHash(2)])
        #expect(try store.list(.allow) == [])
        try store.setList(.deny, to: [infoHash(2), infoHash(1)])
        #expect(try store.listChange() == changed)
        try store.setList(.deny, to: [infoHash(3)])
        #expect(try store.list(.deny) == [infoHash(3)])
    }

    @Test("two nodes count into one number, and what was counted longest ago makes room", arguments: Database.all)
    func downloads(_ kind: Database) throws {
        let database = try TestDatabase(kind)
        let (one, two) = (try database.open(), try database.open())
        try one.addDownloads([infoHash(1): 2, infoHash(2): 1], now: 10, most: 100)
        try two.addDownloads([infoHash(1): 3, infoHash(3): 1], now: 20, most: 100)

        #expect(try one.downloads(after: nil, limit: 2).map(\.count) == [5, 1])
        #expect(try one.downloads(after: infoHash(2), limit: 2).map(\.count) == [1])
        try one.addDownloads([infoHash(4): 1], now: 30, most: 3)
        #expect(try one.downloads(after: nil, limit: 9).map(\.infoHash) == [infoHash(1), infoHash(3), infoHash(4)])
    }
}
