import Shoal
import TestSupport
import Testing

/// A small network on loopback: one node that the others bootstrap from, and as many more as a test asks for.
final class Network {
    private let bootstrap: Node
    private let address: String
    private var nodes: [Node] = []
    private let folder: TemporaryFolder

    /// - Parameter nodes: DHT nodes besides the first.
    init(folder: TemporaryFolder, nodes count: Int) async throws {
        self.folder = folder
        var configuration = Configuration()
        configuration.listen = .endpoint("127.0.0.1:0")
        bootstrap = Node(configuration)
        address = try await bootstrap.listening()
        for _ in 0..<count { _ = try await node() }
    }

    /// One more node, listening and bootstrapping from the first.
    func node(_ configure: (inout Configuration) -> Void = { _ in }) async throws -> Node {
        var configuration = Configuration()
        configuration.listen = .endpoint("127.0.0.1:0")
        configuration.bootstrap = [address]
        configuration.stateFolder = folder.path("state-\(nodes.count)")
        configure(&configuration)
        let node = Node(configuration)
        _ = try await node.listening()
        nodes.append(node)
        return node
    }

    func stop() async {
        for node in nodes { await node.stop() }
        await bootstrap.stop()
    }
}

extension Node {
    /// Starts and returns the address it listens on.
    func listening() async throws -> String {
        try start()
        for await event in events {
            if case .listening(let address, _) = event { return address }
        }
        throw ShoalError(.failed, "the node ended before it listened")
    }

    /// Fetches and waits for the end; a failure is thrown.
    func complete(_ source: FetchSource, _ options: FetchOptions) async throws -> Completion {
        var bounded = options
        bounded.timeout = 30
        let hash = try fetch(source, bounded)
        for await event in events {
            switch event {
            case .done(let completion) where completion.infoHash == hash: return completion
            case .failed(hash, let error): throw error
            default: continue
            }
        }
        throw ShoalError(.failed, "the node ended")
    }
}
