import Availability
import Cryptography
import Metainfo
import Primitives
import Swarming

/// Looking for peers, dialling them, telling them what is held.
extension SwarmSimulation {
    static func endpoint(of node: Int) -> Endpoint { Endpoint(.v4(0x0a00_0000 | UInt32(node)), 6881) }

    private static func node(at endpoint: Endpoint) -> Int {
        guard case .v4(let bits) = endpoint.address else { return 0 }
        return Int(bits & 0xff_ffff)
    }

    /// Nothing is signed here: what a signature is worth is for the tests of records.
    private static func key(of node: Int) -> Ed25519.PublicKey {
        Ed25519.PublicKey(UInt256(first: 0, second: 0, third: 0, fourth: UInt64(node)))
    }

    mutating func begin(_ meeting: SwarmMeeting) {
        var limits = PeerDirectory.Limits()
        limits.capacity = meeting.mostKnown
        limits.maxConnections = meeting.connections
        if let records = meeting.records { limits.records = records.limits }
        for (index, participant) in participants.enumerated() {
            participant.encounters = Encounters(
                directory: PeerDirectory(limits: limits, seed: random.next()),
                schedule: PublishingSchedule(pieceCount: layout.pieceCount, isPrivate: false, seed: random.next())
            )
            participant.encounters?.schedule.becameFindable()
            publishIfDue(index)
            let beginning = Duration.milliseconds(Int.random(in: 0..<2000, using: &random))
            schedule(.meeting(.looksUp(index)), at: now + beginning)
            schedule(.meeting(.attends(index)), at: now + beginning)
        }
    }

    mutating func happened(_ occasion: MeetingOccasion) {
        guard let meeting else { return }
        switch occasion {
        case .looksUp(let node): schedule(.meeting(.lookedUp(node)), at: now + meeting.lookupTime)
        case .lookedUp(let node):
            lookedUp(node, meeting)
            dial(node, meeting)
            let isMissed = participants[node].swarm.unavailablePieces > 0
            let pause = isMissed ? meeting.impatientPause : meeting.patientPause
            schedule(.meeting(.looksUp(node)), at: now + pause)
        case .attends(let node):
            publishIfDue(node)
            if meeting.makesRoom { makeRoom(node, meeting) }
            dial(node, meeting)
            schedule(.meeting(.attends(node)), at: now + meeting.attention)
        case .knocked(let stranger, let node): knocked(stranger, at: node, meeting)
        case .answered(let node, let other, let isWelcome): answered(node, by: other, isWelcome: isWelcome)
        }
    }

    // MARK: Records

    private mutating func publishIfDue(_ node: Int) {
        let participant = participants[node]
        guard meeting?.records != nil, var encounters = participant.encounters else { return }
        encounters.schedule.holds(participant.swarm.have.setCount, isComplete: participant.swarm.isComplete)
        if encounters.schedule.publication(at: now) != nil, let claims = claims(of: node, &encounters) {
            let sequence = (encounters.published?.sequence ?? 0) + 1
            encounters.published = (claims, !hasRoom(node), sequence)
            meetings.recordsPublished += 1
            recordStores.put(node)
        }
        participant.encounters = encounters
    }

    private func claims(of node: Int, _ encounters: inout Encounters) -> PieceClaims? {
        let participant = participants[node]
        var pieces = participant.swarm.have
        switch participant.node.pretence {
        case .none: break
        case .everything: return .all(pieceCount: layout.pieceCount)
        case .pieces(let more): for piece in more { pieces[piece] = true }
        }
        return HaveBlob(pieces, rarestFirst: participant.swarm.rarestHeld(by: &encounters.directory))?.claims
    }

    private mutating func lookedUp(_ node: Int, _ meeting: SwarmMeeting) {
        guard var encounters = participants[node].encounters else { return }
        participants[node].encounters = nil
        let named = others(than: node, atMost: meeting.namedByLookup)
        for other in named {
            encounters.directory.add(SwarmSimulation.endpoint(of: other), source: .dht, at: now)
        }
        if let records = meeting.records {
            for other in named + recordStores.records(atMost: records.readPerLookup, using: &random) {
                guard other != node, let published = participants[other].encounters?.published else { continue }
                let claim = HolderClaim(
                    key: SwarmSimulation.key(of: other),
                    sequence: published.sequence,
                    pieces: published.claims,
                    isFull: published.isFull,
                    expiresAt: now + .seconds(3600)
                )
                meetings.recordsRead += 1
                encounters.directory.claimed(claim, by: SwarmSimulation.endpoint(of: other), at: now)
            }
        }
        participants[node].encounters = encounters
    }

    private mutating func others(than node: Int, atMost count: Int) -> [Int] {
        var chosen: [Int] = []
        var isChosen = Set([node])
        let count = min(count, participants.count - 1)
        while chosen.count < count {
            let other = Int.random(in: participants.indices, using: &random)
            if isChosen.insert(other).inserted { chosen.append(other) }
        }
        return chosen
    }

    /// A peer's pieces came: whether it told the truth is known.
    mutating func showedPieces(_ sender: Int, to node: Int) {
        let participant = participants[node]
        guard var encounters = participant.encounters else { return }
        let verdict = participant.swarm.compareClaim(
            of: PeerHandle(raw: UInt32(sender)),
            at: SwarmSimulation.endpoint(of: sender),
            in: &encounters.directory,
            now: now
        )
        if case .broken = verdict { meetings.liesFound += 1 }
        participant.encounters = encounters
    }

    // MARK: Dialling

    private func hasRoom(_ node: Int) -> Bool {
        let participant = participants[node]
        let dialling = participant.encounters?.dialling.count ?? 0
        return participant.links.count + dialling < (meeting?.connections ?? 0)
    }

    /// Nodes that want nothing wait for those that do.
    private mutating func dial(_ node: Int, _ meeting: SwarmMeeting) {
        let participant = participants[node]
        guard !participant.swarm.isComplete, var encounters = participant.encounters else { return }
        participant.encounters = nil
        participant.swarm.guide(&encounters.directory, at: now)
        while participant.links.count + encounters.dialling.count < meeting.connections,
            let endpoint = encounters.directory.next(at: now)
        {
            let other = SwarmSimulation.node(at: endpoint)
            let isByRecord = encounters.directory.reason(of: endpoint)?.isRecord == true
            meetings.dialsByRecord += isByRecord ? 1 : 0
            meetings.dialsByChance += isByRecord ? 0 : 1
            encounters.dialling.insert(other)
            let arrival = arrival(from: node, at: other, leavingAt: now)
            schedule(.meeting(.knocked(node, at: other)), at: arrival)
        }
        participant.encounters = encounters
    }

    private mutating func makeRoom(_ node: Int, _ meeting: SwarmMeeting) {
        let participant = participants[node]
        guard !hasRoom(node), var encounters = participant.encounters else { return }
        participant.swarm.guide(&encounters.directory, at: now)
        participant.swarm.makeRoom(in: &encounters.directory, at: now, into: &participant.actions)
        participant.encounters = encounters
        carryOut(node)
    }

    private mutating func knocked(_ stranger: Int, at node: Int, _ meeting: SwarmMeeting) {
        let participant = participants[node]
        guard let encounters = participant.encounters else { return }
        // Of two that dial each other one connection is enough.
        let isTwin = encounters.dialling.contains(stranger) && stranger > node
        let isWelcome =
            !participant.links.contains(stranger) && !isTwin && hasRoom(node)
            && encounters.incoming.count < meeting.incoming && !banned.contains(stranger)
        let arrival = arrival(from: node, at: stranger, leavingAt: now)
        schedule(.meeting(.answered(stranger, by: node, isWelcome: isWelcome)), at: arrival)
        guard isWelcome else { return }
        participant.encounters?.incoming.insert(stranger)
        participant.encounters?.directory.connected(SwarmSimulation.endpoint(of: stranger))
        connect(node, to: stranger)
    }

    private mutating func answered(_ node: Int, by other: Int, isWelcome: Bool) {
        let participant = participants[node]
        participant.encounters?.dialling.remove(other)
        let endpoint = SwarmSimulation.endpoint(of: other)
        if isWelcome, !participant.links.contains(other) {
            participant.encounters?.directory.connected(endpoint)
            connect(node, to: other)
        } else if !participant.links.contains(other) {
            meetings.refused += 1
            participant.encounters?.directory.failed(endpoint, at: now)
        }
    }

    /// Payload came from a peer: their connection was worth something.
    mutating func exchanged(_ node: Int, with other: Int) {
        participants[node].encounters?.useful.insert(other)
    }

    /// A link is gone: it is known when to try again.
    mutating func parted(_ node: Int, from other: Int) {
        let isUseful = participants[node].encounters?.useful.remove(other) != nil
        let isSettled = participants[node].swarm.isComplete
        participants[node].encounters?.incoming.remove(other)
        let parting = isSettled ? Parting.settled : isUseful ? .useful : .useless
        participants[node].encounters?.directory.disconnected(
            SwarmSimulation.endpoint(of: other),
            parting,
            at: now
        )
    }
}
