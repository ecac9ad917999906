import Primitives
import Shoal

/// `shoal dht ...`
enum DHTCommand {
    static func run(
        _ question: Invocation.DHTQuestion,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        // What is wrong with files is said before anything is sent.
        let request = try Request(question.kind, options, on: console)
        var configuration = try question.network.configuration(on: console)
        configuration.servesDHT = false
        // It asks, and is gone before anybody comes.
        configuration.mapsPort = false
        let node = Node(configuration)
        let answer = DHTAnswer(json: options.json, isQuiet: options.isQuiet, console: console)
        do throws(ShoalError) {
            try await node.start()
            try await ask(request, seconds: question.timeout.inSeconds, node, answer)
            await node.stop()
            return 0
        } catch {
            await node.stop()
            throw error
        }
    }

    /// A question whose files were read.
    private enum Request {
        case plain(Invocation.DHTQuestion.Kind)
        case put([UInt8], DHTVersion?)

        init(
            _ kind: Invocation.DHTQuestion.Kind,
            _ options: ConsoleOptions,
            on console: some Console
        ) throws(ShoalError) {
            guard case .put(let value, let signature) = kind else {
                self = .plain(kind)
                return
            }
            let bytes: [UInt8]
            switch value {
            case .text(let text): bytes = Array(text.utf8)
            case .file(let path): bytes = try console.contents(of: path == "-" ? "/dev/stdin" : path, limit: 4096)
            }
            let version = try signature.map { (signature) throws(ShoalError) in
                try DHTVersion(signature, options, on: console)
            }
            self = .put(ItemText.bencoded(bytes), version)
        }
    }

    private static func ask(
        _ request: Request,
        seconds: Double,
        _ node: Node,
        _ answer: DHTAnswer<some Console>
    ) async throws(ShoalError) {
        switch request {
        case .put(let value, let version?):
            try answer.stored(try await node.put(value, as: version, timeout: seconds))
        case .put(let value, nil): try answer.stored(try await node.put(value, timeout: seconds))
        case .plain(let kind): try await ask(kind, seconds: seconds, node, answer)
        }
    }

    private static func ask(
        _ kind: Invocation.DHTQuestion.Kind,
        seconds: Double,
        _ node: Node,
        _ answer: DHTAnswer<some Console>
    ) async throws(ShoalError) {
        switch kind {
        case .ping(let address):
            guard let (id, roundTrip) = try await node.ping(address) else {
                throw ShoalError(.noPeers, "\(address) does not answer")
            }
            try answer.pong(from: address, id: id, roundTrip: roundTrip)
        case .find(let target):
            let contacts = try await node.findNodes(closestTo: target, timeout: seconds)
            guard !contacts.isEmpty else { throw nobody }
            try answer.contacts(contacts, "node")
        case .peers(let infoHash):
            let peers = try await node.findPeers(of: infoHash, timeout: seconds)
            guard !peers.isEmpty else { throw ShoalError(.noPeers, "the DHT knows no peer for \(infoHash)") }
            try answer.peers(peers)
        case .have(let infoHash): try await have(infoHash, seconds: seconds, node, answer)
        case .scrape(let infoHash):
            try answer.scraped(infoHash, try await node.scrape(infoHash, timeout: seconds))
        case .get(let name, let salt, let isRaw):
            guard let item = try await node.item(name, salt: Array(salt.utf8), timeout: seconds) else {
                throw ShoalError(
                    .notFound,
                    "the DHT has no value under \(name)\(salt.isEmpty ? "" : " with this salt")"
                )
            }
            try answer.item(item, isRaw: isRaw)
        case .sample(let target):
            try await each(answer.sample) { show throws(ShoalError) in
                try await node.sample(around: target, timeout: seconds, show)
            }
        case .table:
            let table = try await node.routingTable(timeout: seconds)
            guard !table.contacts.isEmpty else { throw nobody }
            try answer.table(table)
        case .stats:
            let table = try await node.routingTable(timeout: seconds)
            guard !table.contacts.isEmpty else { throw nobody }
            try answer.reports(try await node.dhtReports())
        case .put: break
        }
    }

    private static func have(
        _ infoHash: String,
        seconds: Double,
        _ node: Node,
        _ answer: DHTAnswer<some Console>
    ) async throws(ShoalError) {
        let scrape = try await each({ (finding: DHTFinding) throws(ShoalError) in
            try answer.finding(finding, of: infoHash)
        }) { show throws(ShoalError) in
            try await node.holders(of: infoHash, timeout: seconds, show)
        }
        if let scrape { try answer.scraped(infoHash, scrape) }
    }

    /// Shows what comes one by one, in order, while `work` goes on.
    private static func each<Finding: Sendable, Result: Sendable>(
        _ show: (Finding) throws(ShoalError) -> Void,
        _ work: @escaping @Sendable (@escaping @Sendable (Finding) -> Void) async throws(ShoalError) -> Result
    ) async throws(ShoalError) -> Result {
        let (findings, continuation) = AsyncStream<Finding>.makeStream()
        let worker = Task { () -> Swift.Result<Result, ShoalError> in
            defer { continuation.finish() }
            do throws(ShoalError) {
                return .success(try await work { continuation.yield($0) })
            } catch {
                return .failure(error)
            }
        }
        for await finding in findings { try show(finding) }
        return try await worker.value.get()
    }

    private static var nobody: ShoalError {
        ShoalError(.noPeers, "no DHT node answers; name one with --bootstrap")
    }
}

extension DHTVersion {
    /// Reads the key, or makes one and says so.
    init(
        _ signature: Invocation.DHTQuestion.Signature,
        _ options: ConsoleOptions,
        on console: some Console
    ) throws(ShoalError) {
        var isNew = false
        self.init(try PublisherKey(file: signature.keyFile) { isNew = true })
        salt = Array(signature.salt.utf8)
        sequence = signature.sequence
        replacing = signature.replacing
        guard isNew, !options.isQuiet else { return }
        try console.write(
            "made a new key in '\(signature.keyFile)'; keep it: whoever has it publishes in its name\n",
            to: .standardError
        )
    }
}
