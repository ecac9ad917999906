/// One thing that `shoal-bench dht` measures: a file beside this one, and a line in `DHTCommand.subcommands`.
struct DHTSubcommand: Sendable {
    let name: String
    /// What `--help` says below the name: first what is measured, then the options; each line at most 80 characters.
    let help: [String]
    /// - Parameter arguments: what follows the name, without `--help`.
    let run: @Sendable (_ arguments: [String]) async throws(BenchError) -> Void
}

/// `shoal-bench dht`: the DHT, in simulation and on loopback.
enum DHTCommand {
    static let subcommands = [
        SimulateCommand.subcommand, LoopbackCommand.subcommand, HostileCommand.subcommand,
        PersistenceCommand.subcommand, MemoryCommand.subcommand, RecordCostsCommand.subcommand,
    ]

    static func run(_ arguments: [String]) async throws(BenchError) {
        guard let name = arguments.first else { throw .usage("dht needs one of: \(names)") }
        guard let subcommand = subcommands.first(where: { $0.name == name }) else {
            throw .usage("dht has no '\(name)': \(names)")
        }
        try await subcommand.run(Array(arguments.dropFirst()))
    }

    private static var names: String { subcommands.map(\.name).joined(separator: ", ") }

    /// What `--help` prints of this verb.
    static var help: String { subcommands.map { Help.lines($0.help, below: "dht " + $0.name) }.joined() }
}
