import Glibc

/// Measures the parts of shoal and shoal as a whole, each against a reference in the same run.
@main
enum Program {
    static func main() async {
        exit(await run(Array(CommandLine.arguments.dropFirst())))
    }

    /// - Parameter arguments: without the name of the program.
    /// - Returns: the exit code: 0, 1 for a measurement that failed, 2 for wrong usage, 130 after Ctrl-C.
    private static func run(_ arguments: [String]) async -> Int32 {
        do throws(BenchError) {
            switch try Options.read(arguments) {
            case .help(let text): print(text, terminator: "")
            case .parts(let format): try PartsCommand.run(Report(verb: "parts", format: format))
            case .check(let options): try CheckCommand.run(options)
            case .start(let options): try await StartCommand.run(options)
            case .dht(let arguments): try await DHTCommand.run(arguments)
            case .swarm(let arguments): try SwarmCommand.run(arguments)
            case .script(let script, let arguments): throw script.replaceThisProcess(arguments)
            }
            return 0
        } catch {
            complain(error.message)
            return error.exitCode
        }
    }

    private static func complain(_ message: String) {
        let line = Array("shoal-bench: \(message)\n".utf8)
        write(STDERR_FILENO, line, line.count)
    }
}
