import Primitives

/// Peers that were announced to us, by info-hash.
///
/// Full means full: what is there stays until it expires, for whoever floods us comes later than whom we serve
/// (hardening D11).
struct PeerStore: Sendable {
    private struct StoredPeer: Sendable {
        let endpoint: Endpoint
        var expiresAt: Instant
    }

    private let limits: DHTLimits
    private var swarms: [InfoHash: [StoredPeer]] = [:]
    private var countByAddress: [IPAddress: Int] = [:]
    private(set) var count = 0
    private var sweptAt: Instant

    init(limits: DHTLimits, now: Instant) {
        self.limits = limits
        sweptAt = now
    }

    var infoHashCount: Int { swarms.count }

    /// Whether an announcement from there would be stored. Where not, no token is given out.
    func hasRoom(for infoHash: InfoHash, from address: IPAddress) -> Bool {
        guard let swarm = swarms[infoHash] else {
            return swarms.count < limits.infoHashes && hasShare(address)
        }
        if swarm.contains(where: { $0.endpoint.address == address }) { return true }
        return swarm.count < limits.peersPerInfoHash && hasShare(address)
    }

    /// Stores or renews; `false` when there is no room.
    mutating func announce(_ peer: Endpoint, for infoHash: InfoHash, at now: Instant) -> Bool {
        let expiresAt = now + limits.peerLifetime
        if let index = swarms.index(forKey: infoHash),
            let position = swarms.values[index].firstIndex(where: { $0.endpoint == peer })
        {
            swarms.values[index][position].expiresAt = expiresAt
            return true
        }
        let swarm = swarms[infoHash] ?? []
        guard swarm.count < limits.peersPerInfoHash, !swarm.isEmpty || swarms.count < limits.infoHashes,
            hasShare(peer.address)
        else { return false }
        if !limits.exempts(peer.address) {
            let sameAddress = swarm.reduce(0) { $0 + ($1.endpoint.address == peer.address ? 1 : 0) }
            guard sameAddress < limits.peersPerAddressAndInfoHash else { return false }
            countByAddress[peer.address, default: 0] += 1
        }
        swarms[infoHash, default: []].append(StoredPeer(endpoint: peer, expiresAt: expiresAt))
        count += 1
        return true
    }

    /// Puts a random choice of the peers that `asker` may learn of into `result`.
    mutating func sample(
        _ infoHash: InfoHash,
        atMost limit: Int,
        for asker: IPAddress?,
        at now: Instant,
        using random: inout some RandomNumberGenerator,
        into result: inout [Endpoint]
    ) {
        result.removeAll(keepingCapacity: true)
        guard let index = swarms.index(forKey: infoHash) else { return }
        let count = swarms.values[index].count
        var next = 0
        // Half a Fisher-Yates shuffle, in place: the order of a swarm means nothing, and nothing is allocated.
        while next < count, result.count < limit {
            swarms.values[index].swapAt(next, Int.random(in: next..<count, using: &random))
            let peer = swarms.values[index][next]
            next += 1
            guard peer.expiresAt > now, asker?.mayName(peer.endpoint.address) ?? true else { continue }
            result.append(peer.endpoint)
        }
    }

    func all(of infoHash: InfoHash, at now: Instant) -> [Endpoint] {
        (swarms[infoHash] ?? []).filter { $0.expiresAt > now }.map(\.endpoint)
    }

    /// Removes what has expired, at most every `peerSweep`.
    mutating func sweep(at now: Instant) {
        guard now - sweptAt >= limits.peerSweep else { return }
        sweptAt = now
        for infoHash in Array(swarms.keys) {
            guard let index = swarms.index(forKey: infoHash) else { continue }
            for peer in swarms.values[index] where peer.expiresAt <= now { forget(peer.endpoint.address) }
            swarms.values[index].removeAll { $0.expiresAt <= now }
            if swarms.values[index].isEmpty { swarms[infoHash] = nil }
        }
    }

    private func hasShare(_ address: IPAddress) -> Bool {
        count < limits.storedPeers
            && (limits.exempts(address) || countByAddress[address, default: 0] < limits.peersPerAddress)
    }

    private mutating func forget(_ address: IPAddress) {
        count -= 1
        guard let old = countByAddress[address] else { return }
        countByAddress[address] = old > 1 ? old - 1 : nil
    }
}
