import JSON
import Metainfo
import Primitives
import Shoal
import Storage
import TrackerAPI
import TrackerProtocol

/// A peer that a person or a pipe tells what to do, line by line: registers and logs in, shares files of its folder by their
/// names through a tracker's catalogue, and fetches others into it.
actor InteractivePeer<Surroundings: Console> {
    let task: Invocation.PeerConsole
    /// Without a passkey.
    let tracker: TrackerURL
    /// Of the account that this peer is logged in with.
    var passkey: String?
    let node: Node
    let options: ConsoleOptions
    let console: Surroundings
    /// Names of files that are on their way, by info-hash.
    private var downloads: [String: String] = [:]
    /// Those of them in which nothing moves.
    private var stalls: [String: Stall] = [:]
    /// What was shared, by its path.
    private var shares: [String: TorrentInfo] = [:]
    private var waiters: [CheckedContinuation<Void, Never>] = []
    /// The exit code of the first thing that failed in a pipe: a person saw it, a script looks at that.
    private var code: Int32 = 0

    private struct Stall {
        let since = ContinuousClock.now
        var isTold = false
    }

    init(
        _ task: Invocation.PeerConsole,
        tracker: TrackerURL,
        passkey: String?,
        node: Node,
        options: ConsoleOptions,
        on console: Surroundings
    ) {
        self.task = task
        self.tracker = tracker.with(path: "/announce")
        self.passkey = passkey
        self.node = node
        self.options = options
        self.console = console
    }

    /// Reads and does until `exit`, the end of the input, or a signal; shares meanwhile.
    ///
    /// - Returns: the exit code.
    func run() async throws(ShoalError) -> Int32 {
        try await node.start()
        let (ends, end) = AsyncStream<Int32>.makeStream()
        let pump = Task {
            for await event in node.events {
                if case .interrupted(let signal) = event { end.yield(128 + signal) }
                received(event)
            }
        }
        let reader = Task { end.yield(await readLines()) }
        var code: Int32 = 0
        for await ended in ends {
            code = ended
            break
        }
        reader.cancel()
        await node.stop()
        pump.cancel()
        return code
    }

    // MARK: Lines

    private func readLines() async -> Int32 {
        greet()
        while let text = await nextLine() {
            do throws(ShoalError) {
                guard try await perform(ConsoleLine(text)) else { break }
            } catch {
                failed(error)
            }
        }
        // A person who leaves leaves now, and continues another time; a pipe has nothing more to say, and means to have it.
        if console.isInputTerminal, !downloads.isEmpty {
            say("left unfinished: \(downloads.values.sorted().joined(separator: ", ")); download it again to go on")
        } else {
            while !downloads.isEmpty { await withCheckedContinuation { waiters.append($0) } }
        }
        return code
    }

    private func greet() {
        guard !options.json, !options.isQuiet else { return }
        let name = task.id.map { "peer \($0)" } ?? "this peer"
        say("\(name) shares and fetches in '\(task.folder)' through \(tracker)")
    }

    private func nextLine() async -> String? {
        if !options.json, !options.isQuiet {
            print("\n1 Register\n2 Login\n3 Register file\n4 Download file\n5 Exit\n> ", ending: "")
        }
        return await console.line(isSecret: false)
    }

    /// - Returns: false for the end.
    private func perform(_ line: ConsoleLine) async throws(ShoalError) -> Bool {
        switch line {
        case .empty: break
        case .words("1"), .words("register"): try await enter(isNew: true)
        case .words("2"), .words("login"): try await enter(isNew: false)
        case .words("3"), .words("register file"): try await send(try await ask("File name: "))
        case .words("4"), .words("download file"): try await download(try await ask("File name: "))
        case .words("5"), .words("exit"), .words("quit"), .torrent("exit", _): return false
        case .torrent("send", let name): try await send(name)
        case .torrent("download", let name): try await download(name)
        case .torrent("scrape", let name): try await scrape(name)
        default:
            throw ShoalError(
                .usage,
                "choose from the menu by number or word, or say torrent -mode send|download|scrape FILE or -mode exit"
            )
        }
        return true
    }

    /// One more line, asked for.
    private func ask(_ question: String) async throws(ShoalError) -> String {
        if !options.json { print(question, ending: "") }
        guard let line = await console.line(isSecret: false) else {
            throw ShoalError(.usage, "the input ended before an answer to '\(question.dropLast(2))'")
        }
        let text = line.drop { $0 == " " || $0 == "\t" }
        return String(text.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }

    // MARK: The account

    private func enter(isNew: Bool) async throws(ShoalError) {
        let client = try client()
        if let fault = client.safetyFault { throw ShoalError(fault) }
        let user = try await ask("User name: ")
        guard AccountRules.isName(user) else {
            throw ShoalError(.usage, "'\(DisplayText.clean(user))' is no user name: 3 to 64 of A-Z a-z 0-9 _ . -")
        }
        let password = try await Password.read(file: task.passwordFile, isNew: isNew, on: console)
        let credentials = Credentials(user: user, password: password)
        let grant: PasskeyGrant
        do throws(TrackerClientError) {
            grant = isNew ? try await client.register(credentials) : try await client.login(credentials)
        } catch {
            throw ShoalError(error)
        }
        // Another peer on this machine may log in as somebody else, and keeps its passkey in the same file.
        passkey = grant.passkey
        try await node.use(passkey: grant.passkey, at: tracker.place.description)
        var object = JSONObject(event: isNew ? "registered" : "logged_in")
        object.add("user", grant.user)
        say("\(isNew ? "registered and logged in" : "logged in") as \(DisplayText.clean(grant.user))", object)
    }

    // MARK: Files

    private func send(_ name: String) async throws(ShoalError) {
        let path = try path(of: name)
        do throws(StorageError) {
            guard try FlatFolder(task.folder).open(name) != nil else { throw StorageError.notFound(path: path) }
        } catch {
            if case .notFound = error { throw ShoalError(.notFound, error.message) }
            throw ShoalError(.files, error.message)
        }
        let client = try client()
        try await checkAccount(client)
        let torrent = try await share(path)
        guard let file = try await node.torrentFile(torrent.infoHash) else {
            throw ShoalError(.failed, "'\(DisplayText.clean(name))' is not shared any more")
        }
        do throws(TrackerClientError) {
            _ = try await client.publish(name, torrent: file.bytes)
        } catch {
            throw ShoalError(error)
        }
        var object = JSONObject(event: "sent")
        object.add("name", name)
        object.add("info_hash", torrent.infoHash)
        object.add("size", torrent.size)
        say(
            "registered and sharing \(DisplayText.clean(name)): \(HumanUnits.size(torrent.size)) in "
                + HumanUnits.count(torrent.pieces, "piece"),
            object
        )
    }

    /// Before files are hashed and announced: a tracker that refuses an announce is not asked again.
    private func checkAccount(_ client: TrackerClient) async throws(ShoalError) {
        guard passkey == nil else { return }
        var needsAccount = false
        do throws(TrackerClientError) {
            needsAccount = try await client.statistics()["accounts"]?.bool ?? false
        } catch {
            throw ShoalError(error)
        }
        if needsAccount {
            throw ShoalError(.loginRefused, "\(client.place) is for accounts: register (1) or log in (2) first")
        }
    }

    /// Shares a file; one that is shared already, and did not change, is as good.
    private func share(_ path: String) async throws(ShoalError) -> TorrentInfo {
        var request = ShareRequest(paths: [path])
        request.trackers = [tracker.text]
        do throws(ShoalError) {
            let torrent = try await node.share(request)
            shares[path] = torrent
            return torrent
        } catch {
            guard error.code == .usage, let torrent = shares[path] else { throw error }
            return torrent
        }
    }

    private func download(_ name: String) async throws(ShoalError) {
        let path = try path(of: name)
        let client = try client()
        try await checkAccount(client)
        let torrent = try await CatalogueFile.torrent(of: name, at: client)
        let infoHash = try TorrentFile(torrent).info.infoHash
        guard downloads[infoHash] == nil else {
            throw ShoalError(.usage, "'\(DisplayText.clean(name))' is on its way already")
        }
        var request = FetchOptions()
        request.output = path
        request.trackers = [tracker.text]
        // Before it begins: the end may be told before the call returns.
        downloads[infoHash] = name
        do throws(ShoalError) {
            try await node.fetch(.torrent(torrent), request)
        } catch {
            ended(infoHash)
            throw error
        }
        say("downloading \(DisplayText.clean(name))")
    }

    private func scrape(_ name: String) async throws(ShoalError) {
        let client = try client()
        let entry: CatalogueEntry
        do throws(TrackerClientError) {
            entry = try await client.file(name).entry
        } catch {
            throw ShoalError(error)
        }
        var object = JSONObject(event: "scraped")
        object.add("name", entry.name)
        object.add("info_hash", entry.infoHash.hex)
        object.add("seeders", entry.seeders)
        object.add("leechers", entry.leechers)
        object.add("downloaded", entry.downloaded)
        say(
            "\(DisplayText.clean(entry.name)): \(HumanUnits.count(entry.seeders, "seeder")), "
                + "\(HumanUnits.count(entry.leechers, "leecher")), downloaded "
                + HumanUnits.count(entry.downloaded, "time"),
            object
        )
    }

    /// Where a file lies that somebody names: a plain name, which leads nowhere else.
    private func path(of name: String) throws(ShoalError) -> String {
        guard FileName.isPlain(name) else {
            throw ShoalError(.usage, "say the name of a file inside '\(task.folder)', without a path")
        }
        return task.folder + (task.folder.hasSuffix("/") ? "" : "/") + name
    }

    private func client() throws(ShoalError) -> TrackerClient {
        let url = passkey.map { tracker.with(path: "/announce/\($0)") } ?? tracker
        do throws(TrackerClientError) {
            return try TrackerClient(url, stateFolder: task.network.stateFolder, isInsecure: task.isInsecure)
        } catch {
            throw ShoalError(error)
        }
    }

    // MARK: What happens meanwhile

    private func received(_ event: Event) {
        switch event {
        case .done(let completion):
            guard let name = downloads[completion.infoHash] else { return }
            var object = JSONObject(event: "done")
            object.add("info_hash", completion.infoHash)
            object.add("name", name)
            object.add("path", completion.path)
            say("downloaded \(DisplayText.clean(name)) to \(DisplayText.clean(completion.path))", object)
            ended(completion.infoHash)
        case .failed(let infoHash, let error):
            failed(error)
            ended(infoHash)
        case .progress(let progress): tellStall(progress)
        case .notice(let message): remark(DisplayText.clean(message))
        case .tracker(let status) where status.state == .failed:
            remark(TrackerLine.text(for: status, style: console.style(for: options)))
        default: break
        }
    }

    /// Nobody shall wait without knowing for what.
    private func tellStall(_ progress: Progress) {
        guard let name = downloads[progress.infoHash], let reason = progress.waitingFor else {
            stalls[progress.infoHash] = nil
            return
        }
        let stall = stalls[progress.infoHash, default: Stall()]
        let isDue = !stall.isTold && stall.since.duration(to: .now) >= InteractivePeer.stallPatience
        stalls[progress.infoHash] = isDue ? Stall(isTold: true) : stall
        guard isDue else { return }
        let text = "\(DisplayText.clean(name)) waits: \(DisplayText.clean(reason))"
        if options.json { print(JSONLines.line(for: .notice(text))) } else { remark(text) }
    }

    private static var stallPatience: Duration { .seconds(5) }

    private func ended(_ infoHash: String) {
        downloads[infoHash] = nil
        stalls[infoHash] = nil
        guard downloads.isEmpty else { return }
        for waiter in waiters { waiter.resume() }
        waiters = []
    }

    private func failed(_ error: ShoalError) {
        if code == 0, !console.isInputTerminal { code = error.code.exitCode }
        if options.json { print(JSONLines.line(for: error)) }
        let usesColor = console.style(for: options).usesColor
        try? console.write(LastingLines.line(for: error, usesColor: usesColor) + "\n", to: .standardError)
    }

    // MARK: Words

    /// What was done; when nobody reads any more, sharing goes on.
    private func say(_ text: String, _ object: JSONObject? = nil) {
        if options.json {
            if let object { print(object.line) }
        } else if !options.isQuiet {
            print(text)
        }
    }

    private func remark(_ text: String) {
        guard !options.json, !options.isQuiet else { return }
        try? console.write(text + "\n", to: .standardError)
    }

    private func print(_ text: String, ending: String = "\n") {
        try? console.write(text + ending, to: .standardOutput)
    }
}
