import Metainfo
import Primitives
import Swarming

let start = Instant.zero
let kib = 1024

func peer(_ raw: UInt32) -> PeerHandle { PeerHandle(raw: raw) }

func bits(_ indices: [Int], of count: Int) -> Bitfield {
    var field = Bitfield(count: count)
    for index in indices { field[index] = true }
    return field
}

/// A swarm that is spoken to, and what it answers.
struct Dialogue: ~Copyable {
    var swarm: Swarm
    let layout: PieceLayout
    var now = start
    /// The answer to the last thing that was told.
    private(set) var last: [SwarmAction] = []
    private var buffer = SwarmActionBuffer()

    /// - Parameters:
    ///   - pieces: How many, of `blocks` blocks each.
    init(
        pieces: Int,
        blocks: Int = 4,
        have: [Int] = [],
        limits: SwarmLimits = .init(),
        infoHash: InfoHash? = nil,
        seed: UInt64 = 1
    ) {
        layout = PieceLayout(totalSize: Int64(pieces * blocks * 16 * kib), pieceLength: blocks * 16 * kib)
        swarm = Swarm(
            layout: layout,
            have: bits(have, of: pieces),
            limits: limits,
            infoHash: infoHash,
            seed: seed,
            now: start
        )
    }

    func block(_ piece: Int, _ index: Int) -> Block {
        layout.block(index, ofPiece: piece) ?? Block(piece: 0, begin: 0, length: 0)
    }

    /// Tells the swarm something and returns its answer.
    @discardableResult
    mutating func tell(_ fact: (inout Swarm, inout SwarmActionBuffer, Instant) -> Void) -> [SwarmAction] {
        fact(&swarm, &buffer, now)
        last = buffer.take()
        return last
    }

    @discardableResult
    mutating func connected(_ raw: UInt32, fast: Bool = true, reqq: Int = 250) -> [SwarmAction] {
        tell {
            $0.connected(
                peer(raw),
                host: Endpoint(.v4(0x0a00_0000 | raw), 6881),
                supportsFast: fast,
                requestLimit: reqq,
                at: $2,
                into: &$1
            )
        }
    }

    /// A peer that holds all (or the given) pieces; it still chokes us.
    @discardableResult
    mutating func arrived(_ raw: UInt32, holding pieces: [Int]? = nil, fast: Bool = true) -> [SwarmAction] {
        let count = layout.pieceCount
        connected(raw, fast: fast)
        return tell { swarm, actions, now in
            if let pieces {
                swarm.has(bits(pieces, of: count), peer: peer(raw), at: now, into: &actions)
            } else {
                swarm.hasAll(peer: peer(raw), at: now, into: &actions)
            }
        }
    }

    @discardableResult
    mutating func unchoked(_ raw: UInt32) -> [SwarmAction] {
        tell { $0.unchoked(by: peer(raw), at: $2, into: &$1) }
    }

    @discardableResult
    mutating func choked(_ raw: UInt32) -> [SwarmAction] {
        tell { $0.choked(by: peer(raw), at: $2, into: &$1) }
    }

    @discardableResult
    mutating func left(_ raw: UInt32) -> [SwarmAction] {
        tell { $0.disconnected(peer(raw), at: $2, into: &$1) }
    }

    @discardableResult
    mutating func interested(_ raw: UInt32) -> [SwarmAction] {
        tell { $0.interested(peer(raw), at: $2, into: &$1) }
    }

    /// A block comes in whole.
    @discardableResult
    mutating func arrives(_ block: Block, from raw: UInt32) -> [SwarmAction] {
        var disposition = BlockDisposition.wanted
        var answer = tell { disposition = $0.blockBegan(block, from: peer(raw), at: $2, into: &$1) }
        if disposition == .wanted {
            answer += tell { $0.blockReceived(block, from: peer(raw), at: $2, into: &$1) }
        }
        return answer
    }

    /// A peer sends all it is asked for; the swarm's answers, until it asks no more.
    @discardableResult
    mutating func sends(_ blocks: [Block], from raw: UInt32) -> [SwarmAction] {
        var waiting = blocks[...]
        var answer: [SwarmAction] = []
        while let block = waiting.popFirst() {
            let more = arrives(block, from: raw)
            waiting += more.requests(of: raw)
            answer += more
        }
        return answer
    }

    mutating func began(_ block: Block, from raw: UInt32) -> BlockDisposition {
        var disposition = BlockDisposition.late
        tell { disposition = $0.blockBegan(block, from: peer(raw), at: $2, into: &$1) }
        return disposition
    }

    @discardableResult
    mutating func checked(_ piece: Int, _ isCorrect: Bool = true) -> [SwarmAction] {
        tell { $0.pieceChecked(piece, isCorrect: isCorrect, at: $2, into: &$1) }
    }

    /// Lets time pass as a driver does: from deadline to deadline.
    @discardableResult
    mutating func wait(_ duration: Duration) -> [SwarmAction] {
        let end = now + duration
        var answer: [SwarmAction] = []
        while let deadline = swarm.nextDeadline, deadline <= end {
            now = max(now, deadline)
            answer += tell { $0.advanced(to: $2, into: &$1) }
        }
        now = end
        return answer
    }
}

extension [SwarmAction] {
    /// The blocks asked of a peer.
    func requests(of raw: UInt32) -> [Block] {
        compactMap { if case .request(let block, peer(raw)) = $0 { block } else { nil } }
    }

    var requested: [Block] { compactMap { if case .request(let block, _) = $0 { block } else { nil } } }

    /// Pieces in the order in which they were begun.
    var opened: [Int] { compactMap { if case .openPiece(let piece) = $0 { piece } else { nil } } }

    var chokes: [SwarmAction] {
        filter {
            switch $0 {
            case .choke, .unchoke: true
            default: false
            }
        }
    }
}
