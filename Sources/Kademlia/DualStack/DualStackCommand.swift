import Availability
import Cryptography
import Primitives

/// A command that runs on both halves of a node: what each of them has said of it.
struct DualStackCommand: Sendable {
    struct Progress: Hashable, Sendable {
        var asked = 0
        var answered = 0
    }

    private let target: NodeID
    private var progress: [AddressFamily: Progress] = [:]
    private var summaries: [AddressFamily: LookupSummary] = [:]
    private var newest: Item?
    private var records: [Ed25519.PublicKey: Int64] = [:]

    init(target: NodeID) { self.target = target }

    /// Records how far one half is, and returns how far both are.
    mutating func progressed(_ family: AddressFamily, asked: Int, answered: Int) -> Progress {
        progress[family] = Progress(asked: asked, answered: answered)
        return progress.values.reduce(into: Progress()) {
            $0.asked += $1.asked
            $0.answered += $1.answered
        }
    }

    /// Whether an item is newer than what either half has found before.
    mutating func isNews(_ item: Item) -> Bool {
        guard item.isNewer(than: newest) else { return false }
        newest = item
        return true
    }

    /// Whether a record is newer than what either half has found before of its key.
    mutating func isNews(_ record: AvailabilityRecord) -> Bool {
        guard records[record.key].map({ $0 < record.sequence }) ?? true else { return false }
        records[record.key] = record.sequence
        return true
    }

    /// Records the end of one half, and returns whether both have ended.
    mutating func finished(_ summary: LookupSummary, in family: AddressFamily) -> Bool {
        summaries[family] = summary
        return summaries.count == AddressFamily.allCases.count
    }

    /// What those that have ended came to.
    var summary: LookupSummary? {
        guard let first = summaries[.v4] else { return summaries[.v6] }
        guard let second = summaries[.v6] else { return first }
        return first.merged(with: second, towards: target)
    }
}

extension LookupSummary {
    /// One summary of a lookup in two networks: the nodes of both, nearest first, and sums.
    fileprivate func merged(with other: LookupSummary, towards target: NodeID) -> LookupSummary {
        var merged = self
        if other.outcome == .complete { merged.outcome = .complete }
        merged.closest = (closest + other.closest).sorted { $0.id.isCloser(to: target, than: $1.id) }
        merged.queriesSent += other.queriesSent
        merged.replies += other.replies
        merged.hops = max(hops, other.hops)
        merged.peersFound += other.peersFound
        merged.storedOn += other.storedOn
        for refusal in other.refusals { StoreRefusal.add(refusal, to: &merged.refusals) }
        return merged
    }
}
