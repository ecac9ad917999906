import Primitives
import Testing
import TrackerProtocol
import TrackerServer

@Suite("The tracker node")
struct TrackerNodeTests {
    @Test("it listens where it is told, and frees the port when it stops")
    func listening() async throws {
        var configuration = TrackerConfiguration()
        configuration.listening = .at(Endpoint(.loopbackV4, 0))
        let node = TrackerNode(configuration)
        try await node.start()
        let endpoint = try #require(await node.endpoints.first)
        #expect(endpoint.port != 0)
        await node.stop()
        configuration.listening = .at(endpoint)
        let again = TrackerNode(configuration)
        try await again.start()
        #expect(await again.endpoints == [endpoint])
        await again.stop()
    }

    @Test("a port in use is named, with the way out")
    func portConflict() async throws {
        var configuration = TrackerConfiguration()
        configuration.listening = .at(Endpoint(.loopbackV4, 0))
        let first = TrackerNode(configuration)
        try await first.start()
        let endpoint = try #require(await first.endpoints.first)
        configuration.listening = .at(endpoint)
        let second = TrackerNode(configuration)
        let fault = await #expect(throws: TrackerFault.self) { try await second.start() }
        #expect(fault?.kind == .network)
        #expect(fault?.sentence.contains("TCP port \(endpoint.port) is in use") == true)
        #expect(fault?.sentence.contains("--listen :PORT") == true)
        await first.stop()
        await second.stop()
    }
}
