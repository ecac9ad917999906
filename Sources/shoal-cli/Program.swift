import Glibc
import Shoal

/// The program: understand the command line, do it, say how it ended.
@main
enum Program {
    static func main() async {
        // Not `exit`: a disk that hangs keeps its thread, and exit handlers (OpenSSL's among them) would free what it uses.
        // Everything was saved by now, and the console writes without a buffer.
        _exit(await run(Array(CommandLine.arguments.dropFirst()), on: SystemConsole()))
    }

    /// - Parameter arguments: without the name of the program.
    /// - Returns: the exit code.
    static func run(_ arguments: [String], on console: some Console) async -> Int32 {
        guard !arguments.isEmpty else {
            // Nothing was asked for: a new user wants to know what there is, a script that something is missing.
            try? console.write(Help.text(for: .program), to: .standardError)
            return ShoalError.Code.usage.exitCode
        }
        // Until the command line is understood, its plainest words say how the person wants to be told.
        var options = ConsoleOptions()
        options.json = arguments.prefix { $0 != "--" }.contains("--json") || console.environment("SHOAL_JSON") == "1"
        if console.environment("NO_COLOR")?.isEmpty == false { options.color = .never }
        do {
            let invocation = try InvocationReader.read(
                arguments,
                environment: console.environment,
                exists: console.exists
            )
            options = invocation.console
            return try await dispatch(invocation, on: console)
        } catch {
            report(error, arguments: arguments, options: options, on: console)
            return error.code.exitCode
        }
    }

    private static func dispatch(
        _ invocation: Invocation,
        on console: some Console
    ) async throws(ShoalError) -> Int32 {
        let options = invocation.console
        switch invocation.command {
        case .share(let share): return try await ShareCommand.run(share, options, on: console)
        case .fetch(let fetch): return try await FetchCommand.run(fetch, options, on: console)
        case .node(let network): return try await NodeCommand.run(network, options, on: console)
        case .tracker(let task): return try await TrackerCommand.run(task, options, on: console)
        case .account(let task): return try await AccountCommand.run(task, options, on: console)
        case .console(let task): return try await ConsoleCommand.run(task, options, on: console)
        case .chunks(let task): return try await ChunksCommand.run(task, options, on: console)
        case .dht(let question): return try await DHTCommand.run(question, options, on: console)
        case .torrent(let task): return try await TorrentCommand.run(task, options, on: console)
        case .makeSwarmKey(let file): try SwarmKeyCommand.run(file, options, on: console)
        case .identity(let task): try IdentityCommand.run(task, options, on: console)
        case .help(let topic): try AboutCommands.help(topic, on: console)
        case .version: try AboutCommands.version(options, on: console)
        case .completions(let shell): try AboutCommands.completions(shell, on: console)
        case .man: try AboutCommands.man(on: console)
        }
        return 0
    }

    /// A script that asked for JSON reads the error on standard output; a person always reads it on standard error.
    private static func report(
        _ error: ShoalError,
        arguments: [String],
        options: ConsoleOptions,
        on console: some Console
    ) {
        // When even the message cannot be written, the exit code is all that is left to say it.
        if options.json { try? console.write(JSONLines.line(for: error) + "\n", to: .standardOutput) }
        var text = LastingLines.line(for: error, usesColor: console.style(for: options).usesColor) + "\n"
        if error.code == .usage { text += ArgumentParser.helpHint(for: arguments) + "\n" }
        try? console.write(text, to: .standardError)
    }
}
