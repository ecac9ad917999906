package import Primitives

/// The tracker's side of one connection of the text protocol.
///
///     open ── words ──▶ answers ── fault, end, or silence as long as a registration lasts ──▶ over
package struct ChunkConversation: ~Copyable {
    package enum Action: Hashable, Sendable {
        case heard(ChunkLine)
        /// The client's own words decide about the line feed: old ones know none.
        case answer(ChunkAnswer, hasLineFeed: Bool)
        /// What the last words asked for is not done; there is no word to say so.
        case refused(ChunkFault)
        case close(ChunkFault?)
    }

    private let sender: IPAddress
    private let limits: ChunkLimits
    private var reader: ChunkLineReader
    private var lastWord: Instant
    /// What it registered over this connection; any further word of it keeps them.
    private var clients: Set<Endpoint> = []
    /// Whether it registered chunks with their hashes; one that does reads holders behind the hash, one that does not in
    /// its place. `nil` for one that registered none yet.
    private var namesHashes: Bool?
    private var isOver = false

    package init(with sender: IPAddress, limits: ChunkLimits = ChunkLimits(), now: Instant) {
        self.sender = sender
        self.limits = limits
        reader = ChunkLineReader(limits: limits)
        lastWord = now
    }

    /// When to call `advanced(to:table:into:)`.
    package var nextDeadline: Instant {
        let silence = lastWord + limits.lifetime
        return reader.nextDeadline.map { min($0, silence) } ?? silence
    }

    package mutating func received(
        _ bytes: RawSpan,
        at now: Instant,
        table: inout ChunkTable,
        into actions: inout [Action]
    ) {
        read(now, &table, &actions) { (reader, messages) throws(ChunkFault) in
            try reader.received(bytes, at: now, into: &messages)
        }
    }

    package mutating func advanced(to now: Instant, table: inout ChunkTable, into actions: inout [Action]) {
        read(now, &table, &actions) { (reader, messages) throws(ChunkFault) in
            try reader.advanced(to: now, into: &messages)
        }
        guard !isOver, now >= lastWord + limits.lifetime else { return }
        isOver = true
        actions.append(.close(nil))
    }

    /// The client says nothing more; it may still wait for an answer.
    package mutating func ended(at now: Instant, table: inout ChunkTable, into actions: inout [Action]) {
        read(now, &table, &actions) { (reader, messages) throws(ChunkFault) in
            try reader.ended(into: &messages)
        }
        guard !isOver else { return }
        isOver = true
        actions.append(.close(nil))
    }

    private mutating func read(
        _ now: Instant,
        _ table: inout ChunkTable,
        _ actions: inout [Action],
        _ body: (inout ChunkLineReader, inout [ChunkLineReader.Message]) throws(ChunkFault) -> Void
    ) {
        guard !isOver else { return }
        var messages: [ChunkLineReader.Message] = []
        var fault: ChunkFault?
        do throws(ChunkFault) {
            try body(&reader, &messages)
        } catch {
            fault = error
        }
        // What came whole before the fault still counts.
        for message in messages where !isOver { heard(message, now, &table, &actions) }
        guard let fault, !isOver else { return }
        isOver = true
        actions.append(.close(fault))
    }

    private mutating func heard(
        _ message: ChunkLineReader.Message,
        _ now: Instant,
        _ table: inout ChunkTable,
        _ actions: inout [Action]
    ) {
        lastWord = now
        for client in clients { table.heard(from: client, now: now) }
        actions.append(.heard(message.line))
        switch message.line {
        case .holds(let chunk, let hash, let host, let port):
            do throws(ChunkFault) {
                try register(chunk, hash: hash, host: host, port: port, now, &table)
            } catch {
                actions.append(.refused(error))
            }
        case .asks(let chunk):
            actions.append(.answer(answer(about: chunk, table), hasLineFeed: message.hasLineFeed))
        case .requests:
            isOver = true
            actions.append(.close(.notHeldHere))
        }
    }

    private mutating func register(
        _ chunk: Int,
        hash: SHA1Digest?,
        host: ChunkLine.Host,
        port: UInt16,
        _ now: Instant,
        _ table: inout ChunkTable
    ) throws(ChunkFault) {
        guard host == .localhost || host == .address(sender) else { throw .foreignAddress }
        let client = Endpoint(sender, port)
        try table.register(chunk, hash: hash, at: client, now: now)
        namesHashes = namesHashes == true || hash != nil
        clients.insert(client)
    }

    /// Only holders of the asker's family: an old client knows one, and this one it has.
    private func answer(about chunk: Int, _ table: borrowing ChunkTable) -> ChunkAnswer {
        for group in table.groups(of: chunk, for: sender) {
            let holders = group.holders.map(\.endpoint).filter {
                $0.address.family == sender.family && !clients.contains($0)
            }
            guard !holders.isEmpty else { continue }
            let field = hashField(of: group.hash)
            return .getFrom(chunk: chunk, hash: field, Array(holders.prefix(limits.mostHoldersPerAnswer)))
        }
        return .unknown(chunk: chunk)
    }

    private func hashField(of hash: SHA1Digest?) -> ChunkAnswer.HashField {
        guard namesHashes != false else { return .omitted }
        if let hash { return .hash(hash) }
        return namesHashes == true ? .empty : .omitted
    }
}
