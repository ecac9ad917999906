import Metainfo
package import Primitives

/// What time alone brings about.
extension Swarm {
    package mutating func advanced(to now: Instant, into actions: inout SwarmActionBuffer) {
        guard roster.count > 0 else { return }
        if now - tickedAt >= .seconds(1) { tick(at: now, into: &actions) }
        if now >= choker.nextRound { chokeRound(at: now, into: &actions) }
    }

    private mutating func tick(at now: Instant, into actions: inout SwarmActionBuffer) {
        let seconds = (now - tickedAt).inSeconds
        let before = tickedAt
        tickedAt = now
        for slot in roster.slots where !peers[slot].isLeaving {
            peers[slot].down.sample(over: seconds)
            peers[slot].up.sample(over: seconds)
            peers[slot].pipeline.sampled(over: seconds, wasOwed: peers[slot].outstanding > 0)
            // Silence must not make the rate, and with it the patience, look like that of a slow peer.
            if peers[slot].silentSince > before { peers[slot].patience = patience(slot) }
            snubIfSilent(slot, at: now, into: &actions)
        }
        dropSlowSenders(at: now, into: &actions)
        hurrySingleSources(at: now, into: &actions)
        dropStranded(into: &actions)
        recountTargets()
        // Those that do not answer come last, or they would be asked the same again.
        for slot in roster.slots where !peers[slot].isSnubbed && peers[slot].rejects == 0 {
            fillIfLow(slot, at: now, into: &actions)
        }
        for slot in roster.slots where !peers[slot].isSnubbed && peers[slot].rejects > 0 {
            fillIfLow(slot, at: now, into: &actions)
        }
        for slot in roster.slots where peers[slot].isSnubbed { fillIfLow(slot, at: now, into: &actions) }
        for slot in roster.slots where isHeldUp(slot) { duplicate(slot, at: now, into: &actions) }
    }

    /// A peer that owes us blocks and sends none loses them to others, and is asked one at a time from then on.
    private mutating func snubIfSilent(_ slot: Int, at now: Instant, into actions: inout SwarmActionBuffer) {
        let owes = peers[slot].outstanding > 0
        let isDeaf = peers[slot].rejects >= limits.maxRejects
        guard owes && now - peers[slot].silentSince >= peers[slot].patience || isDeaf && !peers[slot].isSnubbed else {
            return
        }
        if let since = peers[slot].arrivingSince, now - since >= limits.longestBlockTime {
            actions.append(.close(peers[slot].handle, .tooSlow))
            leave(slot, into: &actions)
            return
        }
        peers[slot].isSnubbed = true
        peers[slot].silentSince = now
        releaseAll(slot, countsAsLate: true, into: &actions)
    }

    /// Twenty blocks' time at the rate it had, within limits.
    private func patience(_ slot: Int) -> Duration {
        let rate = peers[slot].pipeline.rate
        guard rate.isKnown, rate.bytesPerSecond > 1 else { return limits.snubTimeout }
        let seconds = 20 * Double(PieceLayout.blockLength) / rate.bytesPerSecond
        return min(max(.seconds(seconds), limits.shortestPatience), limits.snubTimeout)
    }

    /// Lets pieces go that nobody here can go on with.
    ///
    /// Of those that nobody holds only as many as are in the way of pieces that are to be had; and those that only
    /// peers on parole hold, which must begin them anew and alone.
    private mutating func dropStranded(into actions: inout SwarmActionBuffer) {
        let idle = roster.slots.filter { canServe($0) && peers[$0].outstanding == 0 }
        guard !idle.isEmpty else { return }
        var inTheWay = open.count < maxOpen ? 0 : idle.count { startableCount($0) > 0 }
        for slot in open.slots.indices {
            let piece = open.slots[slot]
            guard piece.phase == .filling, piece.askedCount == 0, piece.arrivingCount == 0 else { continue }
            let holders = roster.slots.filter { canServe($0) && peers[$0].holds(piece.piece) }
            if holders.isEmpty, inTheWay > 0 {
                inTheWay -= 1
                close(slot, into: &actions)
            } else if !holders.isEmpty, !piece.hasSingleSource, holders.allSatisfy({ isOnParole($0) }) {
                close(slot, into: &actions)
            }
        }
    }
}
