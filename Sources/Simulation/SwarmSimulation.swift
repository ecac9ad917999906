package import Metainfo
package import Primitives
package import Swarming

/// A swarm of real `Swarm` machines that exchange messages over a virtual network, from one seed.
///
/// Each node has an uplink of a given rate, each pair a latency; messages of a pair keep their order, as on TCP. A block is
/// delivered whole. The trace is a hash over every action of every node and its time: equal seeds give equal traces.
package struct SwarmSimulation {
    package struct Node: Hashable, Sendable {
        package var have: Bitfield
        /// Bytes per second that it sends.
        package var upRate: Int
        package var latency: Duration
        /// What it sends is wrong.
        package var isLying: Bool

        package init(have: Bitfield, upRate: Int, latency: Duration = .milliseconds(20), isLying: Bool = false) {
            self.have = have
            self.upRate = upRate
            self.latency = latency
            self.isLying = isLying
        }
    }

    package struct Outcome: Hashable, Sendable {
        /// When each node had everything; `nil` for one that did not get there.
        package var completedAt: [Duration?]
        package var uploaded: [Int64]
        package var wasted: [Int64]
        /// Nodes that at least one other banned.
        package var banned: Set<Int>
        package var trace: UInt64
        package var events: Int
    }

    private enum Message {
        case pieces(Bitfield)
        case have(Int)
        case choke(Bool)
        case interested(Bool)
        case request(Block)
        case cancel(Block)
        case reject(Block)
        case allowFast(Int)
        case payload(Block, isTrue: Bool)
        case goodbye
    }

    private enum Occasion {
        case message(Message, from: Int, to: Int)
        case uplinkIsFree(Int)
        case hashed(Int, piece: Int)
        case timer(Int)
    }

    /// A class, because arrays do not hold machines that cannot be copied.
    private final class Participant {
        var swarm: Swarm
        let node: Node
        var actions = SwarmActionBuffer()
        var uploads: [(block: Block, to: Int)] = []
        var isUplinkBusy = false
        var links: Set<Int> = []
        var spoiledPieces: Set<Int> = []
        var timerAt: Instant?
        var completedAt: Instant?
        var uploaded: Int64 = 0
        /// When the last message to each peer arrives: nothing overtakes it.
        var lastArrival: [Instant]

        init(swarm: consuming Swarm, node: Node, count: Int) {
            self.swarm = swarm
            self.node = node
            lastArrival = [Instant](repeating: .zero, count: count)
        }
    }

    private static let diskTime = Duration.milliseconds(2)

    private let layout: PieceLayout
    private var participants: [Participant] = []
    private var queue = EventQueue<Occasion>()
    private var eventCount = 0
    private var trace = TraceHash()
    private var banned: Set<Int> = []

    private var now: Instant { queue.now }

    /// All nodes meet each other at the start, in an order that the seed decides.
    package init(layout: PieceLayout, nodes: [Node], limits: SwarmLimits = .init(), seed: UInt64) {
        self.layout = layout
        var random = SeededRandom(seed: seed)
        for node in nodes {
            let swarm = Swarm(layout: layout, have: node.have, limits: limits, seed: random.next(), now: .zero)
            participants.append(Participant(swarm: swarm, node: node, count: nodes.count))
        }
        var pairs: [(Int, Int)] = []
        for left in nodes.indices { for right in 0..<left { pairs.append((left, right)) } }
        for (left, right) in pairs.shuffled(using: &random) {
            connect(left, to: right)
            connect(right, to: left)
        }
    }

    /// Runs until everybody has everything, nothing happens any more, or the time is over.
    package mutating func run(for limit: Duration) -> Outcome {
        while let occasion = queue.next(until: .zero + limit) {
            eventCount += 1
            happened(occasion)
            if participants.allSatisfy({ $0.swarm.isComplete }) { break }
        }
        return Outcome(
            completedAt: participants.map { $0.completedAt.map { $0 - .zero } },
            uploaded: participants.map(\.uploaded),
            wasted: participants.map { $0.swarm.wastedBytes },
            banned: banned,
            trace: trace.value,
            events: eventCount
        )
    }

    private mutating func connect(_ node: Int, to other: Int) {
        let participant = participants[node]
        participant.links.insert(other)
        participant.swarm.connected(
            PeerHandle(raw: UInt32(other)),
            host: Endpoint(.v4(0x0a00_0000 | UInt32(other)), 6881),
            supportsFast: true,
            requestLimit: 250,
            at: now,
            into: &participant.actions
        )
        send(.pieces(participant.node.have), from: node, to: other)
        carryOut(node)
    }

    private mutating func happened(_ occasion: Occasion) {
        switch occasion {
        case .message(let message, let sender, let receiver):
            guard participants[receiver].links.contains(sender) else { return }
            received(message, from: sender, at: receiver)
            carryOut(receiver)
        case .uplinkIsFree(let node):
            participants[node].isUplinkBusy = false
            sendNextUpload(node)
        case .hashed(let node, let piece):
            let participant = participants[node]
            let isCorrect = participant.spoiledPieces.remove(piece) == nil
            participant.swarm.pieceChecked(piece, isCorrect: isCorrect, at: now, into: &participant.actions)
            carryOut(node)
        case .timer(let node):
            let participant = participants[node]
            participant.timerAt = nil
            participant.swarm.advanced(to: now, into: &participant.actions)
            carryOut(node)
        }
    }

    private mutating func received(_ message: Message, from sender: Int, at receiver: Int) {
        let peer = PeerHandle(raw: UInt32(sender))
        let node = participants[receiver]
        switch message {
        case .pieces(let pieces): node.swarm.has(pieces, peer: peer, at: now, into: &node.actions)
        case .have(let piece): node.swarm.hasPiece(piece, peer: peer, at: now, into: &node.actions)
        case .choke(true): node.swarm.choked(by: peer, at: now, into: &node.actions)
        case .choke(false): node.swarm.unchoked(by: peer, at: now, into: &node.actions)
        case .interested(true): node.swarm.interested(peer, at: now, into: &node.actions)
        case .interested(false): node.swarm.notInterested(peer, at: now, into: &node.actions)
        case .reject(let block): node.swarm.rejected(block, by: peer, at: now, into: &node.actions)
        case .allowFast(let piece): node.swarm.allowedFast(piece, by: peer, at: now, into: &node.actions)
        case .request(let block):
            switch node.swarm.requested(block, by: peer, at: now) {
            case .serve:
                node.uploads.append((block, sender))
                sendNextUpload(receiver)
            case .reject: send(.reject(block), from: receiver, to: sender)
            case .close: part(receiver, from: sender)
            }
        case .cancel(let block):
            guard let index = node.uploads.firstIndex(where: { $0.block == block && $0.to == sender }) else { return }
            node.uploads.remove(at: index)
            node.swarm.cancelled(block, by: peer)
            send(.reject(block), from: receiver, to: sender)
        case .payload(let block, let isTrue):
            guard node.swarm.blockBegan(block, from: peer, at: now, into: &node.actions) == .wanted else { return }
            if !isTrue { node.spoiledPieces.insert(Int(block.piece)) }
            node.swarm.blockReceived(block, from: peer, at: now, into: &node.actions)
        case .goodbye: part(receiver, from: sender)
        }
    }

    private mutating func carryOut(_ node: Int) {
        let participant = participants[node]
        while let action = participant.actions.next() {
            record(action, of: node)
            carryOut(action, of: node)
        }
        guard let deadline = participant.swarm.nextDeadline, participant.timerAt.map({ deadline < $0 }) ?? true else {
            return
        }
        participant.timerAt = deadline
        schedule(.timer(node), at: max(now, deadline))
    }

    private mutating func carryOut(_ action: SwarmAction, of node: Int) {
        switch action {
        case .request(let block, let peer): send(.request(block), from: node, to: Int(peer.raw))
        case .cancel(let block, let peer): send(.cancel(block), from: node, to: Int(peer.raw))
        case .interested(let peer): send(.interested(true), from: node, to: Int(peer.raw))
        case .notInterested(let peer): send(.interested(false), from: node, to: Int(peer.raw))
        case .choke(let peer): choke(Int(peer.raw), by: node)
        case .unchoke(let peer): send(.choke(false), from: node, to: Int(peer.raw))
        case .openPiece: break
        case .closePiece(let piece): participants[node].spoiledPieces.remove(piece)
        case .check(let piece): schedule(.hashed(node, piece: piece), at: now + SwarmSimulation.diskTime)
        case .announceHave(let piece):
            for other in participants[node].links.sorted() { send(.have(piece), from: node, to: other) }
        case .allowFast(let piece, let peer): send(.allowFast(piece), from: node, to: Int(peer.raw))
        case .ban(let peer, _, _):
            banned.insert(Int(peer.raw))
            part(node, from: Int(peer.raw))
        case .close(let peer, _): part(node, from: Int(peer.raw))
        case .completed: participants[node].completedAt = now
        }
    }

    private mutating func choke(_ peer: Int, by node: Int) {
        send(.choke(true), from: node, to: peer)
        for upload in participants[node].uploads where upload.to == peer {
            send(.reject(upload.block), from: node, to: peer)
        }
        participants[node].uploads.removeAll { $0.to == peer }
    }

    private mutating func part(_ node: Int, from other: Int) {
        let participant = participants[node]
        guard participant.links.remove(other) != nil else { return }
        participant.uploads.removeAll { $0.to == other }
        send(.goodbye, from: node, to: other)
        participant.swarm.disconnected(PeerHandle(raw: UInt32(other)), at: now, into: &participant.actions)
        carryOut(node)
    }

    private mutating func sendNextUpload(_ node: Int) {
        let participant = participants[node]
        guard !participant.isUplinkBusy, !participant.uploads.isEmpty else { return }
        let upload = participant.uploads.removeFirst()
        let length = Int(upload.block.length)
        participant.isUplinkBusy = true
        participant.uploaded += Int64(length)
        let sent = now + .seconds(Double(length) / Double(participant.node.upRate))
        participant.swarm.uploaded(length, to: PeerHandle(raw: UInt32(upload.to)), at: now)
        send(.payload(upload.block, isTrue: !participant.node.isLying), from: node, to: upload.to, leavingAt: sent)
        schedule(.uplinkIsFree(node), at: sent)
    }

    private mutating func send(_ message: Message, from node: Int, to other: Int, leavingAt sent: Instant? = nil) {
        let latency = participants[node].node.latency + participants[other].node.latency
        let arrival = max((sent ?? now) + latency, participants[node].lastArrival[other])
        participants[node].lastArrival[other] = arrival
        schedule(.message(message, from: node, to: other), at: arrival)
    }

    private mutating func schedule(_ occasion: Occasion, at instant: Instant) {
        queue.schedule(occasion, at: instant)
    }

    /// FNV-1a over words.
    private mutating func record(_ action: SwarmAction, of node: Int) {
        for word in [UInt64(bitPattern: now.nanoseconds), UInt64(node)] + SwarmSimulation.words(of: action) {
            trace.add(word)
        }
    }

    private static func words(of action: SwarmAction) -> [UInt64] {
        func words(_ block: Block) -> [UInt64] { [UInt64(block.piece) << 32 | UInt64(block.begin)] }
        return switch action {
        case .request(let block, let peer): [1, UInt64(peer.raw)] + words(block)
        case .cancel(let block, let peer): [2, UInt64(peer.raw)] + words(block)
        case .interested(let peer): [3, UInt64(peer.raw)]
        case .notInterested(let peer): [4, UInt64(peer.raw)]
        case .choke(let peer): [5, UInt64(peer.raw)]
        case .unchoke(let peer): [6, UInt64(peer.raw)]
        case .openPiece(let piece): [7, UInt64(piece)]
        case .closePiece(let piece): [8, UInt64(piece)]
        case .check(let piece): [9, UInt64(piece)]
        case .announceHave(let piece): [10, UInt64(piece)]
        case .allowFast(let piece, let peer): [11, UInt64(piece), UInt64(peer.raw)]
        case .ban(let peer, _, _): [12, UInt64(peer.raw)]
        case .close(let peer, _): [13, UInt64(peer.raw)]
        case .completed: [14]
        }
    }
}
