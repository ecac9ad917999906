import Primitives
import Shoal
import TrackerProtocol

/// The options of trackers, accounts, the interactive peer and chunk folders.
extension InvocationReader {
    // MARK: Values

    /// The trackers to announce to, as given.
    func trackers() throws(ShoalError) -> [String] {
        var trackers: [String] = []
        for value in values.all(.tracker) { trackers.append(try tracker(value)) }
        return trackers
    }

    /// The one tracker that is asked.
    func oneTracker() throws(ShoalError) -> String {
        let given = values.all(.tracker)
        guard let value = given.last else {
            throw ShoalError(.usage, "say which tracker: --tracker http://HOST:PORT")
        }
        guard given.count == 1 else {
            throw ShoalError(.usage, "one --tracker is asked, and \(given.count) were given")
        }
        guard let url = TrackerURL(value.text), url.scheme != .udp else {
            throw ShoalError(
                .usage,
                "\(value.origin): '\(value.text)' is not http://HOST:PORT or https://HOST; "
                    + "its files and accounts are asked for over HTTP"
            )
        }
        return value.text
    }

    private func tracker(_ value: OptionValues.Value) throws(ShoalError) -> String {
        guard TrackerURL(value.text) != nil else {
            throw ShoalError(
                .usage,
                "\(value.origin): '\(value.text)' is no tracker, like http://tracker.example:6969 or udp://192.0.2.7:6969"
            )
        }
        return value.text
    }

    /// `nil` for `auto`.
    func announceIP() throws(ShoalError) -> String? {
        guard let value = values.last(.announceIP), value.text != "auto" else { return nil }
        guard IPAddress(value.text) != nil else {
            throw ShoalError(.usage, "\(value.origin): '\(value.text)' is neither an IP address nor auto")
        }
        return value.text
    }

    private func address(_ name: OptionName, else usual: String) throws(ShoalError) -> String {
        guard let value = values.last(name) else { return usual }
        return try InvocationReader.listenAddress(value)
    }

    // MARK: The tracker node

    func trackerRun() throws(ShoalError) -> Invocation.TrackerRun {
        var run = Invocation.TrackerRun()
        run.listen = try address(.listen, else: run.listen)
        run.database = try text(.database)
        run.needsAccounts = try values.flag(.accounts)
        run.interval = try seconds(.interval) ?? run.interval
        // Who asks for a short interval does not want a longer least one.
        run.minInterval = try seconds(.minInterval) ?? min(run.minInterval, run.interval)
        guard run.minInterval <= run.interval else {
            throw ShoalError(.usage, "--min-interval must not be longer than --interval")
        }
        if values.last(.chunks) != nil { run.chunks = try address(.chunks, else: "") }
        run.allowList = try text(.allowList)
        run.denyList = try text(.denyList)
        run.ownURL = try ownURL()
        run.proxies = try proxies()
        run.trace = try text(.trace)
        run.stateFolder = try stateFolder()
        run.localLimits = try localLimits()
        return run
    }

    private func ownURL() throws(ShoalError) -> TrackerURL? {
        guard let value = values.last(.ownURL) else { return nil }
        guard let url = TrackerURL(value.text), url.scheme != .udp, url.path == "/announce" else {
            throw ShoalError(.usage, "\(value.origin): '\(value.text)' is not http://HOST:PORT or https://HOST")
        }
        return url
    }

    private func proxies() throws(ShoalError) -> [IPAddress] {
        var addresses: [IPAddress] = []
        for value in values.all(.proxy) {
            guard let address = IPAddress(value.text) else {
                throw ShoalError(.usage, "\(value.origin): '\(value.text)' is not a numeric address")
            }
            addresses.append(address)
        }
        return addresses
    }

    func trackerQuestion(
        _ kind: Invocation.TrackerQuestion.Kind
    ) throws(ShoalError) -> Invocation.TrackerQuestion {
        Invocation.TrackerQuestion(kind: kind, tracker: try oneTracker(), stateFolder: try stateFolder())
    }

    func trackerScrape(_ infoHash: String) throws(ShoalError) -> Invocation.TrackerTask {
        let trackers = try trackers()
        guard !trackers.isEmpty else { throw ShoalError(.usage, "say which tracker: --tracker URL") }
        return .scrape(
            try self.infoHash(infoHash, what: "INFOHASH"),
            trackers: trackers,
            stateFolder: try stateFolder()
        )
    }

    func userTask() throws(ShoalError) -> Invocation.UserTask {
        let words = parsed.positionals
        let (word, name) = (words.first ?? "", words.dropFirst().first)
        let isAdmin = try values.flag(.admin)
        let kind: Invocation.UserTask.Kind
        switch (word, name) {
        case ("list", nil): kind = .list
        case ("add", let name?): kind = .add(name, isAdmin: isAdmin)
        case ("remove", let name?): kind = .remove(name)
        case ("password", let name?): kind = .password(name)
        case ("admin", let name?): kind = .admin(name)
        case ("add", nil), ("remove", nil), ("password", nil), ("admin", nil):
            throw ShoalError(.usage, "tracker user \(word) needs NAME")
        case ("list", _): throw ShoalError(.usage, "tracker user list takes no NAME")
        default:
            let known = ["list", "add", "remove", "password", "admin"]
            let hint = Suggestion.hint(for: word, among: known)
            throw ShoalError(
                .usage,
                "tracker user has no verb '\(word)'\(hint) (it has: \(known.joined(separator: ", ")))"
            )
        }
        if values.isGiven(.admin), word != "add" { throw ShoalError(.usage, "--admin goes with tracker user add") }
        return Invocation.UserTask(
            kind: kind,
            database: try text(.database),
            passwordFile: try text(.passwordFile),
            stateFolder: try stateFolder()
        )
    }

    // MARK: Peers of a tracker

    func account(_ kind: Invocation.AccountTask.Kind) throws(ShoalError) -> Invocation.AccountTask {
        Invocation.AccountTask(
            kind: kind,
            tracker: try oneTracker(),
            passwordFile: try text(.passwordFile),
            isInsecure: try values.flag(.insecure),
            stateFolder: try stateFolder()
        )
    }

    func peerConsole() throws(ShoalError) -> Invocation.PeerConsole {
        var console = Invocation.PeerConsole(tracker: try oneTracker(), network: try network())
        console.id = try text(.id)
        console.folder = try text(.folder) ?? console.folder
        console.passwordFile = try text(.passwordFile)
        console.isInsecure = try values.flag(.insecure)
        return console
    }

    func chunksRun(_ folder: String) throws(ShoalError) -> Invocation.ChunksRun {
        var run = Invocation.ChunksRun(folder: folder, tracker: try oneTracker())
        run.listen = try address(.listen, else: run.listen)
        run.name = try text(.name)
        run.set = try text(.set)
        run.trace = try text(.trace)
        run.announceIP = try announceIP()
        return run
    }

    func chunksImport() throws(ShoalError) -> Invocation.ChunksTask {
        let words = parsed.positionals
        guard words.count == 2 else { throw ShoalError(.usage, "chunks import needs DIR and FILE") }
        return .cut(file: words[1], folder: words[0], chunkByteCount: try pieceLength())
    }
}
