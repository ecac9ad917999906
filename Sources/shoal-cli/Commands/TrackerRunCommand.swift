import Glibc
import Metainfo
import Primitives
import Shoal
import TrackerProtocol
import TrackerServer

/// `shoal tracker run`
enum TrackerRunCommand {
    static func run<Surroundings: Console>(
        _ run: Invocation.TrackerRun,
        _ options: ConsoleOptions,
        on console: Surroundings
    ) async throws(ShoalError) -> Int32 {
        let node = TrackerNode(try configuration(run))
        do throws(TrackerFault) {
            try await node.start()
        } catch {
            throw ShoalError(error)
        }
        if console.isInputTerminal, !options.json { answer(run, options, of: node, on: console) }
        for await event in node.events {
            if case .interrupted(let signal) = event {
                await node.stop()
                return 128 + signal
            }
            do throws(ShoalError) {
                try show(event, of: run, options, on: console)
            } catch {
                // Who cannot be told anything any more still wants to lose nothing.
                await node.stop()
                throw error
            }
        }
        return 0
    }

    /// Answers what is typed at its terminal, beside everything else; `exit` ends the tracker, the end of the input nothing.
    private static func answer<Surroundings: Console>(
        _ run: Invocation.TrackerRun,
        _ options: ConsoleOptions,
        of node: TrackerNode,
        on console: Surroundings
    ) {
        // Reading in the background of a shell would stop the whole tracker; now it fails, and ends the console alone.
        signal(SIGTTIN, SIG_IGN)
        // Known to this process alone: whoever sits at the terminal of a tracker needs no account of it.
        let passkey = Hex.encode((0..<20).map { _ in UInt8.random(in: 0...255) })
        let lines = TrackerConsole(console: console, options: options) { () async throws(ShoalError) in
            guard let endpoint = await node.endpoints.first else { throw ShoalError(.failed, "the tracker has ended") }
            let address = endpoint.address.isUnspecified ? IPAddress.loopbackV4 : endpoint.address
            await node.admit(passkey: passkey)
            return try TrackerCommand.client("http://\(Endpoint(address, endpoint.port))/announce/\(passkey)", nil)
        }
        Task {
            guard let ended = try? await lines.run(), ended.isExit else { return }
            await node.stop()
        }
    }

    private static func configuration(_ run: Invocation.TrackerRun) throws(ShoalError) -> TrackerConfiguration {
        var configuration = TrackerConfiguration()
        configuration.listening = try listening(run.listen)
        configuration.chunks = try run.chunks.map { (text) throws(ShoalError) in try listening(text) }
        configuration.database = try database(run.database, stateFolder: run.stateFolder)
        configuration.needsAccounts = run.needsAccounts
        configuration.limits.interval = run.interval
        configuration.limits.minInterval = run.minInterval
        configuration.limits.exemptsLoopback = !run.localLimits
        configuration.allowList = run.allowList
        configuration.denyList = run.denyList
        configuration.ownURL = run.ownURL
        configuration.proxies = run.proxies
        configuration.trace = run.trace
        configuration.stateFolder = run.stateFolder
        configuration.reportsSignals = true
        return configuration
    }

    /// What `--db` says, or the usual file.
    static func database(_ url: String?, stateFolder: String?) throws(ShoalError) -> String {
        if let url { return url }
        guard let folder = stateFolder else {
            throw ShoalError(
                .usage,
                "there is no home folder, so --state DIR or --db URL must say where the database is"
            )
        }
        return "sqlite:\(folder)/tracker.sqlite"
    }

    /// The options were checked when they were read.
    private static func listening(_ text: String) throws(ShoalError) -> TrackerConfiguration.Listening {
        if text.first == ":", let port = UInt16(text.dropFirst()) { return .everywhere(port: port) }
        if let endpoint = Endpoint(text) { return .at(endpoint) }
        throw ShoalError(.usage, "'\(text)' is not ADDR:PORT with a numeric address")
    }

    private static func show<Surroundings: Console>(
        _ event: TrackerEvent,
        of run: Invocation.TrackerRun,
        _ options: ConsoleOptions,
        on console: Surroundings
    ) throws(ShoalError) {
        switch event {
        case .listening(let endpoints):
            guard let first = endpoints.first else { return }
            guard !options.json else {
                var object = JSONObject(event: "listening")
                object.add("address", first.description)
                if let second = endpoints.dropFirst().first { object.add("address6", second.description) }
                return try console.write(object.line + "\n", to: .standardOutput)
            }
            if !options.isQuiet {
                try console.write(greeting(endpoints, run), to: .standardError)
                if console.isInputTerminal {
                    try console.write("ask here:        \(TrackerConsole<Surroundings>.help)\n", to: .standardError)
                }
            }
        case .notice(let sentence):
            guard !options.json else {
                var object = JSONObject(event: "notice")
                object.add("message", sentence)
                return try console.write(object.line + "\n", to: .standardOutput)
            }
            if !options.isQuiet { try console.write(DisplayText.clean(sentence) + "\n", to: .standardError) }
        case .interrupted: break
        }
    }

    /// What it does, and what to type next.
    private static func greeting(_ endpoints: [Endpoint], _ run: Invocation.TrackerRun) -> String {
        let list = endpoints.map(\.description).joined(separator: " and ")
        guard let first = endpoints.first else { return "" }
        let address = first.address.isUnspecified ? Endpoint(.loopbackV4, first.port) : first
        let root = run.ownURL?.root ?? "http://\(address)"
        let place = run.ownURL?.nameSuffix ?? address.description
        let who = run.needsAccounts ? "whoever has an account" : "everybody"
        return """
            tracker for \(who), over HTTP and UDP on \(list); Ctrl-C ends it
            page for people: \(root)/
            share a file:    shoal share FILE --tracker \(root)
            fetch it:        shoal fetch FILE@\(place)\n
            """
    }
}
