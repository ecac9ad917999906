import Primitives
import Shoal

/// Turns events into what a person reads on standard error. Pure: it takes facts and `now` and returns text.
///
/// On a terminal the last lines are live: they are erased and drawn again, at most five times a second. Elsewhere there
/// is a line every ten seconds.
struct Display {
    enum Purpose: Hashable, Sendable {
        case fetch
        case share
        case node
    }

    struct Style: Hashable, Sendable {
        /// Whether the cursor may be moved.
        var isLive = false
        var usesColor = false
        var isQuiet = false
        var isVerbose = false
    }

    /// Faster than this, digits are a blur and a slow terminal link fills up.
    static let redrawInterval = Duration.milliseconds(200)
    /// Without a terminal: rare enough for a log, often enough to see that it lives.
    static let lineInterval = Duration.seconds(10)
    /// Peers that are remembered for the second line; more never fit.
    private static let peerLimit = 16

    private let purpose: Purpose
    private let style: Style
    private var torrent: TorrentInfo?
    private var progress: Progress?
    private var dht: DHTStatus?
    private var address: String?
    private var peers: [PeerStatus] = []
    /// Columns of each live line that is on the screen now.
    private var drawn: [Int] = []
    private var nextDraw = Instant.zero
    private var lastLine: String?
    private var nextRefusals = Instant.zero
    /// What each tracker said that was worth a line; few, as a torrent has few.
    private var trackerWords: [String: String] = [:]

    init(purpose: Purpose, style: Style) {
        self.purpose = purpose
        self.style = style
    }

    /// What to write to standard error now that this happened.
    ///
    /// - Parameter width: columns of the terminal.
    mutating func received(_ event: Event, width: Int, at now: Instant) -> String {
        remember(event)
        if case .refusals = event {
            // A flood may last for days.
            guard now >= nextRefusals else { return "" }
            nextRefusals = now + Display.lineInterval
        }
        if case .tracker(let tracker) = event, !isNews(tracker) { return "" }
        let lasting = LastingLines.lines(for: event, purpose: purpose, style: style, width: width)
        if style.isQuiet {
            guard case .failed = event else { return "" }
            return lasting.map { $0 + "\n" }.joined()
        }
        let isDue = now >= nextDraw
        guard !lasting.isEmpty || isDue else { return "" }
        guard style.isLive else {
            return lasting.map { $0 + "\n" }.joined() + (isDue ? dueLine(at: now) : "")
        }
        let text = erased(width: width) + lasting.map { $0 + "\n" }.joined()
        return text + drawnLines(width: width, at: now)
    }

    /// What to write before anything else goes to the terminal, and at the end: the live lines vanish.
    mutating func finish(width: Int) -> String { erased(width: width) }

    /// A tracker that fails again for the same reason, or answers as it always does, needs no further line.
    private mutating func isNews(_ tracker: TrackerStatus) -> Bool {
        if style.isVerbose { return true }
        let word = tracker.message ?? ""
        let isNew = trackerWords[tracker.tracker, default: ""] != word
        trackerWords[tracker.tracker] = word
        return isNew
    }

    private mutating func remember(_ event: Event) {
        switch event {
        case .listening(let listening): address = listening.address
        case .dht(let status): dht = status
        case .torrent(let torrent): self.torrent = torrent
        case .progress(let progress): self.progress = progress
        case .peer(let peer):
            peers.removeAll { $0.address == peer.address }
            if peer.state == .connected { peers.append(peer) }
            if peers.count > Display.peerLimit { peers.removeFirst() }
        case .done: progress = nil
        case .tracker, .portMapping, .refusals, .failed, .interrupted, .notice, .published, .version: break
        }
    }

    private func lines(width: Int) -> [String] {
        if let progress {
            return StatusLines(progress: progress, torrent: torrent, peers: peers, width: width).lines
        }
        guard purpose == .node, let dht else { return [] }
        return [Columns.truncated(StatusLines.text(for: dht), to: width)]
    }

    /// The live lines; the cursor stays at the end of the last one.
    private mutating func drawnLines(width: Int, at now: Instant) -> String {
        // The last column stays free: some terminals wrap as soon as it is filled.
        let lines = lines(width: max(20, width - 1))
        drawn = lines.map { Columns.count($0) }
        nextDraw = now + Display.redrawInterval
        guard style.usesColor, let first = lines.first else { return lines.joined(separator: "\n") }
        return ([Paint.bold(first)] + lines.dropFirst().map(Paint.dim)).joined(separator: "\n")
    }

    /// Moves to the beginning of the first live line and clears from there.
    private mutating func erased(width: Int) -> String {
        guard !drawn.isEmpty else { return "" }
        // A window that became narrower has wrapped the lines that were drawn for the old width.
        let rows = drawn.reduce(0) { $0 + max(1, ($1 + width - 1) / max(1, width)) }
        drawn = []
        return "\r" + (rows > 1 ? "\u{1B}[\(rows - 1)A" : "") + "\u{1B}[J"
    }

    private mutating func dueLine(at now: Instant) -> String {
        guard let line = lines(width: 200).first else { return "" }
        nextDraw = now + Display.lineInterval
        // A sharer or a node may run for weeks: it speaks when something changed.
        guard line != lastLine || (purpose == .fetch && progress?.state != .seeding) else { return "" }
        lastLine = line
        return line + "\n"
    }
}

/// Colours, as the oldest terminals know them.
enum Paint {
    static func bold(_ text: String) -> String { "\u{1B}[1m\(text)\u{1B}[0m" }
    static func dim(_ text: String) -> String { "\u{1B}[2m\(text)\u{1B}[0m" }
    static func red(_ text: String) -> String { "\u{1B}[31m\(text)\u{1B}[0m" }
    static func yellow(_ text: String) -> String { "\u{1B}[33m\(text)\u{1B}[0m" }
    static func green(_ text: String) -> String { "\u{1B}[32m\(text)\u{1B}[0m" }
    /// Of the 256 colours those that no theme changes, for what a camera reads.
    static func blackOnWhite(_ text: String) -> String { "\u{1B}[38;5;16;48;5;231m\(text)\u{1B}[0m" }
}
