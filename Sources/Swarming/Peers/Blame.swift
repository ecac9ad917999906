import Primitives

/// Who is suspected of sending wrong data (hardening B8).
///
/// A piece from one peer that fails convicts it. A piece from several convicts nobody: it is fetched again from one
/// suspect alone, which either convicts that suspect or clears it. Beside that every verified piece earns its senders a
/// point and every failed one costs them two, so that who is always there when pieces fail goes too.
struct Blame {
    static let bestTrust = 8
    static let worstTrust = -7
    static let failureCost = 2
    private static let maxSuspects = 16

    struct Failure {
        var piece: Int
        var suspects: [PeerHandle]
    }

    private(set) var failures: [Failure] = []
    private let capacity: Int
    /// Points of peers that left with fewer than they came with.
    private var remembered = LRUCache<HostKey, Int>(capacity: 256)

    init(capacity: Int) { self.capacity = max(1, capacity) }

    func isSuspected(_ piece: Int) -> Bool { failures.contains { $0.piece == piece } }

    /// Remembers a mixed piece that failed. The oldest makes room; it is then fetched like any other.
    mutating func failed(_ piece: Int, suspects: [PeerHandle]) {
        failures.removeAll { $0.piece == piece }
        if failures.count >= capacity { failures.removeFirst() }
        failures.append(Failure(piece: piece, suspects: Array(suspects.prefix(Blame.maxSuspects))))
    }

    /// Returns who was suspected.
    mutating func verified(_ piece: Int) -> [PeerHandle] {
        guard let index = failures.firstIndex(where: { $0.piece == piece }) else { return [] }
        return failures.remove(at: index).suspects
    }

    mutating func trust(of host: Endpoint) -> Int { remembered.remove(HostKey(host)) ?? 0 }

    mutating func left(_ host: Endpoint, trust: Int) {
        if trust < 0 { remembered.insert(trust, for: HostKey(host)) }
    }
}
