import Metainfo
import Primitives
import Swarming

/// What nodes of a simulated swarm tell each other, and how that moves.
extension SwarmSimulation {
    mutating func received(_ message: Message, from sender: Int, at receiver: Int) {
        let peer = PeerHandle(raw: UInt32(sender))
        let node = participants[receiver]
        switch message {
        case .pieces(let pieces):
            node.swarm.has(pieces, peer: peer, at: now, into: &node.actions)
            showedPieces(sender, to: receiver)
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
                node.uploads.append(block, to: sender, isFair: meeting != nil)
                sendNextUpload(receiver)
            case .reject: send(.reject(block), from: receiver, to: sender)
            case .close: part(receiver, from: sender)
            }
        case .cancel(let block):
            guard node.uploads.remove(block, to: sender) else { return }
            node.swarm.cancelled(block, by: peer)
            send(.reject(block), from: receiver, to: sender)
        case .payload(let block, let isTrue):
            guard node.swarm.blockBegan(block, from: peer, at: now, into: &node.actions) == .wanted else { return }
            exchanged(receiver, with: sender)
            if !isTrue { node.spoiledPieces.insert(Int(block.piece)) }
            node.swarm.blockReceived(block, from: peer, at: now, into: &node.actions)
        case .goodbye: part(receiver, from: sender)
        }
    }

    mutating func carryOut(_ node: Int) {
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
        case .close(let peer, let reason):
            if reason == .madeRoom { meetings.roomsMade += 1 }
            part(node, from: Int(peer.raw))
        case .completed:
            participants[node].completedAt = now
            incomplete -= 1
        }
    }

    private mutating func choke(_ peer: Int, by node: Int) {
        send(.choke(true), from: node, to: peer)
        for block in participants[node].uploads.removeAll(to: peer) { send(.reject(block), from: node, to: peer) }
    }

    mutating func part(_ node: Int, from other: Int) {
        let participant = participants[node]
        guard participant.links.remove(other) != nil else { return }
        _ = participant.uploads.removeAll(to: other)
        send(.goodbye, from: node, to: other)
        parted(node, from: other)
        participant.swarm.disconnected(PeerHandle(raw: UInt32(other)), at: now, into: &participant.actions)
        carryOut(node)
    }

    mutating func sendNextUpload(_ node: Int) {
        let participant = participants[node]
        guard !participant.isUplinkBusy, let upload = participant.uploads.popFirst() else { return }
        let length = Int(upload.block.length)
        participant.isUplinkBusy = true
        participant.uploaded += Int64(length)
        let sent = now + .seconds(Double(length) / Double(participant.node.upRate))
        participant.swarm.uploaded(length, to: PeerHandle(raw: UInt32(upload.to)), at: now)
        exchanged(node, with: upload.to)
        send(.payload(upload.block, isTrue: !participant.node.isLying), from: node, to: upload.to, leavingAt: sent)
        schedule(.uplinkIsFree(node), at: sent)
    }

    mutating func send(_ message: Message, from node: Int, to other: Int, leavingAt sent: Instant? = nil) {
        let arrival = arrival(from: node, at: other, leavingAt: sent ?? now)
        schedule(.message(message, from: node, to: other), at: arrival)
    }

    /// When what leaves now is there: after all that left before.
    mutating func arrival(from node: Int, at other: Int, leavingAt sent: Instant) -> Instant {
        let latency = participants[node].node.latency + participants[other].node.latency
        let arrival = max(sent + latency, participants[node].lastArrival[other])
        participants[node].lastArrival[other] = arrival
        return arrival
    }

    mutating func schedule(_ occasion: Occasion, at instant: Instant) {
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
