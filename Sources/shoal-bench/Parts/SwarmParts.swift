import Metainfo
import Primitives
import Swarming

/// All decisions of a whole download, spread over its blocks: choosing, asking, receiving, checking.
enum SwarmParts {
    static func measured() throws(BenchError) -> [Measurement] {
        [
            try downloading("1 peer", peers: 1, holding: 1),
            try downloading("50 peers that have everything", peers: 50, holding: 1),
            try downloading("50 peers that have 40 % each", peers: 50, holding: 0.4),
        ]
    }

    private static func downloading(
        _ name: String,
        peers: Int,
        holding share: Double
    ) throws(BenchError) -> Measurement {
        let layout = PieceLayout(totalSize: 1 << 30, pieceLength: 1 << 20)
        let blocks = Int(layout.totalSize) / PieceLayout.blockLength
        var random = SeededRandom(seed: 5)
        let holdings = (0..<peers).map { _ in
            var pieces = Bitfield(count: layout.pieceCount)
            for piece in 0..<layout.pieceCount where Double.random(in: 0..<1, using: &random) < share {
                pieces[piece] = true
            }
            return pieces
        }
        return try Measurement.of(name, operations: blocks, rounds: 5) { () throws(BenchError) in
            var download = Download(layout: layout, holdings: holdings)
            try download.run()
        }
    }
}

/// A swarm whose peers send every block they are asked for, in the order of the requests.
private struct Download: ~Copyable {
    private var swarm: Swarm
    private var actions = SwarmActionBuffer()
    private var requests: [(block: Block, peer: PeerHandle)] = []
    private var served = 0
    private var now = Instant.zero

    init(layout: PieceLayout, holdings: [Bitfield]) {
        swarm = Swarm(layout: layout, have: Bitfield(count: layout.pieceCount), seed: 6, now: now)
        requests.reserveCapacity(4096)
        for (index, pieces) in holdings.enumerated() {
            let peer = PeerHandle(raw: UInt32(index + 1))
            let host = Endpoint(.v4(0x0b00_0001 + UInt32(index)), 6881)
            swarm.connected(peer, host: host, supportsFast: true, at: now, into: &actions)
            swarm.has(pieces, peer: peer, at: now, into: &actions)
            swarm.unchoked(by: peer, at: now, into: &actions)
        }
    }

    mutating func run() throws(BenchError) {
        perform()
        while let (block, peer) = nextRequest() {
            // One gigabyte a second.
            now = now + .microseconds(16)
            if let deadline = swarm.nextDeadline, now >= deadline { swarm.advanced(to: now, into: &actions) }
            if swarm.blockBegan(block, from: peer, at: now, into: &actions) == .wanted {
                swarm.blockReceived(block, from: peer, at: now, into: &actions)
            }
            perform()
        }
        guard swarm.isComplete else { throw .failed("the simulated download did not end") }
    }

    private mutating func nextRequest() -> (block: Block, peer: PeerHandle)? {
        guard served < requests.count else { return nil }
        let request = requests[served]
        served += 1
        if served >= 2048, served * 2 >= requests.count {
            requests.removeFirst(served)
            served = 0
        }
        return request
    }

    private mutating func perform() {
        while let action = actions.next() {
            switch action {
            case .request(let block, let peer): requests.append((block, peer))
            case .check(let piece): swarm.pieceChecked(piece, isCorrect: true, at: now, into: &actions)
            default: break
            }
        }
    }
}
