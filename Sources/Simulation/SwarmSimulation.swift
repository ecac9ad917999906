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
        /// It wants what it lacks.
        package var isFetching: Bool
        /// What its records say that it holds besides.
        package var pretence: Pretence

        package init(
            have: Bitfield,
            upRate: Int,
            latency: Duration = .milliseconds(20),
            isLying: Bool = false,
            isFetching: Bool = true,
            pretence: Pretence = .none
        ) {
            self.have = have
            self.upRate = upRate
            self.latency = latency
            self.isLying = isLying
            self.isFetching = isFetching
            self.pretence = pretence
        }
    }

    /// A record that lies.
    package enum Pretence: Hashable, Sendable {
        case none
        case everything
        case pieces([Int])
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
        /// Links of one node at a time.
        package var mostLinks: Int
        /// How they met; nothing where all met at the start.
        package var meetings: MeetingCounts
    }

    enum Message {
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

    enum Occasion {
        case message(Message, from: Int, to: Int)
        case uplinkIsFree(Int)
        case hashed(Int, piece: Int)
        case timer(Int)
        case meeting(MeetingOccasion)
    }

    /// A class, because arrays do not hold machines that cannot be copied.
    final class Participant {
        var swarm: Swarm
        let node: Node
        var actions = SwarmActionBuffer()
        var uploads = UplinkQueue()
        var isUplinkBusy = false
        var links: Set<Int> = []
        var spoiledPieces: Set<Int> = []
        var timerAt: Instant?
        var completedAt: Instant?
        var uploaded: Int64 = 0
        /// When the last message to each peer arrives: nothing overtakes it.
        var lastArrival: [Instant]
        /// `nil` where all met at the start.
        var encounters: Encounters?

        init(swarm: consuming Swarm, node: Node, count: Int) {
            self.swarm = swarm
            self.node = node
            lastArrival = [Instant](repeating: .zero, count: count)
        }
    }

    static let diskTime = Duration.milliseconds(2)

    let layout: PieceLayout
    let meeting: SwarmMeeting?
    var participants: [Participant] = []
    var random: SeededRandom
    var meetings = MeetingCounts()
    private var mostLinks = 0
    var recordStores: RecordStores
    var queue = EventQueue<Occasion>()
    var eventCount = 0
    var trace = TraceHash()
    var banned: Set<Int> = []
    /// Nodes that lack something they want.
    var incomplete = 0

    var now: Instant { queue.now }

    /// - Parameter meeting: how nodes find each other; `nil`: all meet at the start, in an order that the seed decides.
    package init(
        layout: PieceLayout,
        nodes: [Node],
        limits: SwarmLimits = .init(),
        meeting: SwarmMeeting? = nil,
        seed: UInt64
    ) {
        self.layout = layout
        self.meeting = meeting
        recordStores = RecordStores(meeting?.records ?? .init(), seed: seed)
        random = SeededRandom(seed: seed)
        for node in nodes {
            let swarm = Swarm(layout: layout, have: node.have, limits: limits, seed: random.next(), now: .zero)
            let participant = Participant(swarm: swarm, node: node, count: nodes.count)
            if !node.isFetching {
                let nothing = Bitfield(count: layout.pieceCount)
                participant.swarm.select(nothing, at: .zero, into: &participant.actions)
                _ = participant.actions.take()
            }
            if !participant.swarm.isComplete { incomplete += 1 }
            participants.append(participant)
        }
        if let meeting { begin(meeting) } else { meetAll() }
    }

    private mutating func meetAll() {
        var pairs: [(Int, Int)] = []
        for left in participants.indices { for right in 0..<left { pairs.append((left, right)) } }
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
            if incomplete == 0 { break }
        }
        return Outcome(
            completedAt: participants.map { $0.completedAt.map { $0 - .zero } },
            uploaded: participants.map(\.uploaded),
            wasted: participants.map { $0.swarm.wastedBytes },
            banned: banned,
            trace: trace.value,
            events: eventCount,
            mostLinks: mostLinks,
            meetings: meetings
        )
    }

    mutating func connect(_ node: Int, to other: Int) {
        let participant = participants[node]
        participant.links.insert(other)
        mostLinks = max(mostLinks, participant.links.count)
        participant.swarm.connected(
            PeerHandle(raw: UInt32(other)),
            host: SwarmSimulation.endpoint(of: other),
            supportsFast: true,
            requestLimit: 250,
            at: now,
            into: &participant.actions
        )
        send(.pieces(participant.swarm.have), from: node, to: other)
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
        case .meeting(let occasion): happened(occasion)
        }
    }
}
