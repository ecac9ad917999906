import Primitives

/// What this host shares: it answers for that itself, as others answer for what was announced to them.
///
/// Else the only bootstrap node of a network would be found by later visitors only once one of them stays and takes
/// an announcement.
struct OwnAnnouncements: Sendable {
    private let capacity: Int
    private var ports: [InfoHash: UInt16] = [:]

    init(limits: DHTLimits) { capacity = limits.infoHashes }

    mutating func add(_ infoHash: InfoHash, port: UInt16) {
        guard ports.count < capacity || ports[infoHash] != nil else { return }
        ports[infoHash] = port
    }

    mutating func remove(_ infoHash: InfoHash) { ports[infoHash] = nil }

    func port(of infoHash: InfoHash) -> UInt16? { ports[infoHash] }
}
