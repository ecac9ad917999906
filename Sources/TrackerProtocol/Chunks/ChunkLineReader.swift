package import Primitives

/// Cuts what comes over one connection into messages of the text protocol.
///
///     empty ── bytes ──▶ begun ── next verb, line feed, end, or a pause behind a whole message ──▶ message, empty
///                          └──── too long, unreadable, or unfinished for too long ──▶ fault
///
/// Old clients frame nothing: several messages come in one segment, and one message in several. What ends a message is
/// the verb of the next one; a line feed where the client sends any; the end of the connection; or that nothing more comes.
package struct ChunkLineReader: ~Copyable {
    /// One message, and how it was ended.
    package struct Message: Hashable, Sendable {
        package var line: ChunkLine
        /// Whether a line feed ended it, so that its sender understands one.
        package var hasLineFeed: Bool
    }

    private let limits: ChunkLimits
    /// What no message was made of yet; never longer than one message may be, between calls.
    private var unread: [UInt8] = []
    private var lastArrival = Instant.zero
    /// Whether the pause was over already and what lay there was no message yet.
    private var hasPaused = false

    package init(limits: ChunkLimits = ChunkLimits()) { self.limits = limits }

    /// When to call `advanced(to:into:)`; `nil` while nothing is begun.
    package var nextDeadline: Instant? {
        unread.isEmpty ? nil : lastArrival + (hasPaused ? limits.patience : limits.pause)
    }

    /// Takes what came, and hands on the messages that are whole by it.
    ///
    /// After a fault the connection is good for nothing more.
    package mutating func received(
        _ bytes: RawSpan,
        at now: Instant,
        into messages: inout [Message]
    ) throws(ChunkFault) {
        unread += bytes.copied
        lastArrival = now
        hasPaused = false
        var start = 0
        while true {
            start = firstMeaningful(from: start)
            guard start < unread.count else { break }
            guard let opening = opening(at: start) else {
                guard couldOpen(at: start) else { throw .unreadable }
                break
            }
            guard let end = end(from: start + opening) else { break }
            try take(start..<end, into: &messages)
            start = end
        }
        unread.removeFirst(start)
        guard unread.count <= limits.mostMessageBytes else { throw .unreadable }
    }

    /// Takes what lies there as a message if nothing came for long enough, and can be one.
    package mutating func advanced(to now: Instant, into messages: inout [Message]) throws(ChunkFault) {
        guard let deadline = nextDeadline, now >= deadline else { return }
        guard !hasPaused else { throw .unfinished }
        hasPaused = true
        guard ChunkLine(String(decoding: unread, as: UTF8.self)) != nil else { return }
        try take(0..<unread.count, into: &messages)
        unread.removeAll()
    }

    /// The other end is done: what lies there is all there will be.
    package mutating func ended(into messages: inout [Message]) throws(ChunkFault) {
        guard !unread.isEmpty else { return }
        try take(0..<unread.count, into: &messages)
        unread.removeAll()
    }

    private func take(_ range: Range<Int>, into messages: inout [Message]) throws(ChunkFault) {
        guard range.count <= limits.mostMessageBytes,
            let line = ChunkLine(String(decoding: unread[range], as: UTF8.self))
        else { throw .unreadable }
        let hasLineFeed = range.upperBound < unread.count && unread[range.upperBound] == ChunkLineReader.lineFeed
        messages.append(Message(line: line, hasLineFeed: hasLineFeed))
    }

    private static let lineFeed = UInt8(ascii: "\n")

    /// Line feeds, blanks and the zeros of clients that send C strings may lie between messages.
    private func firstMeaningful(from start: Int) -> Int {
        unread[start...].firstIndex { $0 > UInt8(ascii: " ") } ?? unread.count
    }

    /// The length of the verb at `index`, with its comma.
    private func opening(at index: Int) -> Int? {
        ChunkLine.openings.first { unread[index...].starts(with: $0) }?.count
    }

    /// Whether what there is may become a verb.
    private func couldOpen(at index: Int) -> Bool { ChunkLine.openings.contains { $0.starts(with: unread[index...]) } }

    /// Where the message ends whose fields begin at `start`: at a line feed, a zero or a verb.
    private func end(from start: Int) -> Int? {
        unread[start...].indices.first { index in
            unread[index] == ChunkLineReader.lineFeed || unread[index] == 0 || opening(at: index) != nil
        }
    }
}
