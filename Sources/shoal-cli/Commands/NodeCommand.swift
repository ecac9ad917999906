import Shoal

/// `shoal node`
enum NodeCommand {
    static func run(
        _ network: Network,
        _ options: ConsoleOptions,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        var session = EngineSession(
            try network.configuration(on: console),
            purpose: .node,
            options: options,
            on: console
        )
        return try await session.run { node throws(ShoalError) in
            try await node.start()
        } _: { _, _ in
            .goOn
        }
    }
}
