import Primitives
import TestSupport
import Testing
import TrackerProtocol
import TrackerServer

@Suite("The tracker node", .timeLimit(.minutes(1)))
struct TrackerNodeTests {
    /// A node on a free port of 127.0.0.1.
    private static func started(
        _ change: (inout TrackerConfiguration) -> Void = { _ in }
    ) async throws -> (node: TrackerNode, endpoint: Endpoint) {
        var configuration = TrackerConfiguration()
        configuration.listening = .at(Endpoint(.loopbackV4, 0))
        change(&configuration)
        let node = TrackerNode(configuration)
        try await node.start()
        return (node, try #require(await node.endpoints.first))
    }

    @Test("it listens where it is told, and frees the port when it stops")
    func listening() async throws {
        let (node, endpoint) = try await TrackerNodeTests.started()
        #expect(endpoint.port != 0)
        await node.stop()
        let (again, sameEndpoint) = try await TrackerNodeTests.started { $0.listening = .at(endpoint) }
        #expect(sameEndpoint == endpoint)
        await again.stop()
    }

    @Test("a port in use is named, with the way out")
    func portConflict() async throws {
        let (first, endpoint) = try await TrackerNodeTests.started()
        let fault = await #expect(throws: TrackerFault.self) {
            _ = try await TrackerNodeTests.started { $0.listening = .at(endpoint) }
        }
        #expect(fault?.kind == .network)
        #expect(fault?.sentence.contains("TCP port \(endpoint.port) is in use") == true)
        #expect(fault?.sentence.contains("--listen :PORT") == true)
        await first.stop()
    }

    @Test("peers meet over UDP, and random or old connection identifiers are met with silence (N47)")
    func announces() async throws {
        let (node, endpoint) = try await TrackerNodeTests.started()
        let peer = try UDPAnnouncer(to: endpoint)
        #expect(try peer.announce(1, port: 1001).ports == [])
        #expect(try peer.announce(1, port: 1002, left: 0).ports == [1001])
        #expect(try peer.announce(1, port: 0).error == "port must be a number from 1 to 65535")
        let forged = [UInt8](repeating: 0x85, count: 8) + [0, 0, 0, 1] + [UInt8](repeating: 1, count: 86)
        #expect(try peer.isIgnored(forged))
        #expect(try peer.isIgnored([]))
        #expect(try peer.scrape(1) == [1, 0, 1])
        await node.stop()
    }

    @Test("it starts again with its peers and counts", arguments: DatabaseKind.all)
    func restart(kind: DatabaseKind) async throws {
        let folder = try TemporaryFolder()
        let database = try TestDatabase(kind)
        let prepare = { (configuration: inout TrackerConfiguration) in
            configuration.stateFolder = folder.path("state")
            configuration.database = database.url
        }
        let (first, endpoint) = try await TrackerNodeTests.started(prepare)
        let peer = try UDPAnnouncer(to: endpoint)
        _ = try peer.announce(1, port: 1001, left: 0, event: 1)
        _ = try peer.announce(1, port: 1002)
        _ = try peer.announce(2, port: 1003)
        _ = try peer.announce(2, port: 1003, event: 3)
        await first.stop()
        let (second, again) = try await TrackerNodeTests.started(prepare)
        let later = try UDPAnnouncer(to: again)
        #expect(try later.scrape(1) == [1, 1, 1])
        #expect(try later.scrape(2) == [0, 0, 0])
        #expect(try later.announce(1, port: 1004).ports == [1001, 1002])
        await second.stop()
    }

    @Test("two nodes on one database hand out each other's peers, and tell of each other", arguments: DatabaseKind.all)
    func twoNodes(kind: DatabaseKind) async throws {
        let database = try TestDatabase(kind)
        let (first, endpoint) = try await TrackerNodeTests.started { $0.database = database.url }
        _ = try UDPAnnouncer(to: endpoint).announce(1, port: 1001, left: 0, event: 1)
        await first.save()
        let (second, other) = try await TrackerNodeTests.started { $0.database = database.url }
        let peer = try UDPAnnouncer(to: other)
        #expect(await second.withCore { $0.otherURLs } == ["http://\(endpoint)/announce"])
        #expect(try peer.announce(1, port: 1002).ports == [1001])
        // Counts are of both together.
        #expect(try peer.scrape(1) == [1, 1, 1])
        await first.stop()
        await second.stop()
        // A node that left is told of no more; its peers are, until they have been silent for too long.
        let (third, last) = try await TrackerNodeTests.started { $0.database = database.url }
        #expect(await third.withCore { $0.otherURLs } == [])
        #expect(try UDPAnnouncer(to: last).announce(1, port: 1003).ports == [1001, 1002])
        await third.stop()
    }

    @Test("lists of torrents are read again when they change, as a whole or not at all (T12)")
    func lists() async throws {
        let folder = try TemporaryFolder()
        let list = folder.path("allowed")
        let ones = String(repeating: "01", count: 20)
        let twos = String(repeating: "02", count: 20)
        try folder.write(Array("# served here\n\(ones) # the first\n\n".utf8), to: "allowed")
        let (node, endpoint) = try await TrackerNodeTests.started { $0.allowList = list }
        let peer = try UDPAnnouncer(to: endpoint)
        let refusal = "this tracker does not serve this torrent: it is not on its list"
        #expect(try peer.announce(1, port: 1001).error == nil)
        #expect(try peer.announce(2, port: 1001).error == refusal)

        func notice(_ text: String) async throws {
            for await event in node.events {
                if case .notice(let said) = event, said.contains(text) { return }
            }
            Issue.record("nobody said \(text)")
        }
        try folder.write(Array("\(ones)\n\(twos)\n".utf8), to: "allowed")
        await node.withCore { $0.reloadLists() }
        try await notice("2 allowed")
        #expect(try peer.announce(2, port: 1001).error == nil)

        try folder.write(Array("\(twos)\nnonsense\n".utf8), to: "allowed")
        await node.withCore { $0.reloadLists() }
        try await notice("line 2 of \(list) is no info-hash")
        #expect(try peer.announce(1, port: 1001).error == nil)
        await node.stop()
    }

    @Test("a list that cannot be read keeps the tracker from starting")
    func badList() async throws {
        let folder = try TemporaryFolder()
        let fault = await #expect(throws: TrackerFault.self) {
            _ = try await TrackerNodeTests.started { $0.denyList = folder.path("nowhere") }
        }
        #expect(fault?.sentence.hasPrefix("cannot read the list \(folder.path("nowhere"))") == true)
    }
}
