import Metainfo
import Shoal

/// `shoal id show|new|qr`: the key that nodes of this state folder are known by; touches no network.
enum IdentityCommand {
    static func run(
        _ task: Invocation.IdentityTask,
        _ options: ConsoleOptions,
        on console: some Console
    ) throws(ShoalError) {
        switch task.kind {
        case .show: try show(try NodeIdentity(stateFolder: task.stateFolder), options, on: console)
        case .qr: try drawCode(of: try NodeIdentity(stateFolder: task.stateFolder), options, on: console)
        case .new(let replacing):
            let (identity, aside) = try NodeIdentity.make(stateFolder: task.stateFolder, replacing: replacing)
            try made(identity, aside: aside, options, on: console)
        }
    }

    private static func show(
        _ identity: NodeIdentity,
        _ options: ConsoleOptions,
        on console: some Console
    ) throws(ShoalError) {
        guard !options.json else { return try write(JSONLines.line(for: identity), on: console) }
        // A script puts the key into a command line.
        guard console.isTerminal(.standardOutput) else { return try write(identity.key, on: console) }
        var rows = [
            ("key", identity.key), ("file", identity.file), ("made", DateText.utc(identity.created)),
            ("node", "\(identity.nodeID), until others tell a running node its address"),
        ]
        if let id = identity.lastNodeID { rows.append(("", "\(id), in the last run over IPv4")) }
        if let id = identity.lastNodeID6 { rows.append(("", "\(id), in the last run over IPv6")) }
        let lines = rows.map { name, value in
            name + String(repeating: " ", count: 6 - name.count) + DisplayText.clean(value)
        }
        try write(lines.joined(separator: "\n"), on: console)
    }

    private static func made(
        _ identity: NodeIdentity,
        aside: String?,
        _ options: ConsoleOptions,
        on console: some Console
    ) throws(ShoalError) {
        guard !options.json else { return try write(JSONLines.line(for: identity, aside: aside), on: console) }
        try write(identity.key, on: console)
        guard !options.isQuiet else { return }
        let file = DisplayText.clean(identity.file)
        var text = "made a new key in '\(file)'; whoever has that file can pass for this node\n"
        if let aside { text += "the old one is now '\(DisplayText.clean(aside))'\n" }
        try console.write(text, to: .standardError)
    }

    private static func drawCode(
        of identity: NodeIdentity,
        _ options: ConsoleOptions,
        on console: some Console
    ) throws(ShoalError) {
        guard !options.json else { return try write(JSONLines.line(for: identity), on: console) }
        guard let code = QRCode(identity.key) else { throw ShoalError(.failed, "the key cannot be drawn: no memory") }
        let isTerminal = console.isTerminal(.standardOutput)
        // A line that wraps is no code any more.
        guard !isTerminal || console.columns >= code.columns else {
            throw ShoalError(
                .failed,
                "the code is \(code.columns) columns wide, this terminal \(console.columns); make its window larger"
            )
        }
        try write(code.lines(usesColor: usesColor(options, on: console)).joined(separator: "\n"), on: console)
        // What a camera reads, for whoever holds it to compare.
        if isTerminal, !options.isQuiet { try console.write(identity.key + "\n", to: .standardError) }
    }

    /// What is drawn is data, so standard output counts, and not standard error as for messages.
    private static func usesColor(_ options: ConsoleOptions, on console: some Console) -> Bool {
        switch options.color {
        case .always: true
        case .never: false
        case .auto: console.isTerminal(.standardOutput) && ![nil, "dumb"].contains(console.environment("TERM"))
        }
    }

    private static func write(_ text: String, on console: some Console) throws(ShoalError) {
        try console.write(text + "\n", to: .standardOutput)
    }
}
