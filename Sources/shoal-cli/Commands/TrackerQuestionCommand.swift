import Metainfo
import Primitives
import Shoal
import TrackerAPI

/// `shoal tracker list|file|peers`: what a tracker knows, as tables for people and objects for programs.
enum TrackerQuestionCommand {
    static func run<Surroundings: Console>(
        _ question: Invocation.TrackerQuestion,
        _ options: ConsoleOptions,
        on console: Surroundings
    ) async throws(ShoalError) -> Int32 {
        let client = try TrackerCommand.client(question.tracker, question.stateFolder)
        let answer = TrackerAnswers(json: options.json, isQuiet: options.isQuiet, console: console)
        switch question.kind {
        case .list: try answer.files(try await ask { () async throws(TrackerClientError) in try await client.files() })
        case .file(let name): try await show(name, client, answer)
        case .peers: try answer.peers(try await ask { () async throws(TrackerClientError) in try await client.peers() })
        case .console:
            if console.isInputTerminal, !options.isQuiet {
                try console.write("asking \(client.place): \(TrackerConsole<Surroundings>.help)\n", to: .standardError)
            }
            let console = TrackerConsole(console: console, options: options) { client }
            return try await console.run().code
        }
        return 0
    }

    /// One file: its entry, its peers, and who holds which piece.
    static func show(
        _ name: String,
        _ client: TrackerClient,
        _ answer: TrackerAnswers<some Console>
    ) async throws(ShoalError) {
        let (entry, peers, holders) = try await ask { () async throws(TrackerClientError) in
            let entry = try await client.file(name).entry
            return (entry, try await client.peers(of: entry.infoHash), try await client.holders(of: entry.infoHash))
        }
        try answer.file(entry, peers, holders)
    }

    private static func ask<Value>(
        _ question: () async throws(TrackerClientError) -> Value
    ) async throws(ShoalError) -> Value {
        do throws(TrackerClientError) {
            return try await question()
        } catch {
            throw ShoalError(error)
        }
    }
}
