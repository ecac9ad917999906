import Metainfo
import Primitives
import Shoal

/// Turns a parsed command line into an `Invocation`: text becomes checked values, each complaint names its option.
struct InvocationReader {
    let parsed: ParsedArguments
    let values: OptionValues
    private let exists: (String) -> Bool

    /// - Parameters:
    ///   - arguments: without the name of the program.
    ///   - environment: the value of a variable.
    ///   - exists: whether a path names something on disk.
    static func read(
        _ arguments: [String],
        environment: @escaping (String) -> String?,
        exists: @escaping (String) -> Bool
    ) throws(ShoalError) -> Invocation {
        let parsed = try ArgumentParser.parse(arguments)
        let values = OptionValues(parsed, environment: environment)
        let reader = InvocationReader(parsed: parsed, values: values, exists: exists)
        if let topic = parsed.wantsHelp { return Invocation(command: .help(topic), console: ConsoleOptions()) }
        guard !parsed.positionals.contains("") else { throw ShoalError(.usage, "an argument is empty") }
        return Invocation(command: try reader.command(), console: try reader.console())
    }

    private func command() throws(ShoalError) -> Invocation.Command {
        let first = parsed.positionals.first ?? ""
        return switch parsed.verb {
        case .share: .share(try share())
        case .fetch: .fetch(try fetch())
        case .node: .node(try network())
        case .trackerRun: .tracker(.run(try trackerRun()))
        case .trackerList: .tracker(.ask(try trackerQuestion(.list)))
        case .trackerFile: .tracker(.ask(try trackerQuestion(.file(first))))
        case .trackerPeers: .tracker(.ask(try trackerQuestion(.peers)))
        case .trackerConsole: .tracker(.ask(try trackerQuestion(.console)))
        case .trackerScrape: .tracker(try trackerScrape(first))
        case .trackerUser: .tracker(.users(try userTask()))
        case .userRegister: .account(try account(.register(first)))
        case .userLogin: .account(try account(.login(first)))
        case .userLogout: .account(try account(.logout))
        case .console: .console(try peerConsole())
        case .chunksRun: .chunks(.run(try chunksRun(first)))
        case .chunksImport: .chunks(try chunksImport())
        case .chunksExport: .chunks(.join(folder: first, output: try text(.output)))
        case .dhtPing: .dht(try question(.ping(try hostPort(first, what: "NODE"))))
        case .dhtFind: .dht(try question(.find(try infoHash(first, what: "ID"))))
        case .dhtGetPeers: .dht(try question(.peers(try infoHash(first, what: "INFOHASH"))))
        case .dhtHave: .dht(try question(.have(try infoHash(first, what: "INFOHASH"))))
        case .dhtScrape: .dht(try question(.scrape(try infoHash(first, what: "INFOHASH"))))
        case .dhtPut: .dht(try question(try put()))
        case .dhtGet: .dht(try question(try get(first)))
        case .dhtSample: .dht(try question(.sample(first.isEmpty ? nil : try infoHash(first, what: "ID"))))
        case .dhtTable: .dht(try question(.table))
        case .dhtStats: .dht(try question(.stats))
        case .torrentCreate: .torrent(.create(try shareRequest(), output: try text(.output)))
        case .torrentShow: .torrent(.show(first))
        case .torrentMagnet: .torrent(.magnet(first))
        case .torrentVerify: .torrent(.verify(torrent: first, data: parsed.positionals.dropFirst().first ?? "."))
        case .idShow: .identity(try identity(.show))
        case .idNew: .identity(try identity(.new(replacing: try values.flag(.replace))))
        case .idQR: .identity(try identity(.qr))
        case .idSwarmKey: .makeSwarmKey(try swarmKey())
        case .completions: .completions(try choice(first, of: Invocation.Shell.self, origin: "completions"))
        case .man: .man
        case .version: .version
        case .help: .help(.program)
        }
    }

    private func share() throws(ShoalError) -> Invocation.Share {
        var share = Invocation.Share(
            request: try shareRequest(),
            torrentFile: try text(.torrent),
            saveTorrent: try text(.saveTorrent),
            network: try network()
        )
        share.update = try update()
        share.request.trackers = try trackers()
        share.network.announceIP = try announceIP()
        guard share.torrentFile != nil else { return share }
        guard share.request.paths.count == 1 else {
            throw ShoalError(.usage, "--torrent goes with one PATH: the file or folder that holds its data")
        }
        for name in [OptionName.name, .pieceLength, .isPrivate] where values.isGiven(name) {
            throw ShoalError(.usage, "--\(name.rawValue) makes a new torrent and does not go with --torrent")
        }
        // What the environment says about new torrents does not concern this one.
        let (peers, trackers) = (share.request.peers, share.request.trackers)
        share.request = ShareRequest(paths: parsed.positionals)
        share.request.peers = peers
        share.request.trackers = trackers
        return share
    }

    private func shareRequest() throws(ShoalError) -> ShareRequest {
        var request = ShareRequest(paths: parsed.positionals)
        request.name = try text(.name)
        request.pieceLength = try pieceLength()
        request.isPrivate = try values.flag(.isPrivate)
        request.peers = try peers()
        return request
    }

    private func fetch() throws(ShoalError) -> Invocation.Fetch {
        var options = FetchOptions()
        options.output = try text(.output) ?? "."
        options.only = values.all(.only).map(\.text)
        options.sequential = try values.flag(.sequential)
        options.standardOutput = try values.flag(.stdout)
        options.peers = try peers()
        options.trackers = try trackers()
        if options.standardOutput, try values.flag(.json) {
            throw ShoalError(.usage, "--stdout and --json both write to standard output; leave one out")
        }
        var fetch = Invocation.Fetch(
            target: try fetchTarget(),
            options: options,
            keepsSharing: try values.flag(.seed),
            timeout: try seconds(.timeout),
            network: try network()
        )
        fetch.network.announceIP = try announceIP()
        if let interval = try seconds(.every) { fetch.checkInterval = interval }
        return fetch
    }

    private func fetchTarget() throws(ShoalError) -> FetchTarget {
        let what = parsed.positionals.first
        guard try values.flag(.any) else {
            if let what { return try FetchTarget(what, exists: exists) }
            throw ShoalError(.usage, "fetch needs WHAT; usage: shoal fetch [OPTION...] WHAT")
        }
        guard what == nil else { throw ShoalError(.usage, "--any takes whatever there is; leave '\(what ?? "")' out") }
        return .any(tracker: try oneTracker())
    }

    private func question(_ kind: Invocation.DHTQuestion.Kind) throws(ShoalError) -> Invocation.DHTQuestion {
        var question = Invocation.DHTQuestion(kind: kind, network: try network())
        if let timeout = try seconds(.timeout) { question.timeout = timeout }
        return question
    }

    private func identity(_ kind: Invocation.IdentityTask.Kind) throws(ShoalError) -> Invocation.IdentityTask {
        guard let folder = try stateFolder() else {
            throw ShoalError(.usage, "there is no home folder, so --state DIR must say where the key is")
        }
        return Invocation.IdentityTask(kind: kind, stateFolder: folder)
    }

    func network() throws(ShoalError) -> Network {
        var network = Network()
        if let value = values.last(.listen) { network.listen = .endpoint(try InvocationReader.listenAddress(value)) }
        network.bootstrap = try bootstrap()
        network.usesDHT = try !values.flag(.noDHT)
        network.mapsPort = try !values.flag(.noPortMapping)
        network.usesLAN = try !values.flag(.noLAN)
        network.stateFolder = try stateFolder()
        try readSecurity(into: &network)
        network.downloadLimit = try rate(.limitDown)
        network.uploadLimit = try rate(.limitUp)
        network.localLimits = try localLimits()
        return network
    }

    /// `SHOAL_LOCAL_LIMITS=on`, for tests of limits.
    func localLimits() throws(ShoalError) -> Bool {
        guard let text = values.environmentValue("SHOAL_LOCAL_LIMITS") else { return false }
        return try OptionValues.truth(.init(text: text, origin: "SHOAL_LOCAL_LIMITS"))
    }

    private func console() throws(ShoalError) -> ConsoleOptions {
        var console = ConsoleOptions()
        console.json = try values.flag(.json)
        console.isQuiet = try values.flag(.quiet)
        console.isVerbose = try values.flag(.verbose)
        if let value = values.last(.color) {
            console.color = try choice(value.text, of: ConsoleOptions.Color.self, origin: value.origin)
        } else if values.environmentValue("NO_COLOR") != nil {
            console.color = .never
        }
        return console
    }
}

extension InvocationReader {
    func text(_ name: OptionName) throws(ShoalError) -> String? {
        guard let value = values.last(name) else { return nil }
        guard !value.text.isEmpty else { throw ShoalError(.usage, "\(value.origin) is empty") }
        return value.text
    }

    func choice<T>(
        _ text: String,
        of type: T.Type,
        origin: String
    ) throws(ShoalError) -> T where T: RawRepresentable<String> & CaseIterable {
        if let value = T(rawValue: text) { return value }
        let words = T.allCases.map(\.rawValue)
        let hint = Suggestion.hint(for: text, among: words)
        throw ShoalError(.usage, "\(origin) must be one of \(words.joined(separator: ", ")), not '\(text)'\(hint)")
    }

    private func rate(_ name: OptionName) throws(ShoalError) -> Int? {
        guard let value = values.last(name) else { return nil }
        guard let rate = Quantity.byteCount(value.text) else {
            throw ShoalError(.usage, "\(value.origin): '\(value.text)' is not bytes a second, like 500K or 2M")
        }
        guard rate > 0 else {
            throw ShoalError(.usage, "\(value.origin): 0 would stop everything; leave it out for no limit")
        }
        return rate
    }

    func pieceLength() throws(ShoalError) -> Int? {
        guard let value = values.last(.pieceLength) else { return nil }
        // F9: 16 KiB to 256 MiB, a power of two.
        guard let length = Quantity.byteCount(value.text), (1 << 14...1 << 28).contains(length),
            length & (length - 1) == 0
        else {
            throw ShoalError(
                .usage,
                "\(value.origin): '\(value.text)' is not a power of two from 16K to 256M, like 1M"
            )
        }
        return length
    }

    func seconds(_ name: OptionName) throws(ShoalError) -> Duration? {
        guard let value = values.last(name) else { return nil }
        guard let duration = Quantity.seconds(value.text), duration > .zero else {
            throw ShoalError(.usage, "\(value.origin): '\(value.text)' is not a number of seconds above 0")
        }
        return duration
    }

    func hostPort(_ text: String, what: String) throws(ShoalError) -> String {
        guard HostAndPort(text) != nil else {
            throw ShoalError(.usage, "\(what): '\(text)' is not HOST:PORT, like 192.0.2.7:6881 or node.example:6881")
        }
        return text
    }

    func infoHash(_ text: String, what: String) throws(ShoalError) -> String {
        guard InfoHash(text: text) != nil else {
            throw ShoalError(.usage, "\(what): '\(text)' is neither 40 hexadecimal nor 32 base32 digits")
        }
        return text
    }

    private func bootstrap() throws(ShoalError) -> Network.Bootstrap {
        // A file named on the command line wins over nodes from the environment.
        if !values.isGiven(.bootstrap), values.isGiven(.bootstrapFile), let file = try text(.bootstrapFile) {
            return .file(file)
        }
        let nodes = values.all(.bootstrap)
        guard nodes.isEmpty else {
            var checked: [String] = []
            for node in nodes { checked.append(try hostPort(node.text, what: node.origin)) }
            return .nodes(checked)
        }
        return try text(.bootstrapFile).map { .file($0) } ?? .installed
    }

    func stateFolder() throws(ShoalError) -> String? {
        if let folder = try text(.state) { return folder }
        // The XDG specification: a relative path is invalid and ignored.
        if let folder = values.environmentValue("XDG_STATE_HOME"), folder.hasPrefix("/") { return folder + "/shoal" }
        return values.environmentValue("HOME").map { $0 + "/.local/state/shoal" }
    }

    /// `ADDR:PORT`, `:PORT` for every address of both families, `[v6]:PORT`.
    static func listenAddress(_ value: OptionValues.Value) throws(ShoalError) -> String {
        let text = value.text
        if let colon = text.lastIndex(of: ":"), let port = InvocationReader.port(text[text.index(after: colon)...]) {
            let host = text[..<colon]
            if host.isEmpty { return ":\(port)" }
            if host == "localhost" { return "127.0.0.1:\(port)" }
            if let endpoint = Endpoint(text) { return endpoint.description }
        }
        throw ShoalError(
            .usage,
            "\(value.origin): '\(text)' is not ADDR:PORT with a numeric address, like 127.0.0.1:6881, :6881 or :0"
        )
    }

    /// In decimal digits, 0 included; `UInt16("+1")` would be 1.
    private static func port(_ text: Substring) -> UInt16? {
        text.utf8.allSatisfy { (48...57).contains($0) } ? UInt16(text) : nil
    }
}
