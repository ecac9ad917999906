import Metainfo
import Primitives
import Swarming

/// A swarm with peers that answer each request after their latency and at their rate, in simulated time.
struct FakeSharers: ~Copyable {
    struct Sharer {
        var holding: [Int]?
        var bytesPerSecond: Double
        var latency = Duration.milliseconds(10)
        var lies = false
        /// Stops answering after so many blocks.
        var blocks = Int.max
    }

    private enum Occasion {
        case payload(Block, UInt32)
        case hashed(Int)
    }

    private struct Event: Comparable {
        var at: Instant
        var number: Int
        var occasion: Occasion

        static func < (left: Event, right: Event) -> Bool { (left.at, left.number) < (right.at, right.number) }
        static func == (left: Event, right: Event) -> Bool { left.number == right.number }
    }

    var dialogue: Dialogue
    private let sharers: [Sharer]
    private var queue = Heap<Event>()
    private var number = 0
    private var freeAt: [Instant]
    private var sent: [Int]
    private var cancelled: Set<UInt64> = []
    private var spoiled: Set<Int> = []
    private(set) var received: [Int: Int] = [:]
    private(set) var requests = 0
    private(set) var completedAt: Instant?
    private(set) var banned: Set<UInt32> = []
    private(set) var inconsistencies: [String] = []

    init(_ dialogue: consuming Dialogue, _ sharers: [Sharer]) {
        self.dialogue = dialogue
        self.sharers = sharers
        freeAt = sharers.map { _ in start }
        sent = sharers.map { _ in 0 }
    }

    /// Runs until all is there or the time is over. Peers are numbered from 1 in the order given.
    mutating func run(for limit: Duration, check: (borrowing Swarm) -> [String] = { _ in [] }) {
        for index in sharers.indices { carryOut(dialogue.arrived(UInt32(index + 1), holding: sharers[index].holding)) }
        for index in sharers.indices { carryOut(dialogue.unchoked(UInt32(index + 1))) }
        while completedAt == nil {
            let deadline = dialogue.swarm.nextDeadline ?? .distantFuture
            let next = min(queue.first?.at ?? .distantFuture, deadline)
            guard next <= start + limit else { return }
            dialogue.now = max(dialogue.now, next)
            if let event = queue.first, event.at <= dialogue.now {
                _ = queue.popFirst()
                happened(event.occasion)
            } else {
                carryOut(dialogue.tell { $0.advanced(to: $2, into: &$1) })
            }
            if inconsistencies.isEmpty { inconsistencies = check(dialogue.swarm) }
        }
    }

    private mutating func happened(_ occasion: Occasion) {
        switch occasion {
        case .payload(let block, let raw):
            if cancelled.remove(key(block, raw)) != nil { return }
            var disposition = BlockDisposition.wanted
            carryOut(dialogue.tell { disposition = $0.blockBegan(block, from: peer(raw), at: $2, into: &$1) })
            guard disposition == .wanted else { return }
            if sharers[Int(raw) - 1].lies { spoiled.insert(Int(block.piece)) }
            received[Int(raw), default: 0] += Int(block.length)
            carryOut(dialogue.tell { $0.blockReceived(block, from: peer(raw), at: $2, into: &$1) })
        case .hashed(let piece):
            carryOut(dialogue.checked(piece, spoiled.remove(piece) == nil))
        }
    }

    private mutating func carryOut(_ actions: [SwarmAction]) {
        for action in actions {
            switch action {
            case .request(let block, let peer): answer(block, peer.raw)
            case .cancel(let block, let peer): cancelled.insert(key(block, peer.raw))
            case .check(let piece): schedule(.hashed(piece), at: dialogue.now + .milliseconds(1))
            case .closePiece(let piece): spoiled.remove(piece)
            case .ban(let peer, _, _):
                banned.insert(peer.raw)
                carryOut(dialogue.left(peer.raw))
            case .close(let peer, _): carryOut(dialogue.left(peer.raw))
            case .completed: completedAt = dialogue.now
            default: break
            }
        }
    }

    private mutating func answer(_ block: Block, _ raw: UInt32) {
        requests += 1
        let index = Int(raw) - 1
        sent[index] += 1
        guard sent[index] <= sharers[index].blocks else { return }
        cancelled.remove(key(block, raw))
        let begin = max(freeAt[index], dialogue.now + sharers[index].latency)
        freeAt[index] = begin + .seconds(Double(block.length) / sharers[index].bytesPerSecond)
        schedule(.payload(block, raw), at: freeAt[index] + sharers[index].latency)
    }

    private mutating func schedule(_ occasion: Occasion, at instant: Instant) {
        number += 1
        queue.insert(Event(at: instant, number: number, occasion: occasion))
    }

    private func key(_ block: Block, _ raw: UInt32) -> UInt64 {
        UInt64(raw) << 48 | UInt64(block.piece) << 24 | UInt64(block.begin) >> 14
    }
}
