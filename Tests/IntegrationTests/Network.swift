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
        bootstrap = Node(.loopback)
        address = try await bootstrap.listening()
        for _ in 0..<count { _ = try await node() }
    }

    /// One more node, listening and bootstrapping from the first.
    func node(_ configure: (inout Configuration) -> Void = { _ in }) async throws -> Node {
        var configuration = Configuration.loopback
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

/// Nodes that know nobody but whom a test names: no DHT.
final class Lonely {
    private(set) var nodes: [Node] = []

    func node(_ configure: (inout Configuration) -> Void = { _ in }) async throws -> (node: Node, address: String) {
        let (node, listening) = try await known(configure)
        return (node, listening.address)
    }

    /// The same, with the key that it goes by.
    func known(
        _ configure: (inout Configuration) -> Void = { _ in }
    ) async throws -> (node: Node, listening: Listening) {
        var configuration = Configuration.loopback
        configuration.usesDHT = false
        configure(&configuration)
        let node = Node(configuration)
        nodes.append(node)
        return (node, try await node.whereabouts())
    }

    func stop() async {
        for node in nodes { await node.stop() }
    }
}

extension Configuration {
    /// Any free port of 127.0.0.1.
    static var loopback: Configuration {
        var configuration = Configuration()
        configuration.listen = .endpoint("127.0.0.1:0")
        return configuration
    }
}

extension FetchOptions {
    /// Into a folder, from these peers; a test that gets nothing ends soon.
    init(to folder: String, peers: [String] = []) {
        self.init()
        output = folder + "/"
        self.peers = peers
        timeout = 20
    }
}

extension Node {
    /// Starts and returns the address it listens on.
    func listening() async throws -> String { try await whereabouts().address }

    /// Starts and returns where it listens, and as whom.
    func whereabouts() async throws -> Listening {
        try start()
        for await event in events {
            if case .listening(let listening) = event { return listening }
        }
        throw ShoalError(.failed, "the node ended before it listened")
    }

    /// Fetches and waits for the end; a failure is thrown.
    func complete(_ source: FetchSource, _ options: FetchOptions) async throws -> Completion {
        var bounded = options
        bounded.timeout = bounded.timeout ?? 30
        let hash = try fetch(source, bounded)
        return try await completion(of: hash)
    }

    /// Waits for the end of a fetch; every event on the way is shown to `watch`.
    func completion(of hash: String, _ watch: (Event) -> Void = { _ in }) async throws -> Completion {
        for await event in events {
            watch(event)
            switch event {
            case .done(let completion) where completion.infoHash == hash: return completion
            case .failed(hash, let error): throw error
            default: continue
            }
        }
        throw ShoalError(.failed, "the node ended")
    }

    /// Waits for an event that says what `pick` is after.
    func first<Found>(_ pick: (Event) -> Found?) async throws -> Found {
        for await event in events {
            if let found = pick(event) { return found }
        }
        throw ShoalError(.failed, "the node ended")
    }
}

/// What each peer gave, as the events tell it.
struct Gifts {
    private(set) var bytes: [String: Int64] = [:]
    private(set) var banned: Set<String> = []

    mutating func note(_ event: Event) {
        guard case .peer(let peer) = event else { return }
        bytes[peer.address] = max(bytes[peer.address] ?? 0, peer.downloaded)
        if peer.state == .banned { banned.insert(peer.address) }
    }
}
