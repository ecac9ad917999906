import Primitives

/// Who is suspected of sending wrong data (hardening B8).
///
/// A piece from one peer that fails convicts it. A piece from several convicts nobody: it is fetched again from one
/// suspect alone, the least trusted first, and until that is decided suspects send whole pieces only, so that nothing
/// they do is mixed with what others sent. Alone, a liar is convicted and explains every failure it took part in.
/// If the suspect's piece is right, suspicion stays with the others and costs them trust, more the fewer they are; who
/// only behaves when alone loses the rest of it that way.
struct Blame {
    static let bestTrust = 8
    static let worstTrust = -16
    /// Shared among the suspects that a failure stays with.
    private static let failureCost = 8
    private static let maxSuspects = 16

    struct Suspect: Hashable {
        var handle: PeerHandle
        var host: Endpoint
    }

    struct Failure {
        var piece: Int
        var suspects: [Suspect]
    }

    private(set) var failures: [Failure] = []
    private let capacity: Int
    /// Points of peers that left with fewer than they came with.
    private var remembered = LRUCache<HostKey, Int>(capacity: 256)

    init(capacity: Int) { self.capacity = max(1, capacity) }

    static func cost(sharedBy suspects: Int) -> Int { max(1, failureCost / max(1, suspects)) }

    func isSuspected(_ piece: Int) -> Bool { failures.contains { $0.piece == piece } }

    func isSuspect(_ handle: PeerHandle) -> Bool {
        failures.contains { $0.suspects.contains { $0.handle == handle } }
    }

    /// Remembers a mixed piece that failed. The oldest makes room; it is then fetched like any other.
    mutating func failed(_ piece: Int, suspects: [Suspect]) {
        failures.removeAll { $0.piece == piece }
        if failures.count >= capacity { failures.removeFirst() }
        failures.append(Failure(piece: piece, suspects: Array(suspects.prefix(Blame.maxSuspects))))
    }

    /// A piece is right. Returns those that are still suspected of having spoilt it before.
    mutating func verified(_ piece: Int, by senders: [PeerHandle]) -> [Suspect] {
        guard let index = failures.firstIndex(where: { $0.piece == piece }) else { return [] }
        return failures.remove(at: index).suspects.filter { !senders.contains($0.handle) }
    }

    /// A liar was found: what it took part in is explained.
    mutating func convicted(_ handle: PeerHandle) {
        failures.removeAll { $0.suspects.contains { $0.handle == handle } }
    }

    /// The suspect is not to be asked for the piece again: it takes too long.
    mutating func dismissed(_ handle: PeerHandle, from piece: Int) {
        for index in failures.indices where failures[index].piece == piece {
            failures[index].suspects.removeAll { $0.handle == handle }
        }
        failures.removeAll { $0.suspects.isEmpty }
    }

    mutating func trust(of host: Endpoint) -> Int { remembered.remove(HostKey(host)) ?? 0 }

    mutating func left(_ host: Endpoint, trust: Int) {
        if trust < 0 { remembered.insert(trust, for: HostKey(host)) }
    }
}
