import Primitives
import Shoal

/// Nodes of a DHT on 127.0.0.1, all in this process; the last of them shares a file.
struct LoopbackNetwork {
    private let nodes: [Node]
    /// Where others join.
    let bootstrap: String
    /// Of the shared file.
    let infoHash: String

    init(nodes count: Int, sharing path: String) async throws(BenchError) {
        var nodes: [Node] = []
        do throws(BenchError) {
            let first = try await LoopbackNetwork.start(through: nil, keeping: &nodes)
            bootstrap = first
            for _ in 1..<count { _ = try await LoopbackNetwork.start(through: first, keeping: &nodes) }
            infoHash = try await LoopbackNetwork.share(path, from: nodes[count - 1])
        } catch {
            for node in nodes { await node.stop() }
            throw error
        }
        self.nodes = nodes
    }

    func stop() async {
        for node in nodes { await node.stop() }
    }

    /// - Returns: the address of the new node, once another has answered it.
    private static func start(through bootstrap: String?, keeping nodes: inout [Node]) async throws(BenchError)
        -> String
    {
        var configuration = Configuration()
        configuration.listen = .endpoint("127.0.0.1:0")
        configuration.bootstrap = bootstrap.map { [$0] } ?? []
        configuration.diskThreads = 1
        let node = Node(configuration)
        do throws(ShoalError) {
            try await node.start()
        } catch {
            throw .failed("a node does not start: \(error.message)")
        }
        nodes.append(node)
        var ownAddress: String?
        // The state of the DHT comes each second, joined or not: this ends.
        var reports = 0
        for await event in node.events {
            switch event {
            case .listening(let listening): ownAddress = listening.address
            case .dht(let status) where status.isJoined: if let ownAddress { return ownAddress }
            case .dht: reports += 1
            default: break
            }
            if bootstrap == nil, let ownAddress { return ownAddress }
            if reports == 10 { break }
        }
        throw .failed("a node found nobody in ten seconds")
    }

    private static func share(_ path: String, from node: Node) async throws(BenchError) -> String {
        do throws(ShoalError) {
            return try await node.share(ShareRequest(paths: [path])).infoHash
        } catch {
            throw .failed("cannot share: \(error.message)")
        }
    }
}
