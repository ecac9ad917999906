import Primitives
import Testing
import TrackerProtocol

@Suite("Fetching chunks")
struct ChunkFetcherTests {
    static let hash = SHA1Digest(hex: ChunkLineTests.hash)
    static let other = SHA1Digest(hex: String(repeating: "ee", count: 20))
    static let a = ChunkTable.Holder(endpoint: Endpoint(.loopbackV4, 1), name: "a")
    static let b = ChunkTable.Holder(endpoint: Endpoint(.loopbackV4, 2), name: nil)
    static let c = ChunkTable.Holder(endpoint: Endpoint(.loopbackV4, 3), name: nil)

    private struct Client: ~Copyable {
        var fetcher: ChunkFetcher
        var now = Instant.zero

        init(missing: [Int], seed: UInt64 = 1) {
            fetcher = ChunkFetcher(missing: missing, seed: seed, now: .zero)
        }

        mutating func wait(_ duration: Duration = .zero) -> [ChunkFetcher.Action] {
            now = now + duration
            var actions: [ChunkFetcher.Action] = []
            fetcher.advanced(to: now, into: &actions)
            return actions
        }

        mutating func table(_ rows: [Int: [ChunkTable.Holder]]?, hash: SHA1Digest? = hash) -> [ChunkFetcher.Action] {
            table(groups: rows?.mapValues { [ChunkTable.Group(hash: hash, holders: $0)] })
        }

        mutating func table(groups: [Int: [ChunkTable.Group]]?) -> [ChunkFetcher.Action] {
            var actions: [ChunkFetcher.Action] = []
            let rows = groups?.map { ChunkTable.Row(chunk: $0.key, groups: $0.value) }
            fetcher.received(rows, at: now, into: &actions)
            return actions
        }

        mutating func fetched(_ chunk: Int, from holder: ChunkTable.Holder) -> [ChunkFetcher.Action] {
            var actions: [ChunkFetcher.Action] = []
            fetcher.fetched(chunk, from: holder.endpoint, at: now, into: &actions)
            return actions
        }

        mutating func failed(
            _ chunk: Int,
            from holder: ChunkTable.Holder,
            _ failure: ChunkFetcher.Failure
        ) -> [ChunkFetcher.Action] {
            var actions: [ChunkFetcher.Action] = []
            fetcher.failed(chunk, from: holder.endpoint, because: failure, at: now, into: &actions)
            return actions
        }
    }

    private static func fetch(_ chunk: Int, _ holder: ChunkTable.Holder, _ hash: SHA1Digest? = hash)
        -> ChunkFetcher.Action
    {
        .fetch(chunk: chunk, from: holder, expecting: hash)
    }

    @Test("it asks the tracker, fetches the rarest first from the least busy, and says when all is here")
    func usual() {
        var client = Client(missing: [1, 2])
        #expect(client.wait() == [.askTracker])
        #expect(client.table([1: [Self.a, Self.b], 2: [Self.a]]) == [Self.fetch(2, Self.a), Self.fetch(1, Self.b)])
        #expect(client.fetched(1, from: Self.b) == [])
        #expect(client.fetched(2, from: Self.a) == [.complete])
        #expect(client.fetcher.nextDeadline == nil)
        #expect(client.wait(.seconds(60)) == [])
    }

    @Test("a folder that has everything is complete at once")
    func nothingMissing() {
        var client = Client(missing: [])
        #expect(client.wait() == [.complete])
    }

    @Test("a wrong chunk is never asked of the same holder again, the next one is")
    func wrong() {
        var client = Client(missing: [1])
        _ = client.wait()
        #expect(client.table([1: [Self.a, Self.b]]) == [Self.fetch(1, Self.a)])
        #expect(client.failed(1, from: Self.a, .wrong) == [Self.fetch(1, Self.b)])
        #expect(client.failed(1, from: Self.b, .wrong) == [])
        #expect(client.wait(.seconds(60)) == [.askTracker])
        #expect(client.table([1: [Self.a, Self.b]]) == [])
        #expect(client.wait(.seconds(60)) == [.askTracker])
        #expect(client.table([1: [Self.a, Self.b, Self.c]]) == [Self.fetch(1, Self.c)])
    }

    @Test("a holder that does not answer rests, then is asked again")
    func unreachable() {
        var client = Client(missing: [1])
        _ = client.wait()
        #expect(client.table([1: [Self.a]]) == [Self.fetch(1, Self.a)])
        #expect(client.failed(1, from: Self.a, .unreachable) == [])
        #expect(client.wait(.seconds(4)) == [.askTracker])
        #expect(client.table(nil) == [])
        #expect(client.wait(.seconds(1)) == [Self.fetch(1, Self.a), .askTracker])
    }

    @Test("of two hashes the tracker's first is tried first, the other when its holders fail")
    func secondHash() {
        var client = Client(missing: [1])
        _ = client.wait()
        let groups = [
            ChunkTable.Group(hash: Self.hash, holders: [Self.a]), ChunkTable.Group(hash: Self.other, holders: [Self.b]),
        ]
        #expect(client.table(groups: [1: groups]) == [Self.fetch(1, Self.a)])
        #expect(client.failed(1, from: Self.a, .wrong) == [Self.fetch(1, Self.b, Self.other)])
    }

    @Test("four at a time, two of one holder")
    func atOnce() {
        var client = Client(missing: Array(1...9))
        _ = client.wait()
        let one = client.table(Dictionary(uniqueKeysWithValues: (1...9).map { ($0, [Self.a]) }))
        #expect(one.count == 2)
        let more = client.table(Dictionary(uniqueKeysWithValues: (1...9).map { ($0, [Self.a, Self.b, Self.c]) }))
        #expect(more.count == 2)
    }

    @Test("questions without news become rarer, up to eight seconds")
    func pauses() {
        var client = Client(missing: [1])
        var pauses: [Duration] = []
        for _ in 0..<6 {
            _ = client.wait(.zero)
            _ = client.table([:])
            let next = client.fetcher.nextDeadline ?? .zero
            pauses.append(next - client.now)
            client.now = next
        }
        #expect(pauses == [.milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(8)])
    }

    @Test("two clients fetch equally rare chunks in different orders", arguments: [1, 2, 3] as [UInt64])
    func order(seed: UInt64) {
        func first(_ seed: UInt64) -> [ChunkFetcher.Action] {
            var client = Client(missing: Array(1...100), seed: seed)
            _ = client.wait()
            return client.table(Dictionary(uniqueKeysWithValues: (1...100).map { ($0, [Self.a]) }))
        }
        #expect(first(seed) == first(seed))
        #expect(first(seed) != first(seed + 100))
    }
}
