import Primitives

/// The peers that one lookup has handed on: candidates, not friends (hardening D14).
struct FoundPeers: Sendable {
    @SharedLimits private var limits: DHTLimits
    private var seen: Set<Endpoint> = []
    private var countByAddress: [IPAddress: Int] = [:]

    init(limits: SharedLimits) { _limits = limits }

    var count: Int { seen.count }
    var hasRoom: Bool { seen.count < limits.valuesPerLookup }

    /// Whether `peer`, named by a node at `source`, is new and may be dialled; counts it if so.
    mutating func admits(_ peer: Endpoint, from source: IPAddress?) -> Bool {
        guard hasRoom, limits.allowsPeer(onPort: peer.port), !peer.address.isReserved,
            source?.mayName(peer.address) ?? true, !seen.contains(peer)
        else { return false }
        if !limits.exempts(peer.address) {
            guard countByAddress[peer.address, default: 0] < limits.valuesPerAddress else { return false }
            countByAddress[peer.address, default: 0] += 1
        }
        seen.insert(peer)
        return true
    }
}
