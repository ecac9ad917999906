import Metainfo
import Shoal
import TrackerAPI

/// `torrent -mode list|fileinfo FILE|peerinfo`, typed at a tracker's terminal or piped into `shoal tracker console`.
struct TrackerConsole<Surroundings: Console> {
    static var help: String { "torrent -mode list | torrent -mode fileinfo FILE | torrent -mode peerinfo | exit" }

    let console: Surroundings
    let options: ConsoleOptions
    /// Asks the tracker; made for each line, for who may ask can change.
    let client: () async throws(ShoalError) -> TrackerClient

    /// Reads lines until `exit` or the end of the input.
    ///
    /// - Returns: whether somebody said `exit`, and the exit code of the first line that failed in a pipe: a person saw it,
    ///   a script looks at that.
    func run() async throws(ShoalError) -> (isExit: Bool, code: Int32) {
        var code: Int32 = 0
        while let text = await console.line(isSecret: false) {
            let line = ConsoleLine(text)
            switch line {
            case .torrent("exit", _), .words("exit"), .words("quit"): return (true, code)
            case .empty: continue
            default: break
            }
            do throws(ShoalError) {
                try await perform(line)
            } catch {
                if code == 0, !console.isInputTerminal { code = error.code.exitCode }
                try console.write(LastingLines.line(for: error, usesColor: false) + "\n", to: .standardError)
            }
        }
        return (false, code)
    }

    private func perform(_ line: ConsoleLine) async throws(ShoalError) {
        let answers = TrackerAnswers(json: options.json, isQuiet: options.isQuiet, console: console)
        switch line {
        case .torrent("list", ""):
            let client = try await client()
            try answers.files(try await ask { () async throws(TrackerClientError) in try await client.files() })
        case .torrent("peerinfo", ""):
            let client = try await client()
            try answers.peers(try await ask { () async throws(TrackerClientError) in try await client.peers() })
        case .torrent("fileinfo", let name) where !name.isEmpty:
            try await TrackerQuestionCommand.show(name, try await client(), answers)
        default: throw ShoalError(.usage, "say one of: \(TrackerConsole.help)")
        }
    }

    private func ask<Value>(_ question: () async throws(TrackerClientError) -> Value) async throws(ShoalError) -> Value
    {
        do throws(TrackerClientError) {
            return try await question()
        } catch {
            throw ShoalError(error)
        }
    }
}
