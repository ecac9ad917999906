import JSON
import Primitives
import TestSupport
import Testing
import TrackerProtocol
import TrackerServer

@Suite("The port of the text protocol", .timeLimit(.minutes(1)))
struct ChunkServiceTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func start() async throws -> (node: TrackerNode, address: String) {
        var configuration = TrackerConfiguration()
        configuration.listening = .at(Endpoint(.loopbackV4, 0))
        configuration.chunks = .at(Endpoint(.loopbackV4, 0))
        configuration.trace = folder.path("trace.log")
        let node = TrackerNode(configuration)
        try await node.start()
        let endpoint = try #require(await node.withCore { $0.chunks.endpoints.first } ?? nil)
        return (node, endpoint.description)
    }

    @Test("old clients register, ask and are answered without any framing, and all of it is traced")
    func oldClients() async throws {
        let (node, address) = try await start()
        let answers = try await withDeadline {
            let client = try RawConnection.dial(address)
            client.send(Array("LOCAL_CHUNKS,1,localhost,6000LOCAL_CHUNKS,2,localhost,6000".utf8))
            client.send(Array("WHERE_CHUNK,3".utf8))
            let unknown = client.receive("CHUNK_LOCATION_UNKNOWN,3".utf8.count)
            let other = try RawConnection.dial(address)
            other.send(Array("WHERE_CHUNK,2".utf8))
            let found = other.receive("GET_CHUNK_FROM,2,127.0.0.1,6000".utf8.count)
            return [unknown, found].map { String(decoding: $0 ?? [], as: UTF8.self) }
        }
        #expect(answers == ["CHUNK_LOCATION_UNKNOWN,3", "GET_CHUNK_FROM,2,127.0.0.1,6000"])
        await node.stop()
        let trace = String(decoding: try folder.read("trace.log"), as: UTF8.self).split(separator: "\n")
        #expect(
            trace.map { $0.drop { $0 != "," }.dropFirst().drop { $0 != "," }.dropFirst() } == [
                "CONNECTED", "LOCAL_CHUNKS,1,localhost,6000", "LOCAL_CHUNKS,2,localhost,6000", "WHERE_CHUNK,3",
                "CHUNK_LOCATION_UNKNOWN,3", "CONNECTED", "WHERE_CHUNK,2", "GET_CHUNK_FROM,2,127.0.0.1,6000",
            ]
        )
    }

    @Test("a flood of questions whose answers nobody reads ends the connection and nothing else")
    func unreadAnswers() async throws {
        let (node, address) = try await start()
        let answer = try await withDeadline {
            let client = try RawConnection.dial(address, receiveBuffer: 4096)
            // The longest answer there is fills the kernel's buffers soonest.
            client.send((6001...6032).flatMap { Array("LOCAL_CHUNKS,3,localhost,\($0)\n".utf8) })
            let asker = try RawConnection.dial(address, receiveBuffer: 4096)
            let questions = Array(String(repeating: "WHERE_CHUNK,3\n", count: 100).utf8)
            var rounds = 0
            while rounds < 5000, asker.send(questions) { rounds += 1 }
            #expect(rounds < 5000)
            let other = try RawConnection.dial(address)
            other.send(Array("WHERE_CHUNK,2\n".utf8))
            return other.receive("CHUNK_LOCATION_UNKNOWN,2\n".utf8.count)
        }
        #expect(answer == Array("CHUNK_LOCATION_UNKNOWN,2\n".utf8))
        await node.stop()
    }

    @Test("a port in use is named, with the way out")
    func portConflict() async throws {
        let (node, address) = try await start()
        var configuration = TrackerConfiguration()
        configuration.listening = .at(Endpoint(.loopbackV4, 0))
        configuration.chunks = Endpoint(address).map { .at($0) }
        let second = TrackerNode(configuration)
        let fault = await #expect(throws: TrackerFault.self) { try await second.start() }
        #expect(fault?.sentence.contains("--chunks :PORT") == true)
        await node.stop()
    }
}

@Suite("Chunks over HTTP")
struct ChunkQuestionTests {
    private func ask(
        _ question: ChunkQuestion,
        set: String = "default",
        from sender: IPAddress = .loopbackV4,
        of node: TrackerNode
    ) async -> String {
        await node.withCore { core in
            let (status, json) = core.chunks.answer(question, set: set, from: sender)
            return "\(status) \(JSONWriter.text(json))"
        } ?? ""
    }

    @Test("a client reports, is found with what old clients hold, and leaves; refusals say why")
    func dialogue() async throws {
        var configuration = TrackerConfiguration()
        configuration.listening = .at(Endpoint(.loopbackV4, 0))
        let node = TrackerNode(configuration)
        try await node.start()
        let lan = IPAddress.v4(0x0a00_0005)
        let report = ChunkQuestion.report(Array(#"{"name":"a","port":6000,"chunks":[[1,null]]}"#.utf8))
        #expect(await ask(report, of: node) == #"200 {"chunks":1}"#)
        #expect(
            await ask(.table, of: node)
                == #"200 {"chunks":[{"chunk":1,"groups":[{"sha1":null,"holders":[{"address":"127.0.0.1:6000","name":"a"}]}]}]}"#
        )
        #expect(await ask(.table, set: "other", of: node) == #"200 {"chunks":[]}"#)
        #expect(await ask(report, from: lan, of: node).hasPrefix(#"409 {"error":"name_taken","message":"#))
        #expect(await ask(.leave(name: "a"), from: lan, of: node) == #"200 {"removed":false}"#)
        #expect(await ask(.leave(name: "a"), of: node) == #"200 {"removed":true}"#)
        let elsewhere = ChunkQuestion.report(Array(#"{"name":"a","port":6000,"ip":"10.0.0.9","chunks":[]}"#.utf8))
        #expect(await ask(elsewhere, of: node).hasPrefix(#"400 {"error":"bad_report","message":"the address"#))
        #expect(await ask(.report(Array("{".utf8)), of: node).hasPrefix(#"400 {"error":"bad_report","message":"#))
        let zero = ChunkQuestion.report(Array(#"{"name":"a","port":6000,"chunks":[[0,null]]}"#.utf8))
        #expect(await ask(zero, of: node).hasPrefix("400"))
        await node.stop()
    }
}
