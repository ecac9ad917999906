import Primitives
import Shoal

/// `shoal fetch WHAT`
enum FetchCommand {
    static func run(
        _ fetch: Invocation.Fetch,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        let source = try fetch.target.source(on: console)
        var request = fetch.options
        request.timeout = fetch.timeout?.inSeconds
        let streams = request.standardOutput
        var session = EngineSession(
            try fetch.network.configuration(on: console),
            purpose: .fetch,
            options: options,
            on: console
        )
        return try await session.run { [request] node throws(ShoalError) in
            try await node.start()
            let infoHash = try await node.fetch(source, request)
            if streams { try await copy(infoHash, from: node, to: console) }
        } _: { _, happening in
            switch happening {
            case .event(.done) where !streams: fetch.keepsSharing ? .goOn : .exit(0)
            case .workDone where streams: fetch.keepsSharing ? .goOn : .exit(0)
            default: .goOn
            }
        }
    }

    /// Copies the file to standard output, each part as soon as it is verified.
    private static func copy(_ infoHash: String, from node: Node, to console: some Console) async throws(ShoalError) {
        var offset: Int64 = 0
        while let bytes = try await node.readVerified(infoHash, at: offset) {
            try console.write(bytes, to: .standardOutput)
            offset += Int64(bytes.count)
        }
    }
}
