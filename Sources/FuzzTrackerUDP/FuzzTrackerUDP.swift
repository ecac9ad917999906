import Primitives
import TrackerProtocol

/// Feeds one input to a tracker, and to a client that asks one (BEP 15), cut into datagrams.
///
/// A datagram is preceded by two bytes: where it comes from and to whom it goes, and its length. Nobody can guess a connection
/// identifier or a transaction, so two bits of the first byte put in the right one:
///
///     bits 0-1 source · bit 2 to the client · bit 3 with the right identifier or transaction · bits 4-7 time passes
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    // Safe: libFuzzer passes `count` readable bytes.
    let input = unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    var subject = FuzzSubject(seed: FuzzSubject.seed(of: input))
    var index = 0
    while index + 1 < input.count {
        let control = input[index]
        let end = min(index + 2 + Int(input[index + 1]), input.count)
        subject.feed(control, Array(input[index + 2..<end]))
        index = end
    }
    subject.finish()
    return 0
}

struct FuzzSubject: ~Copyable {
    private static let sources = [
        Endpoint(.v4(0x0808_0808), 1000), Endpoint(.v4(0x0a00_0001), 1001), Endpoint(.loopbackV4, 1002),
        Endpoint(.v6(high: 0x2001_0db8_0000_0000, low: 1), 1003),
    ]
    private static let hello: [UInt8] = [0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80, 0, 0, 0, 0, 1, 2, 3, 4]
    private static let longestReply = 1232

    private var now = Instant.zero + .seconds(1000)
    private var tracker: UDPTracker
    private var registry: Registry
    private var answer = ByteWriter()
    private var client = UDPQuestions(seed: 1)
    private var actions: [UDPQuestions.Action] = []
    private var transactions: [Endpoint: [UInt8]] = [:]
    private var open: Set<UDPQuestions.Ticket> = []

    /// Another key for each input (FNV-1a): libFuzzer watches comparisons, and would learn the identifiers of a lasting one.
    static func seed(of input: [UInt8]) -> UInt64 {
        input.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    init(seed: UInt64) {
        tracker = UDPTracker(seed: seed)
        var limits = RegistryLimits()
        limits.peers = 40
        limits.peersPerSwarm = 20
        limits.swarms = 10
        registry = Registry(limits: limits, seed: 1, now: now)
        var request = AnnounceRequest(infoHash: InfoHash(.zero), peerID: PeerID(.max), port: 6881)
        request.event = .started
        for source in FuzzSubject.sources {
            for question in [UDPQuestions.Question.announce(request, address: nil), .scrape(InfoHash(.zero))] {
                open.insert(client.ask(question, of: source, path: "/announce?x", at: now, into: &actions))
            }
        }
        carryOut()
    }

    mutating func feed(_ control: UInt8, _ bytes: [UInt8]) {
        now = now + .seconds(Int64(control >> 4) * 20)
        let source = FuzzSubject.sources[Int(control & 3)]
        let isHelped = control & 8 != 0
        if control & 4 == 0 {
            ask(isHelped ? connection(of: source) + bytes : bytes, from: source, isProven: isHelped)
        } else {
            var datagram = bytes
            if isHelped, datagram.count >= 8, let number = transactions[source] {
                datagram.replaceSubrange(4..<8, with: number)
            }
            client.received(datagram.span.bytes, from: source, at: now, into: &actions)
            client.advanced(to: now, into: &actions)
            carryOut()
        }
    }

    // MARK: The tracker

    private mutating func connection(of source: Endpoint) -> [UInt8] {
        ask(FuzzSubject.hello, from: source, isProven: false)
        return Array(answer.bytes.suffix(8))
    }

    private mutating func ask(_ datagram: [UInt8], from source: Endpoint, isProven: Bool) {
        tracker.received(datagram.span.bytes, from: source, &registry, Admission(), at: now, into: &answer)
        precondition(answer.count <= FuzzSubject.longestReply, "an answer that some links do not carry")
        precondition(isProven || answer.count <= datagram.count, "more than a stranger asked for")
        precondition(registry.peerCount <= 40 && registry.swarmCount <= 10, "a limit was passed")
    }

    // MARK: The client

    private mutating func carryOut() {
        for action in actions {
            switch action {
            case .send(let datagram, let endpoint):
                precondition(datagram.count >= 16, "no question is so short")
                transactions[endpoint] = Array(datagram[12..<16])
            case .finish(let ticket, let result):
                precondition(open.remove(ticket) != nil, "a question ended twice")
                if case .success(.announced(let answer)) = result {
                    precondition(answer.peers.count <= 200 && answer.peers.allSatisfy { $0.port > 0 }, "too many peers")
                }
            }
        }
        actions = []
    }

    /// What was taken in agrees with itself, also after it was written down; and every question ends.
    mutating func finish() {
        // Visiting all shards takes longer than most inputs.
        if registry.peerCount > 0 { checkRegistry() }
        for _ in 0..<20 {
            now = now + .seconds(60)
            client.advanced(to: now, into: &actions)
            carryOut()
        }
        precondition(open.isEmpty && client.nextDeadline == nil, "a question without an end")
    }

    private mutating func checkRegistry() {
        var restored = Registry(limits: registry.limits, seed: 2, now: now)
        var listed = 0
        for swarm in registry.summaries(atMost: 100) { listed += swarm.seeds + swarm.leechers }
        precondition(listed == registry.peerCount, "the registry has lost count")
        for shard in 0..<Registry.shardCount {
            for (infoHash, bytes) in registry.takeChanges(ofShard: shard, at: now).swarms {
                restored.restore(bytes.span.bytes, of: infoHash, writtenAgo: .zero, isForeign: false, at: now)
            }
            registry.expire(shard: shard, at: now + .seconds(5000))
        }
        // Peers that were silent for too long are not taken up again.
        precondition(restored.peerCount <= listed && registry.peerCount == 0, "peers that nobody announced")
    }
}
