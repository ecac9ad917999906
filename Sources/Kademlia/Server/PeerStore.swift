import Cryptography
import Primitives

/// Peers that were announced to us, by info-hash.
///
/// Full means full: what is there stays until it expires, for whoever floods us comes later than whom we serve
/// (hardening D11).
struct PeerStore: Sendable {
    @SharedLimits private var limits: DHTLimits
    private var swarms: [InfoHash: [StoredPeer]] = [:]
    private var shares: AddressShares
    private(set) var count = 0
    private var sweptAt: Instant

    init(limits: SharedLimits, now: Instant, using secrets: inout KeyedRandom) {
        _limits = limits
        shares = AddressShares(using: &secrets)
        sweptAt = now
    }

    var infoHashCount: Int { swarms.count }
    var infoHashes: some Collection<InfoHash> { swarms.keys }

    // MARK: Storing

    /// Whether an announcement from there would be stored. Where not, no token is given out.
    func hasRoom(for infoHash: InfoHash, from address: IPAddress) -> Bool {
        guard let index = swarms.index(forKey: infoHash) else {
            return swarms.count < limits.infoHashes && hasShare(address)
        }
        if swarms.values[index].count < limits.peersPerInfoHash, hasShare(address) { return true }
        return swarms.values[index].contains { $0.hasAddress(address) }
    }

    /// Stores or renews; `false` when there is no room.
    mutating func announce(_ peer: Endpoint, isSeed: Bool = false, for infoHash: InfoHash, at now: Instant) -> Bool {
        store(StoredPeer(peer, isSeed: isSeed, expiresAt: StoredPeer.seconds(now + limits.peerLifetime)), for: infoHash)
    }

    /// Stores a peer that a former run knew. What the store has is newer.
    mutating func restore(_ peer: StoredPeer, for infoHash: InfoHash) {
        if let swarm = swarms[infoHash], swarm.contains(where: { $0.isAt(peer.endpoint) }) { return }
        _ = store(peer, for: infoHash)
    }

    private mutating func store(_ peer: StoredPeer, for infoHash: InfoHash) -> Bool {
        let (endpoint, address) = (peer.endpoint, peer.address)
        guard let index = swarms.index(forKey: infoHash) else {
            guard swarms.count < limits.infoHashes, hasShare(address) else { return false }
            swarms[infoHash] = [peer]
            add(address)
            return true
        }
        var sameHost = 0
        for position in swarms.values[index].indices where swarms.values[index][position].isOnHost(of: address) {
            if swarms.values[index][position].isAt(endpoint) {
                swarms.values[index][position] = peer
                return true
            }
            sameHost += 1
        }
        guard swarms.values[index].count < limits.peersPerInfoHash, hasShare(address),
            limits.exempts(address) || sameHost < limits.peersPerAddressAndInfoHash
        else { return false }
        swarms.values[index].append(peer)
        add(address)
        return true
    }

    /// Removes what has expired, at most every `peerSweep`.
    mutating func sweep(at now: Instant) {
        guard now - sweptAt >= limits.peerSweep else { return }
        sweptAt = now
        let seconds = StoredPeer.seconds(now)
        for infoHash in Array(swarms.keys) {
            guard let index = swarms.index(forKey: infoHash) else { continue }
            for peer in swarms.values[index] where peer.expiresAt <= seconds { remove(peer.address) }
            swarms.values[index].removeAll { $0.expiresAt <= seconds }
            if swarms.values[index].isEmpty { swarms[infoHash] = nil }
        }
    }

    // MARK: Asking

    /// Puts a random choice of the peers that `asker` may learn of into `result`.
    ///
    /// - Parameter sparesSeeds: whether seeds are chosen only where the others leave room (BEP 33, `noseed`).
    mutating func sample(
        _ infoHash: InfoHash,
        atMost limit: Int,
        for asker: IPAddress?,
        sparingSeeds sparesSeeds: Bool = false,
        at now: Instant,
        using random: inout some RandomNumberGenerator,
        into result: inout [Endpoint]
    ) {
        result.removeAll(keepingCapacity: true)
        guard let index = swarms.index(forKey: infoHash) else { return }
        let seconds = StoredPeer.seconds(now)
        // The order of a swarm means nothing, so it can be changed in place, and nothing is allocated.
        let count = swarms.values[index].count
        let firstSeed = sparesSeeds ? swarms.values[index].partition { $0.isSeed } : count
        var next = 0
        while next < count, result.count < limit {
            // A Fisher-Yates shuffle as far as it is needed. Where all have room there is nothing to choose.
            if count > limit {
                let end = next < firstSeed ? firstSeed : count
                swarms.values[index].swapAt(next, Int.random(in: next..<end, using: &random))
            }
            let peer = swarms.values[index][next]
            next += 1
            guard peer.expiresAt > seconds, asker?.mayName(peer.address) ?? true else { continue }
            result.append(peer.endpoint)
        }
    }

    /// The peers of an info-hash that have not expired, in no order.
    func peers(of infoHash: InfoHash, at now: Instant) -> some Sequence<StoredPeer> {
        let seconds = StoredPeer.seconds(now)
        return (swarms[infoHash] ?? []).lazy.filter { $0.expiresAt > seconds }
    }

    // MARK: Shares

    private func hasShare(_ address: IPAddress) -> Bool {
        count < limits.storedPeers && (limits.exempts(address) || shares.count(of: address) < limits.peersPerAddress)
    }

    private mutating func add(_ address: IPAddress) {
        count += 1
        if count > shares.capacity {
            shares.grow()
            for swarm in swarms.values {
                for peer in swarm { shares.add(peer.address) }
            }
        } else {
            shares.add(address)
        }
    }

    private mutating func remove(_ address: IPAddress) {
        count -= 1
        shares.remove(address)
    }
}
