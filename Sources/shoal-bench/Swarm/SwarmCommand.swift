/// `shoal-bench swarm`: whole swarms, in simulation.
enum SwarmCommand {
    static func run(_ arguments: [String]) throws(BenchError) {
        guard let name = arguments.first else { throw .usage("swarm needs one of: records") }
        guard name == "records" else { throw .usage("swarm has no '\(name)': records") }
        try RecordsCommand.run(Array(arguments.dropFirst()))
    }

    /// What `--help` prints of this verb.
    static var help: String { Help.lines(RecordsCommand.help, below: "swarm records") }
}
