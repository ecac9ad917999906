import Primitives
import TrackerProtocol

/// A tracker's table and the connections of its clients, in words of the text protocol.
struct ChunkDialogue: ~Copyable {
    var table: ChunkTable
    var now = Instant.zero
    private let limits: ChunkLimits
    private var conversation: ChunkConversation

    init(from sender: IPAddress = .loopbackV4, limits: ChunkLimits = ChunkLimits()) {
        self.limits = limits
        table = ChunkTable(limits: limits)
        conversation = ChunkConversation(with: sender, limits: limits, now: .zero)
    }

    /// Another connection, to the same tracker.
    mutating func connect(from sender: IPAddress = .loopbackV4) {
        conversation = ChunkConversation(with: sender, limits: limits, now: now)
    }

    /// Bytes come in one segment.
    mutating func say(_ text: String) -> [String] {
        var actions: [ChunkConversation.Action] = []
        conversation.received(Array(text.utf8).span.bytes, at: now, table: &table, into: &actions)
        return actions.map(Self.text)
    }

    mutating func wait(_ duration: Duration) -> [String] {
        now = now + duration
        var actions: [ChunkConversation.Action] = []
        conversation.advanced(to: now, table: &table, into: &actions)
        return actions.map(Self.text)
    }

    mutating func end() -> [String] {
        var actions: [ChunkConversation.Action] = []
        conversation.ended(at: now, table: &table, into: &actions)
        return actions.map(Self.text)
    }

    /// Says words one after the other, ends, and keeps the answers alone.
    mutating func ask(_ words: String) -> [String] {
        (say(words) + end()).filter { $0.hasPrefix("> ") }
    }

    private static func text(_ action: ChunkConversation.Action) -> String {
        switch action {
        case .heard(let line): line.description
        case .answer(let answer, let hasLineFeed): "> \(answer)\(hasLineFeed ? "\\n" : "")"
        case .refused(let fault): "refused: \(fault)"
        case .close(let fault): "close" + (fault.map { ": \($0)" } ?? "")
        }
    }
}
