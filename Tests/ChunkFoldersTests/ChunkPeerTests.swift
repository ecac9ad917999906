import ChunkFolders
import Cryptography
import Primitives
import TestSupport
import Testing
import TrackerProtocol

@Suite("Clients of chunk folders", .timeLimit(.minutes(1)))
struct ChunkPeerTests {
    private let folder: TemporaryFolder
    private let table = SharedTable()

    init() throws { folder = try TemporaryFolder() }

    private func chunk(_ number: Int) -> [UInt8] { folder.pattern(40_000 + number) }

    /// A folder of a set of four that has some of the chunks.
    private func make(_ name: String, _ chunks: Int...) throws {
        for number in chunks { try folder.write(chunk(number), to: "\(name)/chunk_\(number)") }
        let rows = chunks.map { "\($0),chunk_\($0)\n" }.joined()
        try folder.write(Array("\(rows)4,LASTCHUNK\n".utf8), to: "\(name)/local_chunks.txt")
    }

    /// A client that runs, and its events.
    private func start(_ name: String, trace: String? = nil) async throws -> (
        peer: ChunkPeer, events: EventLog<ChunkPeer.Event>
    ) {
        var configuration = ChunkPeer.Configuration(folder: folder.path(name), name: name)
        configuration.address = .loopbackV4
        configuration.trace = trace.map { folder.path($0) }
        let peer = try ChunkPeer(configuration, tracker: table)
        let log = EventLog<ChunkPeer.Event>()
        Task { for await event in peer.events { log.record(event) } }
        try await peer.start()
        return (peer, log)
    }

    private func wait(
        for log: EventLog<ChunkPeer.Event>,
        _ isWanted: (ChunkPeer.Event) -> Bool
    ) async throws -> ChunkPeer.Event {
        while true {
            let event = try await log.next()
            if isWanted(event) { return event }
        }
    }

    private func port(_ log: EventLog<ChunkPeer.Event>) async throws -> UInt16 {
        guard case .listening(let endpoints) = try await log.next() else { return 0 }
        return endpoints.first?.port ?? 0
    }

    private static func isComplete(_ event: ChunkPeer.Event) -> Bool { event == .complete(count: 4) }

    @Test("partial holders complete each other; the lists say so, and the tracker hears of it")
    func complete() async throws {
        try make("a", 1, 2)
        try make("b", 3)
        try make("c", 4)
        let clients = [try await start("a"), try await start("b"), try await start("c")]
        for client in clients { _ = try await wait(for: client.events, Self.isComplete) }
        for name in ["a", "b", "c"] {
            for number in 1...4 { #expect(try folder.read("\(name)/chunk_\(number)") == chunk(number)) }
            let lines = String(decoding: try folder.read("\(name)/local_chunks.txt"), as: UTF8.self).split(
                separator: "\n"
            )
            #expect(Set(lines.dropLast()) == ["1,chunk_1", "2,chunk_2", "3,chunk_3", "4,chunk_4"])
            #expect(lines.last == "4,LASTCHUNK")
        }
        try await withDeadline {
            while await table.reports.values.contains(where: { $0 != [1, 2, 3, 4] }) { await Task.yield() }
        }
        for client in clients { await client.peer.stop() }
        #expect(await table.reports.isEmpty)
    }

    @Test("a chunk with another hash is never stored, and the next holder is asked")
    func liar() async throws {
        let lie = folder.pattern(40_004)
        let liar = try RawListener { connection in
            _ = connection.receive("REQUEST_CHUNK,4".utf8.count)
            connection.send(Array(lie.reversed()))
        }
        let liarPort = try #require(Endpoint(liar.address)).port
        try await table.register(4, hash: SHA1.hash(chunk(4)), at: liarPort)
        try make("a", 1, 2, 3)
        let client = try await start("a")
        let refused = try await wait(for: client.events) { if case .refused = $0 { true } else { false } }
        #expect(
            refused
                == .refused(
                    chunk: 4,
                    from: Endpoint(.loopbackV4, liarPort),
                    reason: "its 40004 bytes do not have the hash of the chunk"
                )
        )
        #expect(!folder.exists("a/chunk_4"))
        try make("b", 4)
        let other = try await start("b")
        _ = try await wait(for: client.events, Self.isComplete)
        #expect(try folder.read("a/chunk_4") == chunk(4))
        await client.peer.stop()
        await other.peer.stop()
    }

    @Test("an old client that frames nothing is served, and served by, byte for byte")
    func oldClient() async throws {
        let (third, fourth) = (chunk(3), chunk(4))
        let old = try RawListener { connection in
            guard let request = connection.receive("REQUEST_CHUNK,3".utf8.count) else { return }
            connection.send(request.last == UInt8(ascii: "3") ? third : fourth)
        }
        let oldPort = try #require(Endpoint(old.address)).port
        for number in [3, 4] { try await table.register(number, hash: nil, at: oldPort) }
        try make("a", 1, 2)
        let client = try await start("a", trace: "logger.log")
        let port = try await port(client.events)
        _ = try await wait(for: client.events, Self.isComplete)
        #expect(try folder.read("a/chunk_3") == third)
        let answer = try await withDeadline { [folder] in
            let connection = try RawConnection.dial("127.0.0.1:\(port)")
            connection.send(Array("REQUEST_CHU".utf8))
            connection.send(Array("NK,1".utf8))
            let bytes = connection.receive(40_001)
            return (bytes == folder.pattern(40_001), connection.isClosedByPeer())
        }
        #expect(answer == (true, true))
        await client.peer.stop()
        let log = String(decoding: try folder.read("logger.log"), as: UTF8.self)
        for line in [
            "a,LOCAL_CHUNKS,1,\(SHA1.hash(chunk(1)).hex),localhost,\(port)", "a,WHERE_CHUNK,3",
            "a,GET_CHUNK_FROM,3,127.0.0.1,\(oldPort)", "a,REQUEST_CHUNK,3,127.0.0.1,\(oldPort)",
            "a,CONNECTED,127.0.0.1,",
            "a,REQUEST_CHUNK,1,from,127.0.0.1,",
        ] {
            #expect(log.contains(line), "\(line) is not in the trace")
        }
    }

    @Test(
        "a request for what is not there, or that is none, ends the connection and nothing else",
        arguments: ["REQUEST_CHUNK,3\n", "REQUEST_CHUNK,0\n", "WHERE_CHUNK,1\n", "GET / HTTP/1.1\r\n", "\u{ff}"]
    )
    func badRequests(request: String) async throws {
        try make("a", 1)
        let client = try await start("a")
        let port = try await port(client.events)
        let isClosed = try await withDeadline {
            let connection = try RawConnection.dial("127.0.0.1:\(port)")
            connection.send(Array(request.utf8))
            return connection.receive(1) == nil && connection.isClosedByPeer()
        }
        #expect(isClosed)
        await client.peer.stop()
    }

    @Test("a tracker that is away is waited for; one that refuses the name ends it")
    func trackerFaults() async throws {
        await table.fail(ChunkTrackerFault("nobody answers at 127.0.0.1:1", isFinal: false))
        try make("a", 1)
        let client = try await start("a")
        let notice = try await wait(for: client.events) { if case .notice = $0 { true } else { false } }
        #expect(notice == .notice("nobody answers at 127.0.0.1:1"))
        try await withDeadline { [table] in while await table.reports["a"] != [1] { await Task.yield() } }
        await client.peer.stop()
        await table.fail(ChunkTrackerFault("the name is taken", isFinal: true))
        let second = try await start("a")
        let failed = try await wait(for: second.events) { if case .failed = $0 { true } else { false } }
        #expect(failed == .failed(.tracker("the name is taken")))
        await second.peer.stop()
    }

    @Test("a port that is in use is named")
    func busyPort() async throws {
        try make("a", 1)
        try make("b", 2)
        let first = try await start("a")
        let port = try await port(first.events)
        var configuration = ChunkPeer.Configuration(folder: folder.path("b"), name: "b")
        configuration.address = .loopbackV4
        configuration.port = port
        let second = try ChunkPeer(configuration, tracker: table)
        let fault = await #expect(throws: ChunkFolderFault.self) { try await second.start() }
        #expect(fault?.message.contains("127.0.0.1:\(port)") == true)
        await first.peer.stop()
    }
}
