import Metainfo
package import Primitives

/// Asks trackers over UDP (BEP 15): any number of questions at a time, each on its own way.
///
///     connecting ── connection ID ──▶ asking ── answer ──▶ over
///         ▲            time-out: once more        │
///         └───────────────────────────────────────┘
///
/// An answer counts only from the address that was asked, with the number that it was asked by: both are random to
/// whoever does not see the question.
package struct UDPQuestions: ~Copyable {
    package struct Ticket: Hashable, Sendable {
        let number: UInt32
    }

    package enum Question: Hashable, Sendable {
        /// `address` is the one that others should use, where the person says so.
        case announce(AnnounceRequest, address: IPAddress?)
        case scrape(InfoHash)
    }

    package enum Answer: Hashable, Sendable {
        case announced(TrackerAnswer)
        case scraped(TrackerCount)
    }

    package enum Action: Hashable, Sendable {
        case send([UInt8], to: Endpoint)
        case finish(Ticket, Result<Answer, AnnounceFailure>)
    }

    package struct Limits: Hashable, Sendable {
        /// How long to wait for each try. BEP 15 has 15 · 2^n seconds, up to an hour, for a tracker that is alone; ours go on
        /// to the next one (BEP 12), and come back by the announcer's own pauses.
        package var waits: [Duration] = [.seconds(3), .seconds(6), .seconds(12)]
        /// BEP 15: a client may use a connection ID for a minute.
        package var connectionLifetime: Duration = .seconds(60)
        /// Trackers whose connection ID is kept.
        package var connections = 64
        /// Questions under way; more fail at once. Torrents of one node, times the trackers of each.
        package var questions = 4096

        package init() {}
    }

    private struct Open {
        let ticket: Ticket
        let question: Question
        let endpoint: Endpoint
        let path: String
        var tries = 0
        /// The number of the datagram that is under way.
        var transaction: UInt32
        var connection: UInt64?
        var deadline: Instant
    }

    private static let protocolID: UInt64 = 0x417_2710_1980
    /// BEP 41.
    private static let urlData: UInt8 = 2

    private let limits: Limits
    private var random: SeededRandom
    private var open: [Ticket: Open] = [:]
    /// Who waits for the answer with a number.
    private var waiting: [UInt32: Ticket] = [:]
    private var connections: LRUCache<Endpoint, (id: UInt64, until: Instant)>
    private var lastTicket: UInt32 = 0

    package init(limits: Limits = Limits(), seed: UInt64) {
        self.limits = limits
        random = SeededRandom(seed: seed)
        connections = LRUCache(capacity: limits.connections)
    }

    /// - Parameter path: of the tracker's URL, query included, which goes along where it is not the usual one (BEP 41).
    package mutating func ask(
        _ question: Question,
        of endpoint: Endpoint,
        path: String,
        at now: Instant,
        into actions: inout [Action]
    ) -> Ticket {
        lastTicket &+= 1
        let ticket = Ticket(number: lastTicket)
        guard open.count < limits.questions else {
            actions.append(.finish(ticket, .failure(.unreachable("too many questions are under way"))))
            return ticket
        }
        var entry = Open(
            ticket: ticket,
            question: question,
            endpoint: endpoint,
            path: path,
            transaction: 0,
            deadline: now
        )
        if let known = connections.value(of: endpoint), known.until > now { entry.connection = known.id }
        send(&entry, at: now, into: &actions)
        return ticket
    }

    /// Nobody waits for the answer any more.
    package mutating func cancel(_ ticket: Ticket) {
        guard let entry = open.removeValue(forKey: ticket) else { return }
        waiting[entry.transaction] = nil
    }

    /// A datagram that is no DHT message; what is no answer to a question of ours is passed over.
    package mutating func received(
        _ bytes: RawSpan,
        from sender: Endpoint,
        at now: Instant,
        into actions: inout [Action]
    ) {
        guard let action = bytes.bigEndian(UInt32.self, at: 0), let number = bytes.bigEndian(UInt32.self, at: 4),
            let ticket = waiting[number], var entry = open[ticket], entry.endpoint == sender
        else { return }
        switch (UDPAction(rawValue: action), entry.connection, entry.question) {
        case (.connect, nil, _):
            guard let id = bytes.bigEndian(UInt64.self, at: 8) else { return }
            connections.insert((id, now + limits.connectionLifetime), for: sender)
            entry.connection = id
            entry.tries = 0
            send(&entry, at: now, into: &actions)
        case (.announce, _?, .announce):
            guard let answer = TrackerAnswer(udp: bytes, family: sender.address.family) else { return }
            finish(entry, .success(.announced(answer)), into: &actions)
        case (.scrape, _?, .scrape):
            guard let count = TrackerCount(udp: bytes) else { return }
            finish(entry, .success(.scraped(count)), into: &actions)
        case (.error, _, _):
            let reason = DisplayText.clean(bytes.extracting(8..<min(bytes.byteCount, 8 + TrackerAnswer.mostTextBytes)))
            // What it says may be about a connection that it has forgotten: the next question begins afresh.
            connections.remove(sender)
            finish(entry, .failure(.refused(reason, retry: nil)), into: &actions)
        default: return
        }
    }

    /// Repeats what was not answered in time, and gives up what was repeated often enough.
    package mutating func advanced(to now: Instant, into actions: inout [Action]) {
        let due = open.values.filter { $0.deadline <= now }.sorted { $0.ticket.number < $1.ticket.number }
        for var entry in due {
            guard entry.tries < limits.waits.count else {
                finish(entry, .failure(.unreachable("it does not answer")), into: &actions)
                continue
            }
            // It may have been started anew and know no connection of before.
            connections.remove(entry.endpoint)
            entry.connection = nil
            send(&entry, at: now, into: &actions)
        }
    }

    package var nextDeadline: Instant? { open.values.lazy.map(\.deadline).min() }

    private mutating func finish(
        _ entry: Open,
        _ result: Result<Answer, AnnounceFailure>,
        into actions: inout [Action]
    ) {
        open[entry.ticket] = nil
        waiting[entry.transaction] = nil
        actions.append(.finish(entry.ticket, result))
    }

    private mutating func send(_ entry: inout Open, at now: Instant, into actions: inout [Action]) {
        waiting[entry.transaction] = nil
        repeat { entry.transaction = UInt32(truncatingIfNeeded: random.next()) } while waiting[entry.transaction] != nil
        waiting[entry.transaction] = entry.ticket
        let wait = entry.tries < limits.waits.count ? limits.waits[entry.tries] : .zero
        entry.deadline = now + wait
        entry.tries += 1
        open[entry.ticket] = entry
        actions.append(.send(UDPQuestions.datagram(for: entry), to: entry.endpoint))
    }

    private static func datagram(for entry: Open) -> [UInt8] {
        var writer = ByteWriter(capacity: 128)
        guard let connection = entry.connection else {
            writer.bigEndian(protocolID)
            writer.bigEndian(UDPAction.connect.rawValue)
            writer.bigEndian(entry.transaction)
            return writer.take()
        }
        writer.bigEndian(connection)
        switch entry.question {
        case .announce(let request, let address):
            writer.bigEndian(UDPAction.announce.rawValue)
            writer.bigEndian(entry.transaction)
            write(request, address, to: &writer)
            if entry.path != "/announce" { writeURL(entry.path, to: &writer) }
        case .scrape(let infoHash):
            writer.bigEndian(UDPAction.scrape.rawValue)
            writer.bigEndian(entry.transaction)
            infoHash.value.write(to: &writer)
        }
        return writer.take()
    }

    private static func write(_ request: AnnounceRequest, _ address: IPAddress?, to writer: inout ByteWriter) {
        request.infoHash.value.write(to: &writer)
        request.peerID.value.write(to: &writer)
        writer.bigEndian(request.downloaded)
        writer.bigEndian(request.left ?? 0)
        writer.bigEndian(request.uploaded)
        writer.bigEndian(request.event.rawValue)
        // BEP 15 has room for an IPv4 address alone.
        if case .v4(let bits)? = address { writer.bigEndian(bits) } else { writer.bigEndian(UInt32(0)) }
        writer.bigEndian(request.key ?? 0)
        writer.bigEndian(UInt32(bitPattern: request.wanted.map { Int32(clamping: $0) } ?? -1))
        writer.bigEndian(request.port)
    }

    /// BEP 41: parts of at most 255 bytes.
    private static func writeURL(_ path: String, to writer: inout ByteWriter) {
        var rest = Array(path.utf8)[...]
        while !rest.isEmpty {
            let part = rest.prefix(255)
            writer.byte(urlData)
            writer.byte(UInt8(part.count))
            writer.append(part)
            rest = rest.dropFirst(255)
        }
    }
}

extension TrackerAnswer {
    /// Reads BEP 15's answer: its peers are of the family that it came by.
    fileprivate init?(udp bytes: RawSpan, family: AddressFamily) {
        guard bytes.byteCount >= 20, let interval = bytes.bigEndian(UInt32.self, at: 8),
            let leechers = bytes.bigEndian(UInt32.self, at: 12), let seeders = bytes.bigEndian(UInt32.self, at: 16)
        else { return nil }
        self.init()
        self.interval = Int64(interval)
        self.leechers = Int(leechers)
        self.seeders = Int(seeders)
        addCompact(family, bytes.extracting(20..<bytes.byteCount))
    }
}

extension TrackerCount {
    fileprivate init?(udp bytes: RawSpan) {
        guard let seeders = bytes.bigEndian(UInt32.self, at: 8), let completed = bytes.bigEndian(UInt32.self, at: 12),
            let leechers = bytes.bigEndian(UInt32.self, at: 16)
        else { return nil }
        self.init(seeders: Int(seeders), leechers: Int(leechers), completed: Int(completed))
    }
}
